"""/api/accounts: AWS accounts, their credentials (write-only), and what those allow."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.filters import SearchFilter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.models import AuthMethod, AwsAccount, Environment
from accounts.permissions import declared
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import hanging
from accounts.services import aws_accounts, inputs, policies, verification
from cloudconsole.api import parameters
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.aws.policy import BY_DEFAULT, CAPABILITIES
from cloudconsole.core.permissions import Perm

_CREDENTIAL_FIELDS = ("auth_method", "access_key_id", "secret_access_key", "session_token", "role_arn", "hub")
_ORDERINGS = ("alias", "account_id", "environment", "status", "verified_at", "created_at")
_EXAMPLE = OpenApiExample(
    "A role assumed from another account",
    {
        "alias": "production",
        "auth_method": "assume_role",
        "role_arn": "arn:aws:iam::411111111111:role/Cloudconsole",
        "hub": "1",
        "environment": "production",
        "verify": False,
    },
    request_only=True,
)


class AccountSerializer(serializers.ModelSerializer[AwsAccount]):
    disconnected_at = serializers.DateTimeField(source="deleted_at", read_only=True, allow_null=True)

    class Meta:
        model = AwsAccount
        fields = [
            "id", "alias", "account_id", "auth_method", "access_key_hint", "role_arn", "hub", "external_id", "regions",
            "environment", "capabilities", "status", "status_code", "status_detail", "status_remedy", "verified_at",
            "credentials_expire_at", "key_created_at", "enabled_regions", "regions_observed_at", "created_at",
            "disconnected_at",
        ]  # fmt: skip
        read_only_fields = fields


class _SecretField(serializers.CharField):
    """Goes in, never comes out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(write_only=True, required=False, allow_blank=True, style={"input_type": "password"}, **options)


class _AccountFields(serializers.Serializer[Any]):
    auth_method = ChoiceField(choices=AuthMethod.choices, required=False)
    access_key_id = _SecretField(max_length=128)
    secret_access_key = _SecretField(max_length=1024)
    session_token = _SecretField(max_length=8192)
    expires_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        write_only=True,
        help_text="When a session token expires: AWS does not tell, and its end is announced before.",
    )
    role_arn = serializers.CharField(max_length=2048, required=False, allow_blank=True)
    hub = serializers.CharField(
        max_length=64,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Id, alias or number of the account that assumes the role; empty: the credentials of the host.",
    )
    regions = serializers.ListField(child=serializers.CharField(max_length=32), required=False, max_length=64)
    capabilities = serializers.ListField(child=ChoiceField(choices=list(CAPABILITIES)), required=False)
    environment = ChoiceField(choices=Environment.choices, required=False)


class NewAccountSerializer(_AccountFields):
    alias = serializers.CharField(max_length=63)
    auth_method = ChoiceField(choices=AuthMethod.choices)
    account_id = serializers.CharField(
        max_length=14, required=False, default="", allow_blank=True, help_text="The number you expect; another one is refused."
    )
    verify = serializers.BooleanField(default=True, write_only=True, help_text="false stores the account as `pending`.")


class AccountChangesSerializer(_AccountFields):
    alias = serializers.CharField(max_length=63, required=False)


class DeletionSerializer(serializers.Serializer[Any]):
    confirm = serializers.CharField(max_length=63, help_text="The alias of the account.")


class FindingSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    actions = serializers.ListField(child=serializers.CharField())
    code = serializers.CharField(source="aws_code")
    detail = serializers.CharField()
    remedy = serializers.CharField()


class VerificationSerializer(serializers.Serializer[verification.Verification]):
    status = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    remedy = serializers.CharField()
    aws_code = serializers.CharField(help_text="AWS's own code where the credentials were refused, else empty.")
    aws_message = serializers.CharField(help_text="AWS's own words, without secrets.")
    account_id = serializers.CharField(source="identity.account_id", default=None, allow_null=True)
    arn = serializers.CharField(source="identity.arn", default=None, allow_null=True)
    external_id_enforced = serializers.BooleanField(
        allow_null=True, help_text="Whether the role refuses callers without its external id; null where there is no role."
    )
    capabilities = serializers.SerializerMethodField()

    @extend_schema(responses=serializers.DictField(child=FindingSerializer()))
    def get_capabilities(self, result: verification.Verification) -> dict[str, Any]:
        return {finding.capability: FindingSerializer(finding).data for finding in result.findings}


class AccountFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = AwsAccount
        fields = ["status", "environment", "auth_method"]


