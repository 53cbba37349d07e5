"""Addresses that exist in these tests only."""

from __future__ import annotations

import itertools

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.pagination import CursorPagination
from cloudconsole.api.views import ApiView, ListApiView, UnboundedListApiView
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from cloudconsole.urls import urlpatterns as product

acts = itertools.count(1)


class Refused(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "wrong_state"
    title = "The state forbids it"


class Input(serializers.Serializer[None]):
    name = serializers.CharField(max_length=10)
    rows = serializers.ListField(child=serializers.IntegerField(), required=False)


class Things(ApiView):
    permission = Perm.SELF

    def get(self, request: Request) -> Response:
        return Response({"hello": request.user.get_username()})

    def post(self, request: Request) -> Response:
        given = Input(data=request.data)
        given.is_valid(raise_exception=True)
        return Response({"number": next(acts), "name": given.validated_data["name"]}, status=201)


class Failing(ApiView):
    permission = Perm.SELF

    def get(self, request: Request, how: str) -> Response:
        match how:
            case "ours":
                raise Refused("The thing is running.", attr="state")
            case "aws":
                raise AwsError(
                    service="sts",
                    operation="GetCallerIdentity",
                    cause=AwsErrorKind.CREDENTIALS_INVALID,
                    meaning="AWS does not know the key.",
                    remedy="Make a new key.",
                    aws_code="InvalidClientTokenId",
                    aws_message="The security token is invalid.",
                    request_id="req-1",
                )
            case "django":
                raise ValidationError({"alias": ["Too odd."]}, code="odd")
        raise RuntimeError("hunter2 is the password")

    post = get


class Person(serializers.ModelSerializer):  # type: ignore[type-arg]
    class Meta:
        model = get_user_model()
        fields = ("username",)


class People(ListApiView):
    permission = Perm.SELF
    serializer_class = Person
    queryset = get_user_model().objects.order_by("pk")


class ByPk(CursorPagination):
    ordering = "pk"


class PeopleForEver(UnboundedListApiView):
    permission = Perm.SELF
    serializer_class = Person
    pagination_class = ByPk
    queryset = get_user_model().objects.all()


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("hunter2 is the password")


crash.login_required = False  # type: ignore[attr-defined]

urlpatterns = [
    path("api/things", Things.as_view()),
    path("api/failing/<str:how>", Failing.as_view()),
    path("api/people", People.as_view()),
    path("api/people-for-ever", PeopleForEver.as_view()),
    path("api/crash", crash),
    *product,
]
