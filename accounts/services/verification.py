"""What an account's credentials are and allow, asked of AWS: identity first, then one harmless probe per capability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import AwsAccount, CapabilityCheck, CapabilityStatus, Status, User
from accounts.rules import checks, identifiers
from accounts.services import credentials, probes
from accounts.services.probes import Finding
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.aws import sts
from cloudconsole.aws.credentials import Access, AssumedRole
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.aws.sts import CallerIdentity
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError

_OPEN_ROLE = (
    "external_id_not_required",
    "The role can be assumed without its external id, or with a wrong one.",
    "Add the condition on sts:ExternalId from the trust policy shown for this account to the role's trust policy.",
)
_ROOT_USER = (
    "root_credentials",
    "These are keys of the account's root user, which no policy limits.",
    "Make an IAM user or a role with the policy shown for this account, and delete the root user's keys.",
)
_EXPIRED = "aws_credentials_expired"


@dataclass(frozen=True)
class Verification:
    """The result of one verification. `external_id_enforced` is None where there is no role or AWS did not tell."""

    status: Status
    code: str = ""
    detail: str = ""
    remedy: str = ""
    identity: CallerIdentity | None = None
    external_id_enforced: bool | None = None
    findings: tuple[Finding, ...] = ()
    aws_request_id: str = ""
    aws_code: str = ""
    aws_message: str = ""


def verify(*, account: AwsAccount, actor: User | None) -> Verification:
    """Ask AWS what the credentials are and allow, and store it. A failure is a result, not an exception."""
    result = _examine(account, actor)
    _store(account, result, actor)
    return result


def _examine(account: AwsAccount, actor: User | None) -> Verification:
    try:
        access = credentials.access_for(account, actor)
        identity = sts.whoami(access)
    except AwsError as error:
        return _refused(error)
    except CloudconsoleError as error:
        return Verification(Status.ERROR, error.code, error.detail, getattr(error, "remedy", ""))
    wrong = _wrong_account(account, identity)
    if wrong is not None:
        return wrong
    findings = tuple(probes.probe(name, access, identity) for name in CAPABILITIES if name in account.capabilities)
    enforced = _external_id_enforced(access)
    return _summary(identity, enforced, findings)


def _refused(error: AwsError) -> Verification:
    return Verification(
        Status.ERROR,
        error.code,
        error.detail,
        error.remedy,
        aws_request_id=error.request_id,
        aws_code=error.aws_code,
        aws_message=error.aws_message,
    )


def _wrong_account(account: AwsAccount, identity: CallerIdentity) -> Verification | None:
    if account.account_id not in ("", identity.account_id):
        detail = f"The credentials are of account {identity.account_id}, not of {account.account_id}."
        remedy = "Enter credentials of the account this entry stands for."
        return Verification(Status.ERROR, "account_mismatch", detail, remedy, identity, aws_request_id=identity.request_id)
    same = AwsAccount.objects.filter(account_id=identity.account_id, deleted_at=None).exclude(pk=account.pk).first()
    if same is not None:
        detail = f"Account {identity.account_id} is connected as “{same.alias}” already."
        remedy = "Remove one of the two."
        code = "account_already_connected"
        return Verification(Status.ERROR, code, detail, remedy, identity, aws_request_id=identity.request_id)
    return None


def _summary(identity: CallerIdentity, enforced: bool | None, findings: tuple[Finding, ...]) -> Verification:
    """The account's state in one: the gravest finding names the cause."""
    status, (code, detail, remedy) = Status.OK, ("", "", "")
    missing = [finding for finding in findings if finding.status in (CapabilityStatus.DENIED, CapabilityStatus.NOT_ENABLED)]
    if enforced is False:
        status, (code, detail, remedy) = Status.DEGRADED, _OPEN_ROLE
    elif identifiers.is_root(identity.arn):
        status, (code, detail, remedy) = Status.DEGRADED, _ROOT_USER
    elif missing:
        first = missing[0]
        status = Status.DEGRADED
        code, detail, remedy = (
            f"capability_{first.status}",
            f"{CAPABILITIES[first.capability].title}: {first.detail}",
            first.remedy,
        )
    return Verification(status, code, detail, remedy, identity, enforced, findings, identity.request_id)


def _external_id_enforced(access: Access) -> bool | None:
    if not isinstance(access.source, AssumedRole):
        return None
    try:
        return sts.insists_on_external_id(access, access.source)
    except AwsError:
        return None  # AWS did not answer: unknown is not a finding


@transaction.atomic
def _store(account: AwsAccount, result: Verification, actor: User | None) -> None:
    row = AwsAccount.objects.select_for_update().filter(pk=account.pk, deleted_at=None).first()
    if row is None:
        return  # removed while AWS was asked
    now = clock.now()
    is_news = (row.status, row.status_code) != (result.status, result.code)
    row.save(update_fields=[*_set_state(row, result, now), *_set_facts(row, result, now)])
    _store_findings(row, result.findings, now)
    realtime.publish("account", row.pk, row.pk)
    if actor is None and not is_news:
        return  # the schedule looks often; only what it finds is an event
    outcome = "failure" if result.status == Status.ERROR else "success"
    detail = {"status": str(result.status), "code": result.code}
    audit.record(
        verbs.ACCOUNT_VERIFIED, actor=actor, account=row, outcome=outcome, detail=detail, aws_request_id=result.aws_request_id
    )


def _set_state(row: AwsAccount, result: Verification, now: datetime) -> list[str]:
    """How it is, and when to look again; the names of the fields set."""
    row.status, row.status_code, row.status_detail, row.status_remedy = result.status, result.code, result.detail, result.remedy
    row.status_aws_code = result.aws_code[:128]
    row.status_aws_request_id = result.aws_request_id[:128] if result.aws_code else ""
    row.verified_at = now
    row.failed_checks = min(row.failed_checks + 1, 1000) if result.status == Status.ERROR else 0
    row.next_check_at = checks.next_check(result.status, row.failed_checks, row.pk, now)
    state = ["status", "status_code", "status_detail", "status_remedy", "status_aws_code", "status_aws_request_id"]
    return [*state, "verified_at", "failed_checks", "next_check_at"]


def _set_facts(row: AwsAccount, result: Verification, now: datetime) -> list[str]:
    """What the answers told beside the state. What was not told stays as it was."""
    fields: list[str] = []
    if result.identity is not None and result.status != Status.ERROR:
        row.account_id, row.identity_arn = result.identity.account_id, result.identity.arn
        fields += ["account_id", "identity_arn"]
    for finding in result.findings:
        if finding.regions:
            row.enabled_regions, row.regions_observed_at = list(finding.regions), now
            fields += ["enabled_regions", "regions_observed_at"]
        if finding.key_created_at:
            row.key_created_at = finding.key_created_at
            fields += ["key_created_at"]
    if result.code == _EXPIRED and row.access_key_hint and (row.credentials_expire_at is None or row.credentials_expire_at > now):
        row.credentials_expire_at = now  # nobody had said when: found out now
        fields += ["credentials_expire_at"]
    return fields


def _store_findings(row: AwsAccount, findings: Sequence[Finding], now: datetime) -> None:
    CapabilityCheck.objects.filter(account=row).delete()
    CapabilityCheck.objects.bulk_create(
        CapabilityCheck(
            account=row,
            capability=finding.capability,
            status=finding.status,
            aws_code=finding.aws_code,
            detail=finding.detail,
            remedy=finding.remedy,
            checked_at=now,
        )
        for finding in findings
    )
