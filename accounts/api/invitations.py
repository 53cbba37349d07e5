"""/api/users/invitations: links that let somebody make themselves an account. For admins."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.models import Invitation
from accounts.models.people import ROLES
from accounts.selectors import invitations as selectors
from accounts.services import invitations as services
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm, Role


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    invited_by = serializers.CharField(source="invited_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "everywhere", "invited_by", "created_at", "expires_at"]
        read_only_fields = fields


class MadeInvitationSerializer(InvitationSerializer):
    link = serializers.CharField(read_only=True, help_text="Hand it over. It is shown now and never again.")

    class Meta(InvitationSerializer.Meta):
        fields = [*InvitationSerializer.Meta.fields, "link"]
        read_only_fields = fields


class NewInvitationSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField(
        max_length=254, required=False, default="", allow_blank=True, help_text="Only this address can then be used."
    )
    role = ChoiceField(choices=ROLES, default=Role.VIEWER.value)
    everywhere = serializers.BooleanField(default=False, help_text="Grants the role on every AWS account.")
    days = serializers.IntegerField(min_value=1, max_value=services.LONGEST_DAYS, default=services.DEFAULT_DAYS)


class Invitations(ListApiView):
    permission = Perm.PEOPLE_MANAGE
    serializer_class = InvitationSerializer
    queryset = Invitation.objects.none()  # for the OpenAPI document, which has no reader
    filter_backends = []

    def get_queryset(self) -> QuerySet[Invitation]:
        return selectors.open_ones(person(self.request))

    @extend_schema(tags=["people"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The invitations that still let somebody in."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewInvitationSerializer, responses={201: MadeInvitationSerializer}, tags=["people"])
    def post(self, request: Request) -> Response:
        """Invite somebody. The link works once; no mail is sent. 403 `signup_closed` where sign-up is closed."""
        given = valid(NewInvitationSerializer, request)
        made = services.invite(by=person(request), **{**given, "role": Role(given["role"])})
        link = request.build_absolute_uri(reverse("join", args=[made.key]))
        return Response({**InvitationSerializer(made.invitation).data, "link": link}, status=status.HTTP_201_CREATED)


class InvitationDetail(ApiView):
    permission = Perm.PEOPLE_MANAGE

    @extend_schema(responses={204: None}, tags=["people"])
    def delete(self, request: Request, invitation_id: int) -> Response:
        """Take an invitation back."""
        services.revoke(invitation=selectors.get_for(person(request), invitation_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
