"""/api/proxy: requests to other services with one's own keys, as an envelope or streamed through."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, BinaryIO, cast
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.authentication import SessionAuthentication
from accounts.models import PersonalToken, Scope
from cloudconsole.api import streams
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.core import threads
from cloudconsole.core.permissions import Perm
from cloudconsole.net.egress import Upload
from gateway.models import ApiKey, Generation, Via
from gateway.rules import headers
from gateway.rules.headers import Headers
from gateway.selectors import keys as selectors
from gateway.services import proxying
from gateway.services.exchanges import Exchange
from gateway.services.proxying import Call

SECRET_HEADER = "X-Cloudconsole-Secret"  # noqa: S105 - the name of a header that says which secret
PATIENCE_S = 0.5  # with the pieces of a short answer
_IN_MEMORY = 1024**2  # of a body; a longer one is read from where the server has put it
# What is written for another origin is never drawn, run or kept on ours.
_NEVER_RENDERED = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "attachment",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store, no-transform",
    "X-Accel-Buffering": "no",
}


class EnvelopeSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(
        max_length=8192, help_text="An address; with a key also a path below its `base_url`, such as `/user?page=2`."
    )
    method = serializers.CharField(max_length=16, default="GET")
    headers = serializers.DictField(child=serializers.CharField(max_length=8192, allow_blank=True), default=dict)
    body = serializers.JSONField(
        required=False, allow_null=True, default=None, help_text="A text is sent as it is, anything else as JSON."
    )
    body_encoding = ChoiceField(
        choices=[("utf-8", "Text"), ("base64", "Base64")], default="utf-8", help_text="How a `body` that is a text is written."
    )
    api_key_id = serializers.IntegerField(required=False, allow_null=True, default=None)
    api_name = serializers.CharField(required=False, allow_blank=True, default="", help_text="Instead of `api_key_id`.")
    secret = ChoiceField(
        choices=Generation.choices, default=Generation.CURRENT, help_text="`previous`: the one from before the last rotation."
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        given["bytes"], implied = _body(given["body"], given["body_encoding"])
        if implied and not any(name.lower() == "content-type" for name in given["headers"]):
            given["headers"] = {**given["headers"], "Content-Type": implied}
        return given


class ProxyAnswerSerializer(serializers.Serializer[Any]):
    status_code = serializers.IntegerField()
    headers = serializers.DictField(child=serializers.CharField(), help_text="Several of one name are one list.")
    body = serializers.CharField()
    body_encoding = ChoiceField(choices=[("utf-8", "Text"), ("base64", "Base64")])
    time_taken_ms = serializers.IntegerField()
    truncated = serializers.BooleanField(help_text="The body was longer, and is cut off.")
    warning = serializers.CharField(help_text="Such as that nothing is left of a limit; empty when there is none.")
    request_log_id = serializers.IntegerField()


class Envelope(ApiView):
    permission = Perm.SELF

    @extend_schema(
        request=EnvelopeSerializer,
        responses=ProxyAnswerSerializer,
        tags=["gateway"],
        examples=[
            OpenApiExample("With a key", {"url": "/user", "method": "GET", "api_key_id": 7}, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Send a request, with a key of yours or without one. The service's own errors are in `status_code`.

        400 `address_refused`: nothing is sent there, or `header_unsendable`: the words name the header; 403 `key_not_allowed`;
        429 `budget_used_up`; 502 `no_answer`.
        """
        body = valid(EnvelopeSerializer, request)
        call = Call(
            method=body["method"].upper(),
            url=body["url"],
            headers=tuple(body["headers"].items()),
            body=body["bytes"],
            via=Via.ENVELOPE,
            generation=Generation(body["secret"]),
        )
        whole = proxying.send(call=call, key=_key(request, body), by=person(request))
        text, encoding = proxying.text_of(whole.body, headers.value_of(whole.headers, "content-type"))
        answer = {
            "status_code": whole.status,
            "headers": headers.joined(whole.headers),
            "body": text,
            "body_encoding": encoding,
            "time_taken_ms": whole.duration_ms,
            "truncated": whole.truncated,
            "warning": whole.warning,
            "request_log_id": whole.log.pk,
        }
        return Response(ProxyAnswerSerializer(answer).data)


