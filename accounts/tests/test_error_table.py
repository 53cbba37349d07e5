"""Every cause that AWS has for refusing an account: produced by the simulated AWS, and read back with its meaning and its remedy
by the API, the page and the terminal alike."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.tests.conftest import Connect, key_fields
from cloudconsole.aws import codes
from cloudconsole.aws.readings import Reading
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
WHO = "User: arn:aws:iam::433333333333:user/x is not authorized to perform: sts:GetCallerIdentity"
OFTEN = 50  # more than any number of attempts

# AWS's code, its words, the code that programs get, and how it reads.
IDENTITY: tuple[tuple[str, str, str, Reading], ...] = (
    ("InvalidClientTokenId", "The security token included in the request is invalid.", "credentials_invalid", codes.UNKNOWN_KEY),
    (
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
        "credentials_invalid",
        codes.UNKNOWN_KEY,
    ),
    ("AuthFailure", "AWS was not able to validate the provided access credentials", "credentials_invalid", codes.UNKNOWN_KEY),
    ("SignatureDoesNotMatch", "The request signature we calculated does not match", "credentials_invalid", codes.WRONG_SECRET),
    ("InvalidToken", "The provided token is malformed or otherwise invalid.", "credentials_invalid", codes.INVALID_TOKEN),
    ("ExpiredToken", "The security token included in the request is expired", "credentials_expired", codes.EXPIRED),
    ("ExpiredTokenException", "The security token included in the request is expired", "credentials_expired", codes.EXPIRED),
    ("RequestExpired", "Request has expired.", "credentials_expired", codes.EXPIRED),  # while the clocks agree
    (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        "clock_skewed",
        codes.SKEWED,
    ),
    ("AccessDenied", "Access denied", "access_denied", codes.DENIED),
    ("AccessDeniedException", "Access denied", "access_denied", codes.DENIED),
    ("UnauthorizedOperation", "You are not authorized to perform this operation.", "access_denied", codes.DENIED),
    ("RegionDisabledException", "STS is not activated in this region for account", "region_disabled", codes.STS_REGION_OFF),
    ("OptInRequired", "You are not subscribed to this service.", "not_enabled", codes.NOT_SUBSCRIBED),
    ("SubscriptionRequiredException", "The AWS Access Key Id needs a subscription", "not_enabled", codes.NOT_SUBSCRIBED),
    ("PendingVerification", "Your account is currently being verified.", "not_enabled", codes.PENDING),
    ("Blocked", "This account is currently blocked.", "not_enabled", codes.BLOCKED),
    ("Throttling", "Rate exceeded", "throttled", codes.THROTTLED),
    ("ThrottlingException", "Rate exceeded", "throttled", codes.THROTTLED),
    ("RequestLimitExceeded", "Request limit exceeded.", "throttled", codes.THROTTLED),
    ("TooManyRequestsException", "Too many requests", "throttled", codes.THROTTLED),
    ("EC2ThrottledException", "Rate exceeded", "throttled", codes.THROTTLED),
    ("SlowDown", "Please reduce your request rate.", "throttled", codes.THROTTLED),
    ("InternalFailure", "An internal error occurred.", "internal", codes.BROKEN),
    ("ServiceUnavailable", "The request has failed due to a temporary failure of the server.", "internal", codes.BROKEN),
)


def produced(simulator: SimulatorHandle, code: str, message: str, service: str = "sts", operation: str | None = None) -> None:
    status = 403 if service == "sts" else 400
    fault = Fault(service, FaultKind.CODE, operation=operation, times=OFTEN, code=code, message=message, status=status)
    simulator.add_faults(fault)


def on_the_page(admin: User, account_pk: int) -> str:
    browser = Client()
    browser.force_login(admin)
    return " ".join(unescape(browser.get(f"/accounts/{account_pk}").content.decode()).split())


def in_the_terminal(alias: str) -> str:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("validate_credentials", alias, stdout=out, no_color=True)
    return out.getvalue()


@pytest.mark.parametrize(
    ("code", "message", "public", "reading"), IDENTITY, ids=lambda given: given if isinstance(given, str) else ""
)
def test_a_cause_is_told_by_every_door_with_its_remedy(
    code: str,
    message: str,
    public: str,
    reading: Reading,
    connect: Connect,
    admin: User,
    api: Api,
    simulator: SimulatorHandle,
) -> None:
    account = connect("development")
    produced(simulator, code, message, operation="GetCallerIdentity")
    told = api(admin).post(f"/api/accounts/{account.pk}/verify").json()
    assert (told["status"], told["code"], told["remedy"]) == ("error", f"aws_{public}", reading.remedy)
    assert reading.meaning in told["detail"]
    assert (told["aws_code"], told["aws_message"]) == (code, message)
    page, terminal = on_the_page(admin, account.pk), in_the_terminal(account.alias)
    for text in (page, terminal):
        assert code in text
        assert reading.remedy in text
    body = {"alias": "again", "auth_method": "access_key", **key_fields(simulator.key("sandbox"))}
    refused = api(admin).post("/api/accounts", body)
    assert refused.status_code in (400, 424, 429, 502, 503)
    assert (refused.json()["aws"]["code"], refused.json()["remedy"]) == (code, reading.remedy)


DENIALS = (
    ("because no identity-based policy allows the sts:GetCallerIdentity action", "Attach the generated IAM policy"),
    ("with an explicit deny in an identity-based policy", "Remove the Deny statement"),
    ("with an explicit deny in a service control policy", "Ask the administrators of the organization"),
    ("with an explicit deny in a resource control policy", "Ask the administrators of the organization"),
    ("because no permissions boundary allows the sts:GetCallerIdentity action", "Add the action to the permissions boundary"),
    ("because no session policy allows the sts:GetCallerIdentity action", "Assume the role without a session policy"),
    ("because no VPC endpoint policy allows the sts:GetCallerIdentity action", "VPC endpoint's policy"),
    ("because no resource-based policy allows the sts:GetCallerIdentity action", "in the policy of the resource"),
)


@pytest.mark.parametrize(("words", "remedy"), DENIALS, ids=lambda given: given[:60])
def test_a_denial_names_the_policy_that_denies(
    words: str, remedy: str, connect: Connect, admin: User, api: Api, simulator: SimulatorHandle
) -> None:
    account = connect("development")
    produced(simulator, "AccessDenied", f"{WHO} {words}", operation="GetCallerIdentity")
    told = api(admin).post(f"/api/accounts/{account.pk}/verify").json()
    assert (told["code"], remedy in told["remedy"]) == ("aws_access_denied", True), told
    assert remedy in on_the_page(admin, account.pk)


ROLES = (
    ("AccessDenied", "User is not authorized to perform: sts:AssumeRole", "access_denied", codes.ROLE_REFUSED),
    (
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        "credentials_invalid",
        codes.HUB_KEY_UNKNOWN,
    ),
    ("SignatureDoesNotMatch", "The request signature we calculated does not match", "credentials_invalid", codes.HUB_KEY_UNKNOWN),
    ("ExpiredToken", "The security token included in the request is expired", "credentials_expired", codes.HUB_EXPIRED),
    ("RegionDisabledException", "STS is not activated in this region for account", "region_disabled", codes.STS_REGION_OFF),
)


@pytest.mark.parametrize(
    ("code", "message", "public", "reading"), ROLES, ids=lambda given: given if isinstance(given, str) else ""
)
def test_what_stops_a_role_says_whether_the_hub_or_the_role_is_at_fault(
    code: str,
    message: str,
    public: str,
    reading: Reading,
    connect: Connect,
    connect_role: Connect,
    admin: User,
    api: Api,
    simulator: SimulatorHandle,
) -> None:
    role = connect_role(connect("hub"))
    produced(simulator, code, message, operation="AssumeRole")
    told = api(admin).post(f"/api/accounts/{role.pk}/verify").json()
    assert (told["status"], told["code"]) == ("error", f"aws_{public}")
    assert told["remedy"].startswith(reading.remedy)
    assert reading.remedy in on_the_page(admin, role.pk)
    assert reading.remedy in in_the_terminal(role.alias)


CAPABILITIES = (
    ("organization", "organizations", "AccessDeniedException", "You don't have permissions", "denied"),
    ("organization", "organizations", "AWSOrganizationsNotInUseException", "Your account is not a member", "ok"),
    ("organization", "organizations", "TooManyRequestsException", "Too many", "unknown"),
    ("costs", "iam", "AccessDenied", "Access denied", "unknown"),
)


@pytest.mark.parametrize(("capability", "service", "code", "message", "status"), CAPABILITIES)
def test_a_capability_that_aws_refuses_says_so_and_how_to_mend_it(
    capability: str,
    service: str,
    code: str,
    message: str,
    status: str,
    connect: Connect,
    admin: User,
    api: Api,
    simulator: SimulatorHandle,
) -> None:
    account = connect("development")
    produced(simulator, code, message, service=service)
    told = api(admin).post(f"/api/accounts/{account.pk}/verify").json()
    found = told["capabilities"][capability]
    assert found["status"] == status, found
    if status != "ok":
        assert (found["code"], bool(found["remedy"])) == (code, True)
        assert found["remedy"] in on_the_page(admin, account.pk)
