from __future__ import annotations

from rest_framework import renderers


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """The API for people. Its templates hold no inline script or style, so it works under the strict CSP."""

    code_style = None  # type: ignore[assignment]