class AnyFormat(BaseContentNegotiation):
    """What the caller accepts is for the other service to read; only our own refusals are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> tuple[Any, str]:
        return renderers[0], renderers[0].media_type


_ANY = {(200, "*/*"): OpenApiTypes.BINARY}


class Through(ApiView):
    """Passed through: any method, any body, any answer, which is streamed unless it is short."""

    permission = Perm.SELF
    keeps_answers = False  # an Idempotency-Key is for the other service
    content_negotiation_class = AnyFormat
    renderer_classes = [JSONRenderer]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        _refuse_reader(request)

    @extend_schema(responses=_ANY, tags=["gateway"], operation_id="proxy_get")
    def get(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on with the key of this name, path and query as they are; the answer comes as the service sends it."""
        return self._pass(request, api_name)

    @extend_schema(request=OpenApiTypes.BINARY, responses=_ANY, tags=["gateway"], operation_id="proxy_post")
    def post(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on with its body, whatever it is."""
        return self._pass(request, api_name)

    @extend_schema(request=OpenApiTypes.BINARY, responses=_ANY, tags=["gateway"], operation_id="proxy_put")
    def put(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on with its body."""
        return self._pass(request, api_name)

    @extend_schema(request=OpenApiTypes.BINARY, responses=_ANY, tags=["gateway"], operation_id="proxy_patch")
    def patch(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on with its body."""
        return self._pass(request, api_name)

    @extend_schema(responses=_ANY, tags=["gateway"], operation_id="proxy_delete")
    def delete(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on."""
        return self._pass(request, api_name)

    @extend_schema(exclude=True)
    def head(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:
        """Sent on."""
        return self._pass(request, api_name)

    @extend_schema(exclude=True)
    def options(self, request: Request, api_name: str, path: str = "") -> HttpResponseBase:  # type: ignore[override]
        """Sent on."""
        return self._pass(request, api_name)

    def _pass(self, request: Request, api_name: str) -> HttpResponseBase:
        generation = _generation(request)
        key = selectors.to_use(person(request), api_name=api_name, generation=generation)
        _refuse_navigation(request)
        http = request._request
        call = Call(
            method=request.method or "GET",
            url=_below(http),
            headers=_headers(http),
            body=_upload(http),
            via=Via.STREAM,
            generation=generation,
            own_sign_in=True,
        )
        return _relayed(http, proxying.begin(call=call, key=key, by=person(request)))


def _key(request: Request, body: Mapping[str, Any]) -> ApiKey | None:
    user, generation = person(request), Generation(body["secret"])
    if body["api_key_id"] is not None:
        return selectors.to_use(user, pk=body["api_key_id"], generation=generation)
    return selectors.to_use(user, api_name=body["api_name"], generation=generation) if body["api_name"] else None


def _body(given: Any, encoding: str) -> tuple[bytes, str]:
    """A body as bytes, and the content type that goes without saying. Raises ValidationError."""
    if given is None:
        return b"", ""
    if not isinstance(given, str):
        return json.dumps(given, ensure_ascii=False).encode(), "application/json"
    if encoding == "utf-8":
        return given.encode(), "text/plain; charset=utf-8" if given else ""
    try:
        return base64.b64decode(given, validate=True), "application/octet-stream"
    except (binascii.Error, ValueError):
        raise serializers.ValidationError({"body": "This is not base64."}) from None


def _refuse_reader(request: Request) -> None:
    """Whatever its method, a request with a key costs money and may have effects there. Raises PermissionDenied."""
    if isinstance(request.auth, PersonalToken) and request.auth.scope == Scope.READ:
        raise PermissionDenied(
            "This token may only read; sending a request with a key needs one that may write.", "token_reads_only"
        )


def _refuse_navigation(request: Request) -> None:
    """Another site can lead a signed-in browser here, but cannot have it send this header. Raises PermissionDenied."""
    if isinstance(request.successful_authenticator, SessionAuthentication) and "X-Requested-With" not in request.headers:
        raise PermissionDenied("With a session, send the header X-Requested-With.", code="header_needed")


def _below(request: HttpRequest) -> str:
    """The path behind the key's name, as the caller wrote it, and the query."""
    raw: bytes = (
        getattr(request, "scope", {}).get("raw_path") or quote(request.META["PATH_INFO"], safe="/:@!$&'()*+,;=~").encode()
    )
    parts = raw.decode("ascii", "replace").split("/", 4)  # "", "api", "proxy", the name, the rest
    path = f"/{parts[4]}" if len(parts) > 4 else ""
    query = request.META.get("QUERY_STRING", "")
    return f"{path or '/'}{'?' if query else ''}{query}"


def _headers(request: HttpRequest) -> Headers:
    return tuple((name, value) for name, value in request.headers.items() if value)


def _upload(request: HttpRequest) -> bytes | Upload:
    """The body: under ASGI it lies in a file that the server has filled, of whatever size."""
    file = getattr(request, "_stream", None)
    if file is None or not getattr(file, "seekable", lambda: False)():
        return request.body
    length = file.seek(0, 2)
    file.seek(0)
    return Upload(cast(BinaryIO, file), length) if length > _IN_MEMORY else file.read()


def _generation(request: Request) -> Generation:
    return Generation.PREVIOUS if request.headers.get(SECRET_HEADER) == Generation.PREVIOUS else Generation.CURRENT


def _relayed(request: HttpRequest, exchange: Exchange) -> HttpResponseBase:
    """A short answer in one piece, which costs a third less; any other as it comes.

    Raises what `Exchange.chunks` does for a short one. The beginning of any other is on its way before that is known.
    """
    response: HttpResponse | StreamingHttpResponse
    if exchange.comes_whole(PATIENCE_S):
        whole = b"".join(exchange.chunks())
        if exchange.has_body:
            response = HttpResponse(whole, status=exchange.status)
        else:  # of which Django would tell a length
            response = StreamingHttpResponse(streams.body_for(request, iter(())), status=exchange.status)
    else:
        threads.when_over(request, exchange.leave)
        body = streams.body_for(request, exchange.chunks(), exchange.abort)
        response = StreamingHttpResponse(body, status=exchange.status)
        response._resource_closers.append(exchange.leave)  # type: ignore[attr-defined]
    del response["Content-Type"]  # Django's own guess
    for name, value in {**headers.joined(exchange.headers), **_NEVER_RENDERED}.items():
        response[name] = value
    response["Proxy-Status"] = f"cloudconsole; received-status={exchange.status}"
    if exchange.warning:
        response["X-Cloudconsole-Warning"] = exchange.warning
    response.is_relayed = True  # type: ignore[union-attr]  # read by ApiMiddleware
    return response


@extend_schema(exclude=True)  # told once, with a path
class ThroughToBase(Through):
    """The same for the base address itself."""
