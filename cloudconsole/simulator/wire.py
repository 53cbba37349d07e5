"""AWS's wire protocols as far as the simulator speaks them: requests in, responses and errors out."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape


class Protocol(StrEnum):
    """How a service wants requests and errors written (the `protocol` of its botocore model)."""

    QUERY = "query"
    EC2 = "ec2"
    JSON = "json"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"


QUERY_NAMESPACES = {
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
    "iam": "https://iam.amazonaws.com/doc/2010-05-08/",
    "elb-2012-06-01": "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/",
    "elb-2015-12-01": "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
}


# REST calls that the simulator answers itself: method and path name the operation (botocore's service models).
_REST_OPERATIONS = {("POST", "/listRegions"): "ListRegions"}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it came in: `path` and `query` are raw, header names lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        """The parameters of a query-protocol call."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """`stream` instead of `body` sends a large one piece by piece; `length` is its size, or the size that HEAD tells of."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Iterable[bytes] | None = None
    length: int | None = None


class AwsError(Exception):
    """A refusal in AWS's words; `render_error` gives it the shape that the caller's protocol wants.

    `members` stand beside code and message, `headers` beside the request id.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        members: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})
        self.headers = dict(headers or {})


def new_request_id() -> str:
    return str(uuid.uuid4())


def protocol_of(request: Request, service: str) -> Protocol:
    """The protocol of a call, told from the request as AWS's front doors do."""
    if "x-amz-target" in request.headers:
        return Protocol.JSON
    if service == "ec2":
        return Protocol.EC2
    if service == "s3":
        return Protocol.REST_XML
    return Protocol.QUERY if b"Action=" in request.body[:4096] or "Action=" in request.query else Protocol.REST_JSON


def operation_of(request: Request, protocol: Protocol) -> str:
    """The operation's name; for REST protocols, which have none on the wire, method and path."""
    if protocol is Protocol.JSON:
        return request.headers["x-amz-target"].rpartition(".")[2]
    if protocol in (Protocol.QUERY, Protocol.EC2):
        return request.form().get("Action") or dict(parse_qsl(request.query)).get("Action", "")
    return _REST_OPERATIONS.get((request.method, request.path)) or f"{request.method} {request.path}"


def json_answer(payload: object, request_id: str) -> Response:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Response(200, body, "application/x-amz-json-1.1", {"x-amzn-RequestId": request_id})


def query_answer(service: str, operation: str, result: str, request_id: str) -> Response:
    """A query-protocol answer around `result`, which is XML already."""
    body = (
        f'<{operation}Response xmlns="{QUERY_NAMESPACES[service]}"><{operation}Result>{result}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Response(200, body.encode(), "text/xml", {"x-amzn-RequestId": request_id})


def ec2_answer(operation: str, result: str, request_id: str) -> Response:
    """An EC2 answer around `result`, which is XML already."""
    namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"
    body = f'<{operation}Response xmlns="{namespace}"><requestId>{request_id}</requestId>{result}</{operation}Response>'
    return Response(200, body.encode(), "text/xml", {"x-amzn-RequestId": request_id})


def element(name: str, value: object) -> str:
    return f"<{name}>{escape(str(value))}</{name}>"


def render_error(error: AwsError, protocol: Protocol, service: str, request_id: str) -> Response:
    """The error as the service's protocol writes it."""
    if protocol in (Protocol.JSON, Protocol.REST_JSON):
        return _json_error(error, protocol, request_id)
    body = _xml_error(error, protocol, service, request_id).encode()
    return Response(error.status, body, "text/xml", _ids(request_id) | error.headers)


def _json_error(error: AwsError, protocol: Protocol, request_id: str) -> Response:
    headers = {"x-amzn-RequestId": request_id, **error.headers}
    if protocol is Protocol.REST_JSON:
        headers["x-amzn-ErrorType"] = error.code
    body = json.dumps({"__type": error.code, "message": error.message, **error.members}).encode()
    content_type = "application/x-amz-json-1.1" if protocol is Protocol.JSON else "application/json"
    return Response(error.status, body, content_type, headers)


def _xml_error(error: AwsError, protocol: Protocol, service: str, request_id: str) -> str:
    inside = element("Code", error.code) + element("Message", error.message)
    inside += "".join(element(name, value) for name, value in error.members.items())
    if protocol is Protocol.REST_XML:
        return f'<?xml version="1.0" encoding="UTF-8"?><Error>{inside}{element("RequestId", request_id)}</Error>'
    if protocol is Protocol.EC2:
        return f"<Response><Errors><Error>{inside}</Error></Errors>{element('RequestID', request_id)}</Response>"
    kind = element("Type", "Receiver" if error.status >= 500 else "Sender")
    namespace = QUERY_NAMESPACES.get(service, "")
    return f'<ErrorResponse xmlns="{namespace}"><Error>{kind}{inside}</Error>{element("RequestId", request_id)}</ErrorResponse>'


def _ids(request_id: str) -> dict[str, str]:
    return {"x-amzn-RequestId": request_id, "x-amz-request-id": request_id}
