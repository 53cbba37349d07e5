"""What every view of this app asks of a request: who sent it, and whether its body is valid."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from accounts.models import User


class PasswordField(serializers.CharField):
    """Goes in, never comes out; blanks at its ends belong to it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=1024, write_only=True, trim_whitespace=False, style={"input_type": "password"}, **options)


def person(request: Request) -> User:
    """Who is signed in. Raises NotAuthenticated, which `DeclaredPermission` has normally done before."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def valid(serializer: type[serializers.BaseSerializer[Any]], request: Request, **options: Any) -> Any:
    """The body as `serializer` reads it. Raises ValidationError."""
    body = serializer(data=request.data, **options)
    body.is_valid(raise_exception=True)
    return body.validated_data
