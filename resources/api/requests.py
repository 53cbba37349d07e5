"""What the views of this app ask of a request: who reads, and whether what they sent is valid."""

from __future__ import annotations

from typing import Any

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


def _valid(given: serializers.BaseSerializer[Any]) -> Any:
    given.is_valid(raise_exception=True)
    return given.validated_data
