"""How the OpenAPI document is drawn from the views: every operation with the problems it can answer with."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema as BaseAutoSchema
from drf_spectacular.plumbing import ResolvedComponent

from cloudconsole.api import idempotency, problems

_TEXT = {"type": "string"}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). `code` is stable; `aws` and `remedy` are there when AWS refused or failed.",
    "required": ["type", "title", "status", "detail", "code", "errors", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["attr", "code", "detail"],
                "properties": {"attr": {"type": ["string", "null"]}, "code": _TEXT, "detail": _TEXT},
            },
        },
        "request_id": _TEXT,
        "remedy": _TEXT,
        "aws": {
            "type": "object",
            "properties": dict.fromkeys(("service", "operation", "code", "message", "request_id"), _TEXT),
        },
    },
}

_MEANINGS = {
    "400": "The input is malformed or not valid.",
    "401": "Not signed in.",
    "403": "Signed in, but the role may not.",
    "404": "Does not exist, or is not visible to the caller.",
    "409": "The state forbids it, or the first request with this Idempotency-Key is still at work.",
    "413": "Larger than the API, or AWS, takes.",
    "422": "The Idempotency-Key was used with another request.",
    "424": "The AWS account's own credentials or permissions stopped it.",
    "429": "Too many requests; `Retry-After` says when to go on.",
    "502": "AWS, or another service, answered nonsense or not at all.",
    "503": "Throttled or overloaded; `Retry-After` says when to try again.",
}

_IDEMPOTENCY = {
    "in": "header",
    "name": idempotency.HEADER,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same key with the same request acts once; later answers carry `Idempotent-Replayed: true`.",
}


class AutoSchema(BaseAutoSchema):
    """Adds the problems and, where an operation acts, the Idempotency-Key."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        answers = operation.setdefault("responses", {})
        for status in self._problem_statuses(operation):
            answers.setdefault(status, self._problem(status))
        if self.method in idempotency.METHODS and not self._is_public():
            operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        return operation

    def _problem_statuses(self, operation: dict[str, Any]) -> list[str]:
        found = ["429", "503"]
        if operation.get("parameters") or operation.get("requestBody"):
            found.append("400")
        if not self._is_public():
            found += ["401", "403"]
        if "{" in self.path:
            found.append("404")
        if self.method in idempotency.METHODS:
            found += ["409", "422"]
        if getattr(self.view, "calls_aws", False):
            found += ["424", "502"]
        if getattr(self.view, "takes_files", False):
            found.append("413")
        return sorted(found)

    def _is_public(self) -> bool:
        return bool(getattr(self.view, "public", False))

    def _problem(self, status: str) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM, object="Problem"
        )
        self.registry.register_on_missing(component)
        return {"description": _MEANINGS[status], "content": {problems.CONTENT_TYPE: {"schema": component.ref}}}
