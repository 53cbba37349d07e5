"""/api/users: people, their roles and their grants. For admins."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import PasswordField, person, valid
from accounts.models import Grant, User
from accounts.models.people import GRANTABLE_ROLES, ROLES
from accounts.selectors import aws_accounts as account_selectors
from accounts.selectors import people as selectors
from accounts.services import people
from cloudconsole.api import parameters
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm, Role

_ORDERINGS = ("username", "email", "role", "last_login", "date_joined")


class PersonSerializer(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "role", "is_active", "last_login", "date_joined"]
        read_only_fields = fields


class NewPersonSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254, required=False, default="", allow_blank=True)
    password = PasswordField(required=False, default="", allow_blank=True)
    role = ChoiceField(choices=ROLES, default=Role.VIEWER.value)


class PersonChangesSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, required=False, allow_blank=True)
    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    role = ChoiceField(choices=ROLES, required=False)
    is_active = serializers.BooleanField(required=False)


class GrantSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(
        source="account_id", allow_null=True, help_text="Id, alias or number of the AWS account; null: every account."
    )
    role = ChoiceField(choices=GRANTABLE_ROLES)

    def to_representation(self, instance: Grant) -> dict[str, Any]:
        return {"account": instance.account_id, "role": instance.role}


class PersonFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ["role", "is_active"]


class People(ListApiView):
    permission = Perm.PEOPLE_MANAGE
    serializer_class = PersonSerializer
    filterset_class = PersonFilter
    filter_backends = [filters.DjangoFilterBackend, SearchFilter]
    search_fields = ["username", "email", "first_name", "last_name"]
    queryset = User.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[User]:
        return selectors.visible(person(self.request)).order_by(*parameters.ordering(self.request, _ORDERINGS, "username"), "pk")

    @extend_schema(tags=["people"], parameters=[OpenApiParameter("ordering", str, description="Fields, minus for descending.")])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Everybody who may sign in, or could once."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewPersonSerializer, responses={201: PersonSerializer}, tags=["people"])
    def post(self, request: Request) -> Response:
        """Add a person."""
        given = valid(NewPersonSerializer, request)
        new = people.NewUser(given["username"], given["email"], given["password"], Role(given["role"]))
        user = people.create_user(new=new, by=person(request))
        return Response(PersonSerializer(user).data, status=status.HTTP_201_CREATED)


class Person(ApiView):
    permission = Perm.PEOPLE_MANAGE

    @extend_schema(responses=PersonSerializer, tags=["people"])
    def get(self, request: Request, user_id: int) -> Response:
        """One person."""
        return Response(PersonSerializer(selectors.get_for(person(request), user_id)).data)

    @extend_schema(request=PersonChangesSerializer, responses=PersonSerializer, tags=["people"])
    def patch(self, request: Request, user_id: int) -> Response:
        """Change the profile, the role, or whether the person may sign in. 409 `last_admin`."""
        user = selectors.get_for(person(request), user_id)
        given = valid(PersonChangesSerializer, request)
        user = people.change(user=user, changes=people.PersonChanges(**given), by=person(request))
        return Response(PersonSerializer(user).data)

    @extend_schema(responses={204: None}, tags=["people"])
    def delete(self, request: Request, user_id: int) -> Response:
        """Deactivate: what the person did stays theirs. 409 `last_admin`."""
        people.deactivate(user=selectors.get_for(person(request), user_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Grants(ApiView):
    permission = Perm.PEOPLE_MANAGE

    @extend_schema(responses=GrantSerializer(many=True), tags=["people"])
    def get(self, request: Request, user_id: int) -> Response:
        """What a person is granted, account by account."""
        grants = selectors.grants_of(selectors.get_for(person(request), user_id))
        return Response(GrantSerializer(grants, many=True).data)

    @extend_schema(request=GrantSerializer(many=True), responses=GrantSerializer(many=True), tags=["people"])
    def put(self, request: Request, user_id: int) -> Response:
        """Replace all of them."""
        by = person(request)
        user = selectors.get_for(by, user_id)
        given = valid(GrantSerializer, request, many=True)
        people.replace_grants(user=user, grants=[_grant(by, entry) for entry in given], by=by)
        return Response(GrantSerializer(selectors.grants_of(user), many=True).data)


def _grant(by: User, entry: dict[str, Any]) -> people.GrantInput:
    named = entry["account_id"]
    scope = [] if named is None else account_selectors.accounts_in_scope(by, Perm.ACCOUNTS_VIEW, [named])
    return people.GrantInput(scope[0].pk if scope else None, Role(entry["role"]))
