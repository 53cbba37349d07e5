"""Every failure of the API as an RFC 9457 problem: what happened in words for people, `code` for programs.

No exception's own text ever gets out: a message is either one of ours, or one that was written to be shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import structlog
from django.core import exceptions as django_errors
from django.db import OperationalError
from django.http import Http404, JsonResponse
from redis.exceptions import RedisError
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from cloudconsole.aws.errors import AwsError
from cloudconsole.core import requests
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 5  # what a caller is told to wait when nobody knows better

log = structlog.get_logger(__name__)

# What a status means where nothing more is known: code, title, detail.
_PLAIN: dict[int, tuple[str, str, str]] = {
    400: ("bad_request", "The request cannot be understood", "The request is malformed."),
    401: ("not_authenticated", "Not signed in", "Sign in first: send a bearer token, a personal access token or a session."),
    403: ("permission_denied", "Not allowed", "Your role does not allow this."),
    404: ("not_found", "Not found", "There is nothing here, or nothing that you may see."),
    405: ("method_not_allowed", "Method not allowed", "This address does not answer that method."),
    406: ("not_acceptable", "Not acceptable", "The API speaks application/json in version 1."),
    409: ("conflict", "The state forbids it", "The request conflicts with the present state."),
    413: ("too_large", "Too large", "The body is larger than the API accepts."),
    414: ("too_large", "Too large", "The address is longer than the API accepts."),
    415: ("unsupported_media_type", "Unsupported media type", "Send the body as application/json."),
    422: (
        "unprocessable",
        "The Idempotency-Key belongs to another request",
        "The same Idempotency-Key was sent before with another request.",
    ),
    429: ("throttled", "Too many requests", "Too many requests: wait before sending the next one."),
    500: ("internal", "Something failed here", "The failure has been logged under this request id."),
    503: ("unavailable", "Not available at the moment", "Try again in a moment."),
}


@dataclass(frozen=True)
class FieldError:
    """One input at fault: `attr` is its path, such as `groups.0.role`."""

    attr: str | None
    code: str
    detail: str

    def as_json(self) -> dict[str, str | None]:
        return {"attr": self.attr, "code": self.code, "detail": self.detail}


@dataclass(frozen=True)
class Problem:
    """One failure as it is told to a caller. `extensions` are further members of the document."""

    status: int
    code: str
    title: str
    detail: str
    errors: tuple[FieldError, ...] = ()
    extensions: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def plain(cls, status: int, **headers: str) -> Problem:
        """The problem of a bare status code."""
        phrase = HTTPStatus(status).phrase
        code, title, detail = _PLAIN.get(status) or (phrase.lower().replace(" ", "_"), phrase, f"{phrase}.")
        return cls(status, code, title, detail, headers=headers)

    def as_json(self) -> dict[str, Any]:
        context = requests.current()
        return {
            "type": f"urn:cloudconsole:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "errors": [error.as_json() for error in self.errors],
            "request_id": context.request_id if context else "",
            **self.extensions,
        }


class ProblemResponse(Response):
    """A problem as the answer of an API view: JSON for programs whatever they asked for, a page for the browsable API."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.as_json(), status=problem.status, headers=problem.headers)
        self.problem = problem

    @property
    def rendered_content(self) -> Any:
        if getattr(self.accepted_renderer, "format", None) != "api":
            from rest_framework.renderers import JSONRenderer

            self.accepted_renderer = JSONRenderer()
            self.content_type = CONTENT_TYPE
        return super().rendered_content


def as_http(problem: Problem) -> JsonResponse:
    """The same for what fails outside any API view."""
    response = JsonResponse(problem.as_json(), status=problem.status, content_type=CONTENT_TYPE)
    for name, value in problem.headers.items():
        response[name] = value
    return response


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's hook. None for the unexpected, which is logged with its stack and answered as a bare 500."""
    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    if problem.status in (401, 403):
        log.info("refused", code=problem.code, status=problem.status, view=type(context.get("view")).__name__)
    return ProblemResponse(problem)


def problem_of(error: Exception) -> Problem | None:
    """The problem that tells of `error`, or None when it is not an expected failure."""
    for kind, tell in _TELLERS:
        if isinstance(error, kind):
            return tell(error)
    return None


def _of_ours(error: CloudconsoleError) -> Problem:
    status = STATUS_OF[error.kind].value
    return Problem(
        status,
        error.code,
        error.title,
        error.detail,
        errors=(FieldError(error.attr, error.code, error.detail),) if error.attr else (),
        extensions={"remedy": remedy} if (remedy := getattr(error, "remedy", "")) else {},
        headers=_retry_after(error) if status in (429, 503) else {},
    )


