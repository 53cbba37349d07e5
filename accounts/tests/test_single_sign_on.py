"""Single sign-on against a real user pool of the simulated Cognito: the browser's flow, roles from groups, and API calls."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import boto3
import jwt
import pytest
import time_machine
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from rest_framework.test import APIClient

from accounts import issuers
from accounts.models import User
from accounts.rules import group_roles
from accounts.services import people
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.environment import SingleSignOn
from cloudconsole.simulator.process import SimulatorHandle

PASSWORD = "Correct-horse-1"
CALLBACK = "http://testserver/sign-in/with/cognito/callback"
pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Pool:
    """A user pool with one app client, and its administrator's door."""

    admin: Any
    pool_id: str
    client_id: str

    def add(self, username: str, *groups: str, email: str = "") -> None:
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}] if email else []
        self.admin.admin_create_user(UserPoolId=self.pool_id, Username=username, UserAttributes=attributes)
        self.admin.admin_set_user_password(UserPoolId=self.pool_id, Username=username, Password=PASSWORD, Permanent=True)
        for group in groups:
            self.join(username, group)

    def join(self, username: str, group: str) -> None:
        known = {found["GroupName"] for found in self.admin.list_groups(UserPoolId=self.pool_id)["Groups"]}
        if group not in known:
            self.admin.create_group(GroupName=group, UserPoolId=self.pool_id)
        self.admin.admin_add_user_to_group(UserPoolId=self.pool_id, Username=username, GroupName=group)

    def leave(self, username: str, group: str) -> None:
        self.admin.admin_remove_user_from_group(UserPoolId=self.pool_id, Username=username, GroupName=group)

    def tokens(self, username: str, client_id: str = "") -> dict[str, str]:
        """Access and ID token as AdminInitiateAuth gives them."""
        given = self.admin.admin_initiate_auth(
            UserPoolId=self.pool_id,
            ClientId=client_id or self.client_id,
            AuthFlow="ADMIN_NO_SRP_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": PASSWORD},
        )
        return {"access": given["AuthenticationResult"]["AccessToken"], "id": given["AuthenticationResult"]["IdToken"]}


@pytest.fixture
def pool(simulator: SimulatorHandle, settings: Any) -> Iterator[Pool]:
    hub = simulator.key("hub")
    client: Any = boto3.client(
        "cognito-idp",
        region_name="eu-central-1",
        endpoint_url=simulator.url,
        aws_access_key_id=hub.access_key_id,
        aws_secret_access_key=hub.secret_access_key,
    )
    pool_id = client.create_user_pool(PoolName="people")["UserPool"]["Id"]
    made = client.create_user_pool_client(UserPoolId=pool_id, ClientName="console", CallbackURLs=[CALLBACK])
    client_id = made["UserPoolClient"]["ClientId"]
    group_roles = (("cloud-admins", "admin"), ("cloud-ops", "operator"), ("cloud-readers", "viewer"))
    settings.SINGLE_SIGN_ON = SingleSignOn(pool_id=pool_id, pool_client_id=client_id, group_roles=group_roles, max_role="admin")
    issuers.forget_keys()
    yield Pool(client, pool_id, client_id)
    client.close()
    issuers.forget_keys()


class Browser:
    """A person with a browser: ours through Django's client, Cognito's pages over HTTP."""

    def __init__(self) -> None:
        self.client = Client()

    def start(self) -> str:
        """The address at Cognito that our sign-in page leads to."""
        page = self.client.get("/sign-in").content.decode()
        link = re.search(r'href="(/sign-in/with/cognito[^"]*)"', page)
        assert link is not None, page
        return str(self.client.get(link[1]).headers["Location"])

    def approve(self, address: str, username: str, password: str = PASSWORD) -> str:
        """Where Cognito sends the browser back to."""
        status, headers = post(address, {"username": username, "password": password})
        assert status == 302, status
        return headers["Location"]

    def finish(self, back: str) -> Any:
        parts = urlsplit(back)
        return self.client.get(f"{parts.path}?{parts.query}")

    def sign_in(self, username: str) -> Any:
        return self.finish(self.approve(self.start(), username))

    @property
    def user(self) -> User | None:
        return User.objects.filter(pk=self.client.session.get("_auth_user_id", 0)).first()


def post(address: str, form: dict[str, str]) -> tuple[int, dict[str, str]]:
    parts = urlsplit(address)
    connection = HTTPConnection(str(parts.hostname), parts.port)
    body, kind = urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"{parts.path}?{parts.query}", body, kind)
    answer = connection.getresponse()
    found = {**dict(answer.getheaders()), "body": answer.read().decode()}
    connection.close()
    return answer.status, found