class Accounts(ListApiView):
    permission = {"GET": Perm.ACCOUNTS_VIEW, "POST": Perm.ACCOUNTS_MANAGE}
    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    filter_backends = [filters.DjangoFilterBackend, SearchFilter]
    search_fields = ["alias", "account_id"]
    queryset = AwsAccount.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[AwsAccount]:
        reader = person(self.request)
        gone = "true" in parameters.choices(self.request, "disconnected", ("true", "false"))
        found = hanging.disconnected(reader) if gone else selectors.visible(reader)
        return found.order_by(*parameters.ordering(self.request, _ORDERINGS, "alias"), "pk")

    @extend_schema(
        tags=["accounts"],
        parameters=[
            OpenApiParameter("ordering", str, description="Fields, minus for descending."),
            OpenApiParameter(
                "disconnected", bool, description="true: accounts that are disconnected and not purged; for admins."
            ),
        ],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The AWS accounts you may see."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewAccountSerializer, responses={201: AccountSerializer}, examples=[_EXAMPLE], tags=["accounts"])
    def post(self, request: Request) -> Response:
        """Connect an account. Its credentials are proven with STS first; 424 with AWS's code when they are refused."""
        given = valid(NewAccountSerializer, request)
        prove = given["verify"] and request.query_params.get("verify", "").lower() not in ("false", "0")
        create = aws_accounts.create if prove else aws_accounts.create_unproven
        account = create(new=_new(given), by=person(request))
        return Response(AccountSerializer(account).data, status=status.HTTP_201_CREATED)


class AccountView(ApiView):
    """One account; its lookup says 404 to those who may not see it and 403 to those who may only see it."""

    object_decides = True

    def account(self, account_id: str) -> AwsAccount:
        """Raises AccountNotFound or NotAllowedHere by the permission declared for this method."""
        needed = declared(self, self.request.method or "") or Perm.ACCOUNTS_MANAGE
        return selectors.get_for(person(self.request), account_id, needed)


class Account(AccountView):
    permission = {"GET": Perm.ACCOUNTS_VIEW, "PATCH": Perm.ACCOUNTS_MANAGE, "DELETE": Perm.ACCOUNTS_MANAGE}

    @extend_schema(responses=AccountSerializer, tags=["accounts"])
    def get(self, request: Request, account_id: str) -> Response:
        """One account, by id, alias or 12-digit number."""
        return Response(AccountSerializer(self.account(account_id)).data)

    @extend_schema(request=AccountChangesSerializer, responses=AccountSerializer, tags=["accounts"])
    def patch(self, request: Request, account_id: str) -> Response:
        """Change an account. New credentials replace the old only after AWS accepted them."""
        account = self.account(account_id)
        changes = _changes(account, valid(AccountChangesSerializer, request))
        return Response(AccountSerializer(aws_accounts.change(account=account, changes=changes, by=person(request))).data)

    @extend_schema(
        parameters=[OpenApiParameter("confirm", str, description="The alias of the account; may come in the body instead.")],
        responses={204: None},
        tags=["accounts"],
    )
    def delete(self, request: Request, account_id: str) -> Response:
        """Disconnect an account: its credentials are destroyed, its history stays. 409 `hub_in_use`."""
        account = self.account(account_id)
        confirm = request.query_params.get("confirm") or valid(DeletionSerializer, request)["confirm"]
        aws_accounts.delete(account=account, confirm=confirm, by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class Verify(AccountView):
    permission = Perm.ACCOUNTS_VERIFY

    @extend_schema(request=None, responses=VerificationSerializer, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """Ask AWS who the credentials are and what they allow. What fails is in the answer, with its remedy."""
        result = verification.verify(account=self.account(account_id), actor=person(request))
        return Response(VerificationSerializer(result).data)


class Policy(AccountView):
    permission = Perm.ACCOUNTS_VIEW

    @extend_schema(
        parameters=[OpenApiParameter("capabilities", str, many=True, description="Instead of those switched on; repeatable.")],
        responses=dict[str, Any],
        tags=["accounts"],
    )
    def get(self, request: Request, account_id: str) -> Response:
        """The least IAM policy for the capabilities switched on, or for those named by `capabilities`.

        For an account that assumes roles in others it allows `sts:AssumeRole` on those roles too.
        """
        account, named = self.account(account_id), request.query_params.getlist("capabilities")
        wanted = inputs.capability_names(named) if named else None
        return Response(policies.permissions_policy(account=account, actor=person(request), capabilities=wanted))


class TrustPolicy(AccountView):
    permission = Perm.ACCOUNTS_VIEW

    @extend_schema(responses=dict[str, Any], tags=["accounts"])
    def get(self, request: Request, account_id: str) -> Response:
        """Who may assume the role, and only with this account's external id. 409 `no_role` for other accounts."""
        return Response(policies.trust_policy(account=self.account(account_id), actor=person(request)))


class CloudFormation(AccountView):
    permission = Perm.ACCOUNTS_VIEW

    @extend_schema(responses=dict[str, Any], tags=["accounts"])
    def get(self, request: Request, account_id: str) -> Response:
        """A CloudFormation template that creates the role, its trust in who assumes it, and its least policy. 409 `no_role`.

        The header `Link` has the address of AWS's console that takes it, with relation `create-form`.
        """
        stack = policies.stack(account=self.account(account_id), actor=person(request))
        return Response(stack.template, headers={"Link": f'<{stack.url}>; rel="create-form"'})


def _new(given: dict[str, Any]) -> inputs.NewAccount:
    return inputs.NewAccount(
        alias=given["alias"],
        credentials=_credentials(given),
        environment=given.get("environment", Environment.DEVELOPMENT),
        regions=given.get("regions", ()),
        capabilities=given.get("capabilities", BY_DEFAULT),
        expected_account_id=given["account_id"],
    )


def _changes(account: AwsAccount, given: dict[str, Any]) -> inputs.AccountChanges:
    return inputs.AccountChanges(
        alias=given.get("alias"),
        environment=given.get("environment"),
        regions=given.get("regions"),
        capabilities=given.get("capabilities"),
        credentials=_credentials(_completed(account, given)) if any(name in given for name in _CREDENTIAL_FIELDS) else None,
    )


def _completed(account: AwsAccount, given: dict[str, Any]) -> dict[str, Any]:
    """What a PATCH leaves out about a role stays as it is; keys are always given whole."""
    kept: dict[str, Any] = {"auth_method": account.auth_method}
    if given.get("auth_method", account.auth_method) == AuthMethod.ASSUME_ROLE == account.auth_method:
        kept |= {"role_arn": account.role_arn, "hub": account.hub_id}
    return {**kept, **given}


def _credentials(given: dict[str, Any]) -> inputs.CredentialInput:
    texts = {name: str(given.get(name) or "") for name in _CREDENTIAL_FIELDS}
    return inputs.credential_input(**texts, expires_at=given.get("expires_at"))