def _retry_after(error: CloudconsoleError) -> dict[str, str]:
    seconds = getattr(error, "retry_after_s", None) or RETRY_AFTER_S
    return {"Retry-After": str(max(1, int(seconds)))}


def _of_aws(error: AwsError) -> Problem:
    ours = _of_ours(error)
    aws = {
        "service": error.service,
        "operation": error.operation,
        "code": error.aws_code,
        "message": error.aws_message,
        "request_id": error.request_id,
    }
    extensions = {"aws": aws, "remedy": error.remedy}
    return Problem(ours.status, ours.code, ours.title, ours.detail, ours.errors, extensions, ours.headers)


# Their own texts repeat what was sent, or say less than ours.
_SAID_BETTER = (drf.MethodNotAllowed, drf.UnsupportedMediaType, drf.NotAcceptable, drf.Throttled)


def _of_drf(error: drf.APIException) -> Problem:
    plain = Problem.plain(error.status_code, **_headers_of(error))
    stock = type(error).__module__ == drf.__name__ and error.detail == error.default_detail
    if stock or isinstance(error, _SAID_BETTER) or not isinstance(error.detail, drf.ErrorDetail):
        return plain
    return replace(plain, code=str(error.detail.code), detail=str(error.detail))


def _headers_of(error: drf.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if isinstance(error, drf.Throttled):
        headers["Retry-After"] = str(max(1, int(getattr(error, "wait", None) or RETRY_AFTER_S)))
    return headers


def _invalid(errors: Iterable[FieldError]) -> Problem:
    found = tuple(errors)
    detail = found[0].detail if len(found) == 1 else f"{len(found)} inputs are not valid."
    code = found[0].code if len(found) == 1 and found[0].attr is None else "invalid"
    return Problem(400, code, "The input is not valid", detail, errors=found)


def _flatten(details: Any, path: tuple[str, ...] = ()) -> list[FieldError]:
    """DRF's nested lists and dicts of {message, code} as a flat list with dotted paths."""
    if isinstance(details, dict) and set(details) == {"message", "code"} and isinstance(details["message"], str):
        return [FieldError(".".join(path) or None, str(details["code"]), str(details["message"]))]
    if isinstance(details, dict):
        return [
            error
            for name, inner in details.items()
            for error in _flatten(inner, path if name == "non_field_errors" else (*path, str(name)))
        ]
    nested = [inner for inner in details if inner]  # a list serializer has empty entries for the rows that are fine
    numbered = any(isinstance(inner, dict) and set(inner) != {"message", "code"} for inner in nested)
    return [
        error
        for index, inner in enumerate(details)
        if inner
        for error in _flatten(inner, (*path, str(index)) if numbered else path)
    ]


def _django_messages(error: django_errors.ValidationError) -> Any:
    if hasattr(error, "error_dict"):
        return {("non_field_errors" if name == "__all__" else name): _coded(errors) for name, errors in error.error_dict.items()}
    return _coded(error.error_list)


def _coded(errors: Iterable[django_errors.ValidationError]) -> list[drf.ErrorDetail]:
    return [drf.ErrorDetail(message, error.code or "invalid") for error in errors for message in error.messages]


def _part_unavailable(error: OperationalError | RedisError) -> Problem:
    log.error("part_unavailable", reason=type(error).__name__, exc_info=error)
    return Problem.plain(503, **{"Retry-After": str(RETRY_AFTER_S)})


# The first that fits tells; subclasses stand before their base.
_TELLERS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem]], ...] = (
    (AwsError, _of_aws),
    (CloudconsoleError, _of_ours),
    (drf.ValidationError, lambda error: _invalid(_flatten(error.get_full_details()))),
    (drf.APIException, _of_drf),
    (Http404, lambda _: Problem.plain(404)),
    (django_errors.PermissionDenied, lambda _: Problem.plain(403)),
    (
        django_errors.ValidationError,
        lambda error: _invalid(_flatten(drf.ValidationError(_django_messages(error)).get_full_details())),
    ),
    (
        (django_errors.RequestDataTooBig, django_errors.TooManyFieldsSent, django_errors.TooManyFilesSent),
        lambda _: Problem.plain(413),
    ),
    (django_errors.SuspiciousOperation, lambda _: Problem.plain(400)),
    ((OperationalError, RedisError), _part_unavailable),
)
