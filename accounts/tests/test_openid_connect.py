"""Signing in through any OpenID Connect provider, and proving there once more that it is oneself: a browser's whole way."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from accounts.models import User
from accounts.tests.provider import CLIENT_ID, CLIENT_SECRET, Provider
from audit.models import AuditEvent
from cloudconsole.environment import SingleSignOn

pytestmark = pytest.mark.django_db
GROUP_ROLES = (("cloud-admins", "admin"), ("cloud-ops", "operator"))
CONFIRM = "/settings/confirm/provider"


@pytest.fixture(autouse=True)
def _configured(provider: Provider, settings: Any) -> None:
    settings.SINGLE_SIGN_ON = SingleSignOn(
        issuer=provider.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        name="Company login",
        group_roles=GROUP_ROLES,
        default_role="viewer",
        max_role="admin",
    )


class Browser:
    """A person's browser: ours through Django's client; `provider.approve` is what they do at the provider."""

    def __init__(self, provider: Provider) -> None:
        self.provider, self.client = provider, Client()

    def start(self, query: str = "") -> str:
        assert f'<a class="button wide" href="/sign-in/with/oidc{query}">' in self.page("/sign-in") or query
        return str(self.client.get(f"/sign-in/with/oidc{query}").headers["Location"])

    def page(self, path: str) -> str:
        return self.client.get(path).content.decode()

    def come_back(self, address: str) -> str:
        """Where we send the browser that the provider sends to `address`."""
        parts = urlsplit(address)
        assert parts.path == "/sign-in/with/oidc/callback"
        return str(self.client.get(f"{parts.path}?{parts.query}").headers["Location"])

    def sign_in(self, sub: str = "ada", **claims: Any) -> str:
        return self.come_back(self.provider.approve(self.start(), sub, **claims))

    @property
    def user(self) -> User | None:
        return User.objects.filter(pk=self.client.session.get("_auth_user_id", 0)).first()


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return Browser(provider)


def test_a_person_signs_in_with_the_role_of_their_highest_group(browser: Browser) -> None:
    claims = {"preferred_username": "ada", "email": "Ada@Example.com", "email_verified": True}
    assert browser.sign_in("248289761001", groups=["cloud-ops", "else"], **claims) == "/"
    assert browser.user is not None
    assert (browser.user.username, browser.user.email, browser.user.role) == ("ada", "ada@example.com", "operator")
    assert {"session.signed_in", "user.created"} <= set(AuditEvent.objects.values_list("action", flat=True))


def test_state_nonce_and_pkce_are_new_for_each_request(browser: Browser) -> None:
    requests = [parse_qs(urlsplit(browser.start()).query) for _ in range(2)]
    for name in ("state", "nonce", "code_challenge"):
        values = [asked[name][0] for asked in requests]
        assert min(map(len, values)) >= 16
        assert values[0] != values[1]
    assert {asked["redirect_uri"][0] for asked in requests} == {"http://testserver/sign-in/with/oidc/callback"}


def test_people_whose_name_there_is_an_address_get_a_name_here(browser: Browser) -> None:
    browser.sign_in("1", preferred_username="ada@example.com")
    other = Browser(browser.provider)
    other.sign_in("2", email="ada@example.org", email_verified=True)
    assert (browser.user and browser.user.username, other.user and other.user.username) == ("ada", "ada-2")


def test_an_address_that_is_not_verified_there_is_not_taken(browser: Browser) -> None:
    browser.sign_in(email="ceo@example.com", email_verified=False)
    assert browser.user is not None
    assert browser.user.email == ""


def other_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


SPOILT: dict[str, Callable[[Provider, dict[str, Any]], str]] = {
    "signed by another key": lambda provider, claims: jwt.encode(
        jwt.decode(provider.token("first", **claims), options={"verify_signature": False}),
        other_key(),
        algorithm="RS256",
        headers={"kid": "first"},
    ),
    "signed with the client secret": lambda provider, claims: jwt.encode(
        jwt.decode(provider.token("first", **claims), options={"verify_signature": False}),
        CLIENT_SECRET,
        algorithm="HS256",
        headers={"kid": "first"},
    ),
    "not signed": lambda provider, claims: jwt.encode(
        jwt.decode(provider.token("first", **claims), options={"verify_signature": False}),
        "",
        algorithm="none",
        headers={"kid": "first"},
    ),
    "of another issuer": lambda provider, claims: provider.token("first", **claims, iss="https://login.example.com"),
    "for another application": lambda provider, claims: provider.token("first", **claims, aud="another"),
    "with another nonce": lambda provider, claims: provider.token("first", **{**claims, "nonce": "another"}),
    "without a nonce": lambda provider, claims: provider.token("first", **{**claims, "nonce": None}),
    "that has expired": lambda provider, claims: provider.token("first", **claims, exp=int(time.time()) - 3600),
    "that says nobody": lambda provider, claims: provider.token("first", **{**claims, "sub": None}),
    "that is none": lambda provider, claims: "",
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_token_lets_nobody_in(browser: Browser, name: str) -> None:
    browser.provider.spoil = lambda claims: SPOILT[name](browser.provider, claims)
    assert browser.sign_in(groups=["cloud-admins"]) == "/sign-in"
    assert browser.user is None
    assert not User.objects.exists()
    assert "was not accepted" in browser.page("/sign-in")


def test_an_answer_to_another_browser_or_another_request_lets_nobody_in(browser: Browser) -> None:
    other = Browser(browser.provider)
    back = browser.provider.approve(browser.start(), "ada")
    assert other.come_back(back) == "/sign-in"
    assert other.user is None
    assert browser.come_back(back.replace("state=", "state=x")) == "/sign-in"
    assert browser.user is None


def test_a_code_that_somebody_else_caught_is_worth_nothing_without_the_verifier(browser: Browser) -> None:
    """The thief puts the caught code into an answer to a request of their own."""
    thief = Browser(browser.provider)
    code = parse_qs(urlsplit(browser.provider.approve(browser.start(), "ada")).query)["code"][0]
    state = parse_qs(urlsplit(thief.start()).query)["state"][0]
    assert thief.come_back(f"http://testserver/sign-in/with/oidc/callback?code={code}&state={state}") == "/sign-in"
    assert browser.provider.refused == ["invalid_grant"]
    assert thief.user is None


def test_the_browsers_address_does_not_choose_what_the_provider_is_asked_for(browser: Browser) -> None:
    address = browser.start("?process=connect&auth_params=prompt%3Dnone&scope=everything")
    asked = parse_qs(urlsplit(address).query)
    assert (set(asked["scope"][0].split()), asked.get("prompt")) == ({"openid", "profile", "email"}, None)
    assert browser.come_back(browser.provider.approve(address, "ada")) == "/"


def test_somebody_without_a_password_proves_who_they_are_at_the_provider(browser: Browser) -> None:
    browser.sign_in()
    guarded = browser.client.get("/settings/security/app")
    assert guarded.headers["Location"] == f"{CONFIRM}?next=%2Fsettings%2Fsecurity%2Fapp"
    assert browser.client.get("/settings/confirm").headers["Location"] == CONFIRM
    link = f"{CONFIRM}/oidc?next=/settings/security/app"
    assert f'href="{link}">Go on with Company login<' in browser.page(guarded.headers["Location"])
    address = str(browser.client.get(link).headers["Location"])
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert browser.come_back(browser.provider.approve(address, "ada")) == "/settings/security/app"
    assert browser.client.get("/settings/security/app").status_code == 200


def asked_again(browser: Browser) -> str:
    return str(browser.client.get(f"{CONFIRM}/oidc?next=/settings/security/app").headers["Location"])


def is_guarded(browser: Browser) -> bool:
    return browser.client.get("/settings/security/app").status_code == 302


def test_a_session_there_from_before_proves_nothing(browser: Browser) -> None:
    browser.sign_in()
    browser.provider.session_since = int(time.time()) - 3600
    browser.come_back(browser.provider.approve(asked_again(browser), "ada"))
    assert is_guarded(browser)
    assert "did not ask who you are once more" in browser.page(CONFIRM)


def test_a_provider_that_does_not_say_when_it_asked_proves_nothing(browser: Browser) -> None:
    browser.sign_in()
    browser.come_back(browser.provider.approve(asked_again(browser), "ada", auth_time=None))
    assert is_guarded(browser)


def test_somebody_else_at_the_provider_proves_nothing_and_is_not_signed_in(browser: Browser) -> None:
    browser.sign_in()
    browser.come_back(browser.provider.approve(asked_again(browser), "eve"))
    assert is_guarded(browser)
    assert browser.user is not None
    assert (browser.user.username, SocialAccount.objects.count()) == ("ada", 1)
    assert "Somebody else has signed in at Company login" in browser.page(CONFIRM)


def test_a_proof_wears_off(browser: Browser, settings: Any) -> None:
    browser.sign_in()
    browser.come_back(browser.provider.approve(asked_again(browser), "ada"))
    assert not is_guarded(browser)
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    assert is_guarded(browser)


def test_what_was_posted_without_a_proof_is_not_kept(browser: Browser) -> None:
    browser.sign_in()
    form = {"password1": "a-new-long-passphrase", "password2": "a-new-long-passphrase"}
    assert browser.client.post("/settings/password/set", form).headers["Location"].startswith(CONFIRM)
    assert "a-new-long-passphrase" not in str(dict(browser.client.session))
    assert browser.user is not None
    assert not browser.user.has_usable_password()


def test_whom_no_provider_knows_any_more_is_told_who_can_help(browser: Browser, settings: Any) -> None:
    browser.sign_in()
    settings.SINGLE_SIGN_ON = SingleSignOn()
    for path in ("/settings/confirm", "/settings/security/app"):
        answer = browser.client.get(path)
        assert answer.status_code == 409
        assert "Ask an admin for a link that sets a password" in answer.content.decode()
