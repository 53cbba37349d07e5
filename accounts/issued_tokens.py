"""API calls with a token that Amazon Cognito issued, in place of one of ours."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import issuers
from accounts.issuers import TokenRefused
from accounts.models import User
from accounts.services import arrivals
from accounts.services.arrivals import Arrival, ArrivalRefused
from cloudconsole.core import requests


class IssuedTokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer <Cognito access or ID token>`. Tokens of other issuers are left to who comes next."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, None] | None:
        scheme, _, encoded = request.headers.get("Authorization", "").strip().partition(" ")
        issuer = issuers.of_token(encoded.strip()) if scheme.lower() == "bearer" and issuers.issuers() else None
        if issuer is None:
            return None
        try:
            claims = issuer.caller(encoded.strip())
            user = arrivals.arrive(arrival=Arrival.from_claims(issuer.slug, issuer.groups_claim, claims))
        except (TokenRefused, ArrivalRefused) as error:
            raise AuthenticationFailed("The token is not valid or has expired.", code="token_not_valid") from error
        requests.signed_in_by("oidc")
        return user, None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'