def with_query(address: str, **changes: str) -> str:
    parts = urlsplit(address)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return parts._replace(query=urlencode({**query, **changes})).geturl()


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_person_signs_in_through_cognito_with_the_role_of_their_group(pool: Pool) -> None:
    pool.add("ada", "cloud-ops", email="ada@example.com")
    browser = Browser()
    answer = browser.sign_in("ada")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    user = browser.user
    assert user is not None
    assert (user.username, user.email, user.role, user.has_usable_password()) == ("ada", "ada@example.com", "operator", False)
    assert {"session.signed_in", "user.created"} <= set(AuditEvent.objects.values_list("action", flat=True))


def test_a_person_with_a_second_factor_here_is_asked_for_it_after_the_provider(pool: Pool) -> None:
    pool.add("ada", "cloud-ops")
    Browser().sign_in("ada")
    TOTP.activate(User.objects.get(username="ada"), "JBSWY3DPEHPK3PXP")
    browser = Browser()
    assert browser.sign_in("ada").headers["Location"] == "/sign-in/code"
    assert browser.user is None
    assert browser.client.post("/sign-in/code", {"code": "000000"}).status_code == 200
    assert browser.user is None
    code = format_hotp_value(hotp_value("JBSWY3DPEHPK3PXP", int(time.time()) // 30))
    assert browser.client.post("/sign-in/code", {"code": code}).headers["Location"] == "/"
    assert browser.user is not None


def test_the_request_carries_state_nonce_and_pkce(pool: Pool) -> None:
    asked = parse_qs(urlsplit(Browser().start()).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [CALLBACK]
    assert all(len(asked[name][0]) >= 16 for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize("changed", ["state", "nonce", "code_challenge"])
def test_an_answer_to_another_request_lets_nobody_in(pool: Pool, changed: str) -> None:
    pool.add("ada", "cloud-ops")
    browser = Browser()
    back = browser.approve(with_query(browser.start(), **{changed: "x" * 43}), "ada")
    answer = browser.finish(back)
    assert answer.headers["Location"] == "/sign-in"
    assert browser.user is None
    assert not User.objects.exists()
    assert 'class="message error"' in browser.client.get("/sign-in").content.decode()


def test_a_code_works_once_and_in_the_browser_that_asked(pool: Pool) -> None:
    pool.add("ada", "cloud-ops")
    browser, thief = Browser(), Browser()
    back = browser.approve(browser.start(), "ada")
    thief.finish(back)
    assert thief.user is None
    browser.finish(back)
    assert browser.user is not None
    again = Browser()
    again.finish(back)
    assert again.user is None


def test_the_role_follows_the_groups_at_each_sign_in_and_is_audited(pool: Pool, admin: User) -> None:
    pool.add("ada", "cloud-ops")
    Browser().sign_in("ada")
    pool.join("ada", "cloud-admins")
    _age_of("ada")
    Browser().sign_in("ada")
    assert User.objects.get(username="ada").role == "admin"
    pool.leave("ada", "cloud-admins")
    pool.leave("ada", "cloud-ops")
    _age_of("ada")
    Browser().sign_in("ada")
    assert User.objects.get(username="ada").role == "viewer"
    told = list(AuditEvent.objects.filter(action="user.role_followed").order_by("pk").values_list("detail", flat=True))
    assert [detail["to"] for detail in told] == ["admin", "viewer"]


def test_no_group_lifts_anybody_above_what_the_setting_allows(pool: Pool, settings: Any) -> None:
    settings.SINGLE_SIGN_ON = replace(settings.SINGLE_SIGN_ON, max_role="viewer")
    pool.add("ada", "cloud-admins")
    Browser().sign_in("ada")
    assert User.objects.get(username="ada").role == "viewer"


def test_the_last_admin_stays_admin_whatever_the_groups_say(pool: Pool) -> None:
    pool.add("ada", "cloud-admins")
    Browser().sign_in("ada")
    pool.leave("ada", "cloud-admins")
    _age_of("ada")
    Browser().sign_in("ada")
    assert User.objects.get(username="ada").role == "admin"
    assert AuditEvent.objects.filter(action="user.role_kept").count() == 1


def test_people_without_a_group_are_refused_where_the_setting_says_so(pool: Pool, settings: Any) -> None:
    settings.SINGLE_SIGN_ON = replace(settings.SINGLE_SIGN_ON, default_role="none")
    pool.add("eve")
    browser = Browser()
    browser.sign_in("eve")
    assert browser.user is None
    assert "None of your groups" in browser.client.get("/sign-in").content.decode()
    assert AuditEvent.objects.filter(action="session.single_sign_on_refused", subject="eve").exists()


@pytest.mark.parametrize("step", ["", "/callback"])
def test_a_provider_that_is_away_is_said_on_the_sign_in_page(settings: Any, step: str) -> None:
    settings.SINGLE_SIGN_ON = SingleSignOn(issuer="http://127.0.0.1:9", client_id="console")
    browser = Client()
    answer = browser.get(f"/sign-in/with/oidc{step}?code=x&state=y")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")
    assert 'class="message error"' in browser.get("/sign-in").content.decode()
    assert browser.get("/sign-in/with/nobody").status_code == 404


def test_a_name_that_somebody_has_here_makes_nobody_that_person(pool: Pool, admin: User) -> None:
    pool.add("admin", "cloud-readers", email=admin.email)
    browser = Browser()
    browser.sign_in("admin")
    assert browser.user is not None
    assert (browser.user.username, browser.user.email, browser.user.role) == ("admin-2", "", "viewer")


def test_a_deactivated_person_does_not_come_in_again(pool: Pool, admin: User) -> None:
    pool.add("ada", "cloud-ops")
    token = pool.tokens("ada")["access"]
    assert bearer(token).get("/api/auth/me").status_code == 200
    people.deactivate(user=User.objects.get(username="ada"), by=admin)
    browser = Browser()
    browser.sign_in("ada")
    assert browser.user is None
    assert bearer(token).get("/api/auth/me").status_code == 401


@pytest.mark.parametrize("use", ["access", "id"])
def test_the_api_takes_tokens_that_cognito_issued(pool: Pool, use: str) -> None:
    pool.add("ada", "cloud-ops")
    answer = bearer(pool.tokens("ada")[use]).get("/api/auth/me")
    assert (answer.status_code, answer.json()["username"], answer.json()["role"]) == (200, "ada", "operator")


def test_a_token_of_another_app_client_is_refused(pool: Pool) -> None:
    pool.add("ada", "cloud-ops")
    other = pool.admin.create_user_pool_client(UserPoolId=pool.pool_id, ClientName="other")["UserPoolClient"]["ClientId"]
    for token in pool.tokens("ada", other).values():
        assert bearer(token).get("/api/auth/me").status_code == 401


def test_a_token_that_has_expired_is_refused(pool: Pool) -> None:
    pool.add("ada", "cloud-ops")
    token = pool.tokens("ada")["access"]
    assert bearer(token).get("/api/auth/me").status_code == 200
    expires = jwt.decode(token, options={"verify_signature": False})["exp"]
    with time_machine.travel(expires + 60, tick=False):
        assert bearer(token).get("/api/auth/me").status_code == 401


FORGERIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "another key": lambda claims: claims,
    "another use": lambda claims: {**claims, "token_use": "refresh"},
    "another issuer": lambda claims: {**claims, "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_other"},
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none"])
def test_a_forged_token_is_refused_whatever_its_algorithm(pool: Pool, name: str, algorithm: str) -> None:
    pool.add("ada", "cloud-ops")
    claims = FORGERIES[name](jwt.decode(pool.tokens("ada")["access"], options={"verify_signature": False}))
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key: Any = {"RS256": private, "HS256": "x" * 32, "none": None}[algorithm]
    token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "dummy"})
    assert bearer(token).get("/api/auth/me").status_code == 401
    assert not User.objects.exists()


def test_the_highest_group_counts_and_never_more_than_the_ceiling() -> None:
    mapping = (("a", "admin"), ("o", "operator"))
    assert group_roles.role_of_groups({"o", "a"}, mapping, "viewer", Role.ADMIN) == Role.ADMIN
    assert group_roles.role_of_groups({"o", "a"}, mapping, "viewer", Role.OPERATOR) == Role.OPERATOR
    assert group_roles.role_of_groups({"x"}, mapping, "viewer", Role.ADMIN) == Role.VIEWER
    assert group_roles.role_of_groups({"x"}, mapping, "none", Role.ADMIN) is None


def _age_of(username: str) -> None:
    """The last sign-in was a while ago: tokens count by whole seconds."""
    SocialAccount.objects.filter(user__username=username).update(extra_data={"followed": 1})
