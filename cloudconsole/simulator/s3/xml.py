"""S3's XML, in and out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote
from xml.etree import ElementTree as ET

from cloudconsole.simulator.wire import AwsError, Response, element

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def parse(body: bytes) -> ET.Element:
    """The root of a request body, names without their namespace; AWS's MalformedXML where it is none."""
    if b"<!DOCTYPE" in body:  # entities that expand without end need one
        raise malformed()
    try:
        root = ET.fromstring(body)  # noqa: S314 - see above
    except ET.ParseError:
        raise malformed() from None
    for found in root.iter():
        found.tag = found.tag.rpartition("}")[2]
    return root


def malformed() -> AwsError:
    return AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")


def answer(name: str, inside: str, request_id: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">{inside}</{name}>'
    return Response(200, body.encode(), "application/xml", {"x-amz-request-id": request_id})


def empty(request_id: str, *, status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items() if value}
    return Response(status, b"", "application/xml", {"x-amz-request-id": request_id, **named})


def encoded(text: str, query: Mapping[str, str]) -> str:
    """A key for a listing: URL-encoded where the request asks for it, since XML cannot hold every character."""
    return quote(text, safe="/") if query.get("encoding-type") == "url" else text


def moment(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"


def many(name: str, insides: Iterable[str]) -> str:
    return "".join(f"<{name}>{inside}</{name}>" for inside in insides)


def optional(name: str, value: str) -> str:
    return element(name, value) if value else ""
