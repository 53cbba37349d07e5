"""/api/auth: signing up, in and out, and oneself."""

from __future__ import annotations

from typing import Any, NoReturn

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.people import PersonSerializer
from accounts.api.requests import PasswordField, person, valid
from accounts.models import User
from accounts.selectors import people as selectors
from accounts.services import email_changes, people, sign_in, sign_up
from cloudconsole.api.throttles import AddressThrottle
from cloudconsole.api.views import ApiView
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm


class SignUpSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    email = serializers.EmailField(max_length=254)
    password = PasswordField()
    invitation = serializers.CharField(
        max_length=128, required=False, default="", write_only=True, help_text="What stands at the end of an invitation's link."
    )


class LoginSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=254, help_text="The user name or the e-mail address.")
    password = PasswordField()
    otp = serializers.CharField(
        max_length=32,
        required=False,
        default="",
        allow_blank=True,
        write_only=True,
        help_text="After 401 `mfa_required`: a code of the authenticator app, or a recovery code.",
    )


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = serializers.CharField(max_length=4096, write_only=True)


class TokenPairSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField(read_only=True)
    refresh_token = serializers.CharField(read_only=True, help_text="Works once; the answer to it brings the next.")
    token_type = serializers.CharField(read_only=True, default="Bearer")
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds that the access token lasts.")


class OwnGrantSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField(source="account_id", allow_null=True, help_text="null: every account")
    alias = serializers.CharField(source="account.alias", allow_null=True, default=None)
    role = serializers.CharField()


class MeSerializer(PersonSerializer):
    grants = serializers.SerializerMethodField()

    class Meta(PersonSerializer.Meta):
        fields = [*PersonSerializer.Meta.fields, "grants"]

    @extend_schema(responses=OwnGrantSerializer(many=True))
    def get_grants(self, user: User) -> list[dict[str, Any]]:
        return list(OwnGrantSerializer(selectors.grants_of(user), many=True).data)


class MeChangesSerializer(serializers.Serializer[Any]):
    """What people may change about themselves. The role is not among it."""

    email = serializers.EmailField(
        max_length=254,
        required=False,
        allow_blank=True,
        help_text="Takes `current_password`. Where e-mail is set up, it counts once the link that is sent to it has been opened.",
    )
    current_password = PasswordField(required=False, default="", allow_blank=True, help_text="Only to change the e-mail address.")
    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)


class _Door(ApiView):
    """Answers anybody, and looks at no other sign-in than what the body brings."""

    public = True
    authentication_classes = []
    throttle_classes = [AddressThrottle]

    def get_authenticate_header(self, request: Request) -> str:
        # Without an authenticator of its own a view would answer 403 where the contract says 401.
        return 'Bearer realm="api"'


class SignUp(_Door):
    @extend_schema(request=SignUpSerializer, responses={201: PersonSerializer}, tags=["identity"])
    def post(self, request: Request) -> Response:
        """Make oneself an account, where sign-up is open, or with an `invitation`; otherwise 403 `signup_closed`.

        Where e-mail is set up, `id` is null until the address is proven by the link in the mail.
        """
        given = valid(SignUpSerializer, request)
        new = people.NewUser(given["username"], given["email"], given["password"])
        user = sign_up.sign_up(request=request._request, new=new, invitation=given["invitation"])
        return Response(PersonSerializer(user).data, status=status.HTTP_201_CREATED)


class Login(_Door):
    @extend_schema(
        request=LoginSerializer,
        responses=TokenPairSerializer,
        tags=["identity"],
        examples=[OpenApiExample("By name", {"username": "ada", "password": "…"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """An access and a refresh token. 401 `invalid_credentials`, `mfa_required` (send again with `otp`) or
        `email_not_verified`; 429 after repeated failures.
        """
        given = valid(LoginSerializer, request)
        try:
            pair = sign_in.sign_in(
                request=request._request, login=given["username"], password=given["password"], otp=given["otp"]
            )
        except sign_in.LockedOut as error:
            raise Throttled(error.retry_after_s) from error
        except (sign_in.InvalidCredentials, sign_in.SecondFactorRequired, sign_in.EmailNotProven) as error:
            _unauthorized(error)
        return Response(TokenPairSerializer(pair).data)


class Refresh(_Door):
    throttle_classes = []  # a token of 256 random bits is not guessed

    @extend_schema(request=RefreshSerializer, responses=TokenPairSerializer, tags=["identity"])
    def post(self, request: Request) -> Response:
        """A new pair. The old refresh token is dead from then on; using it again ends every token of its owner."""
        try:
            pair = sign_in.refresh(refresh_token=valid(RefreshSerializer, request)["refresh_token"])
        except sign_in.InvalidRefreshToken as error:
            _unauthorized(error)
        return Response(TokenPairSerializer(pair).data)


class Logout(_Door):
    throttle_classes = []

    @extend_schema(request=RefreshSerializer, responses={204: None}, tags=["identity"])
    def post(self, request: Request) -> Response:
        """End a refresh token."""
        try:
            sign_in.sign_out(refresh_token=valid(RefreshSerializer, request)["refresh_token"])
        except sign_in.InvalidRefreshToken as error:
            _unauthorized(error)
        return Response(status=status.HTTP_204_NO_CONTENT)


class Me(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=MeSerializer, tags=["identity"])
    def get(self, request: Request) -> Response:
        """Own profile, role and grants."""
        return Response(MeSerializer(person(request)).data)

    @extend_schema(request=MeChangesSerializer, responses=MeSerializer, tags=["identity"])
    def patch(self, request: Request) -> Response:
        """Change one's own profile. Role and grants are an admin's to give.

        403 `proof_required` for another e-mail address without the right `current_password`; 429 after repeated failures.
        """
        given, user = valid(MeChangesSerializer, request), person(request)
        password, email = given.pop("current_password"), given.pop("email", user.email)
        if email.strip().lower() != user.email:
            self._change_email(request, user, email, password)
        user = people.change_profile(user=user, changes=people.PersonChanges(**given), by=user)
        return Response(MeSerializer(user).data)

    @staticmethod
    def _change_email(request: Request, user: User, email: str, password: str) -> None:
        try:
            email_changes.check_password(user=user, password=password, request=request._request)
        except sign_in.LockedOut as error:
            raise Throttled(wait=error.retry_after_s) from error
        email_changes.ask(user=user, email=email, request=request._request)


def _unauthorized(error: CloudconsoleError) -> NoReturn:
    raise AuthenticationFailed(error.detail, code=error.code) from error
