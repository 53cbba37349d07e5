"""/api/accounts/{id}/discover, /import and /stack-set, /api/adoptions: an organization's accounts, adopted many at once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.aws_accounts import AccountView
from accounts.api.requests import person, valid
from accounts.models import Adoption, AdoptionBatch, Discovery, Environment
from accounts.selectors import organizations as selectors
from accounts.services import adoptions, discovery
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.aws.policy import BY_DEFAULT, CAPABILITIES
from cloudconsole.core.permissions import Perm


class MemberSerializer(serializers.Serializer[Any]):
    account_id = serializers.CharField(source="member.number")
    name = serializers.CharField(source="member.name")
    email = serializers.CharField(source="member.email")
    state = serializers.CharField(source="member.state")
    unit_path = serializers.CharField(source="member.unit_path", help_text="From the root down; empty where it is not known.")
    tags = serializers.DictField(
        source="member.tags", child=serializers.CharField(), allow_null=True, help_text="null where they could not be read."
    )
    external_id = serializers.CharField(source="member.external_id", help_text="For the trust policy, made before adoption.")
    connected = serializers.IntegerField(source="connected.pk", default=None, allow_null=True, help_text="Its id here.")


class GapSerializer(serializers.Serializer[Any]):
    part = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    remedy = serializers.CharField()


class DiscoverySerializer(serializers.ModelSerializer[Discovery]):
    gaps = GapSerializer(many=True)
    accounts = serializers.SerializerMethodField()

    class Meta:
        model = Discovery
        fields = ["organization_id", "management_number", "observed_at", "gaps", "accounts"]
        read_only_fields = fields

    @extend_schema(responses=MemberSerializer(many=True))
    def get_accounts(self, found: Discovery) -> list[dict[str, Any]]:
        return list(MemberSerializer(selectors.members_of(found), many=True).data)


class ImportSerializer(serializers.Serializer[Any]):
    accounts = serializers.ListField(child=serializers.CharField(max_length=14), min_length=1, max_length=10_000)
    role_name = serializers.CharField(max_length=577, default=adoptions.DEFAULT_ROLE)
    environment = ChoiceField(choices=Environment.choices, default=Environment.DEVELOPMENT)
    capabilities = serializers.ListField(child=ChoiceField(choices=list(CAPABILITIES)), default=list(BY_DEFAULT))


class AdoptionSerializer(serializers.ModelSerializer[Adoption]):
    account_id = serializers.CharField(source="number")
    account = serializers.IntegerField(source="account.pk", default=None, allow_null=True, help_text="Its id here.")

    class Meta:
        model = Adoption
        fields = [
            "account_id", "name", "alias", "status", "account", "error_code", "error_aws_code", "error_detail", "error_remedy",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class BatchSerializer(serializers.ModelSerializer[AdoptionBatch]):
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    connected = serializers.IntegerField()
    failed = serializers.IntegerField()
    adoptions = serializers.SerializerMethodField()

    class Meta:
        model = AdoptionBatch
        fields = [
            "id", "hub", "role_name", "environment", "capabilities", "created_at", "total", "done", "connected", "failed",
            "adoptions",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema(responses=AdoptionSerializer(many=True))
    def get_adoptions(self, batch: AdoptionBatch) -> list[dict[str, Any]]:
        return list(AdoptionSerializer(selectors.adoptions_of(batch), many=True).data)


class Discover(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(request=None, responses=DiscoverySerializer, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """Look at the organization from this account: its management account or a delegated administrator.

        409 `not_in_organization`; what could not be read beside the accounts themselves is in `gaps`.
        """
        found = discovery.discover(account=self.account(account_id), by=person(request))
        return Response(DiscoverySerializer(found).data)


class Import(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(request=ImportSerializer, responses={202: BatchSerializer}, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """Adopt the chosen accounts by the name of a role, in the background; `/api/adoptions/{id}` tells how each fared."""
        hub, given = self.account(account_id), valid(ImportSerializer, request)
        wish = adoptions.Wish(given["accounts"], given["role_name"], given["environment"], given["capabilities"])
        batch = adoptions.request(hub=hub, wish=wish, by=person(request))
        shown = selectors.batch_for(person(request), batch.pk)
        return Response(BatchSerializer(shown).data, status=status.HTTP_202_ACCEPTED)


class StackSet(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(
        parameters=[OpenApiParameter("role_name", str, description=f"Default: {adoptions.DEFAULT_ROLE}.")],
        responses=dict[str, Any],
        tags=["accounts"],
    )
    def get(self, request: Request, account_id: str) -> Response:
        """A CloudFormation template for a StackSet: the role in every account, each with the external id made for it."""
        role_name = request.query_params.get("role_name") or adoptions.DEFAULT_ROLE
        hub = self.account(account_id)
        return Response(adoptions.stack_set(hub=hub, role_name=role_name, by=person(request)))


class AdoptionDetail(ApiView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(responses=BatchSerializer, tags=["accounts"])
    def get(self, request: Request, batch_id: int) -> Response:
        """How each account of an adoption fared, the failed ones first."""
        return Response(BatchSerializer(selectors.batch_for(person(request), batch_id)).data)


class AdoptionRetry(ApiView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(request=None, responses={202: BatchSerializer}, tags=["accounts"])
    def post(self, request: Request, batch_id: int) -> Response:
        """Try the failed ones again."""
        adoptions.retry(batch=selectors.batch_for(person(request), batch_id), by=person(request))
        shown = selectors.batch_for(person(request), batch_id)
        return Response(BatchSerializer(shown).data, status=status.HTTP_202_ACCEPTED)
