"""The API for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import renderers
from rest_framework.request import Request, override_method


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    """One calm page for each address: the answer, and a box to send JSON from. No inline script or style, no Bootstrap."""

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]) -> dict[str, Any]:
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        writes = [method for method in ("POST", "PUT", "PATCH", "DELETE") if self._may(view, method, request)]
        pages = data if isinstance(data, dict) else {}
        return {
            "request": request,
            "response": response,
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "breadcrumblist": self.get_breadcrumbs(request),
            "content": renderers.JSONRenderer().render(data, "application/json; indent=4").decode() if data is not None else "",
            "response_headers": {name: value for name, value in sorted(response.items()) if name != "Content-Type"},
            "previous_url": pages.get("previous"),
            "next_url": pages.get("next"),
            "writes": writes,
            "example": self._example(data, view, request, writes),
        }

    def _may(self, view: Any, method: str, request: Request) -> bool:
        if method not in view.allowed_methods:
            return False
        with override_method(view, request, method) as tried:
            return bool(self.show_form_for_method(view, method, tried, None))

    def _example(self, data: Any, view: Any, request: Request, writes: list[str]) -> str | None:
        with_body = [method for method in writes if method != "DELETE"]
        if not with_body:
            return None
        form = self.get_raw_data_form(data, view, with_body[0], request)
        return (form["_content"].value() if form else None) or "{\n}"
