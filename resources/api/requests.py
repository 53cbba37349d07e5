"""What the views of this app ask of a request: who reads, and whether what they sent is valid."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models import User


def reader(request: Request) -> User:
    """Who is signed in. Raises NotAuthenticated, which `DeclaredPermission` has normally done before."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def queried(serializer: type[serializers.BaseSerializer[Any]], request: Request) -> Any:
    """The query string as `serializer` reads it. Raises ValidationError."""
    return _valid(serializer(data=request.query_params))


def sent(serializer: type[serializers.BaseSerializer[Any]], request: Request) -> Any:
    """The body as `serializer` reads it. Raises ValidationError."""
    return _valid(serializer(data=request.data))


def named(request: Request, parameter: str) -> str:
    """What the body or the query string calls by name, read before either is judged: who may not see it is told no more.

    Raises ValidationError for what no database can look for.
    """
    for source in (request.query_params, request.data):
        value = source.get(parameter) if hasattr(source, "get") else None
        if isinstance(value, str | int):
            if "\0" in str(value):
                raise serializers.ValidationError({parameter: "Null characters are not allowed."})
            return str(value)[:63]
    return ""


def sent_anywhere(serializer: type[serializers.BaseSerializer[Any]], request: Request) -> Any:
    """The body, or the query string where it says more, as `serializer` reads it. Raises ValidationError."""
    body = dict(request.data.items()) if isinstance(request.data, dict) else {}
    return _valid(serializer(data={**body, **request.query_params.dict()}))


def file_in(sent: Any) -> BinaryIO:
    """The bytes of an uploaded file, from memory or from disk."""
    return cast("BinaryIO", sent.file)


def _valid(given: serializers.BaseSerializer[Any]) -> Any:
    given.is_valid(raise_exception=True)
    return given.validated_data
