"""Connecting many accounts of an organization at once, by the name of a role that each of them has.

Each account is a row with a state, claimed by a conditional update with a lease; one that fails stops no other.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from accounts.models import (
    ADOPTION_OPEN,
    Adoption,
    AdoptionBatch,
    AdoptionStatus,
    AwsAccount,
    Discovery,
    Environment,
    OrganizationMember,
    User,
)
from accounts.rules import identifiers
from accounts.services import aws_accounts, inputs, policies
from accounts.services.inputs import InvalidInput, NewAccount, RoleInput
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.aws import cloudformation
from cloudconsole.aws.cloudformation import Template, Wanted
from cloudconsole.aws.policy import BY_DEFAULT
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm

log = structlog.get_logger(__name__)

ADOPT = "accounts.adopt"
DEFAULT_ROLE = "CloudconsoleReadOnly"
_LEASE = timedelta(minutes=3)  # longer than every proof and probe of one account with all their timeouts
_MAX_ATTEMPTS = 3


class NotDiscovered(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "not_discovered"
    title = "The organization was not looked at from this account yet"


class AlreadyBeingAdopted(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "adoption_running"
    title = "An account is being adopted already"


class RequesterGone(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "requester_gone"
    title = "Nobody who may connect accounts stands behind this any more"


class WorkersLost(CloudconsoleError):
    kind = Kind.UNAVAILABLE
    code = "worker_lost"
    title = "The work was interrupted too often"


class NotActive(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "account_not_active"
    title = "The account is not active"
    remedy = "Reactivate it in AWS within 90 days of its closure, or leave it out."


@dataclass(frozen=True)
class Wish:
    """Which accounts to adopt (their numbers), by which role (its name, with its path), as what."""

    numbers: Sequence[str]
    role_name: str = DEFAULT_ROLE
    environment: str = Environment.DEVELOPMENT
    capabilities: Sequence[str] = BY_DEFAULT


def stack_set(*, hub: AwsAccount, role_name: str, by: User) -> Template:
    """One template for a StackSet: the role in every account of the organization, each with the external id made for it.

    Raises NotDiscovered, InvalidInput, and AwsError when it cannot be told whom the role has to trust.
    """
    members = _members(hub).filter(is_present=True)
    trusted = policies.trusted_arn(account=AwsAccount(hub=hub), actor=by)
    return cloudformation.for_many(
        Wanted(_role_name(role_name), trusted, BY_DEFAULT), dict(members.values_list("number", "external_id"))
    )


def request(*, hub: AwsAccount, wish: Wish, by: User) -> AdoptionBatch:
    """Record the wish and wake workers. Raises NotDiscovered, InvalidInput, AlreadyBeingAdopted."""
    members = {member.number: member for member in _members(hub).filter(is_present=True)}
    numbers = list(dict.fromkeys(inputs.account_number(number) for number in wish.numbers))
    unknown = [number for number in numbers if number not in members]
    if not numbers or unknown:
        missing = f"Not in the organization: {', '.join(unknown[:5])}." if unknown else "Choose at least one account."
        raise InvalidInput(missing, attr="accounts")
    batch = AdoptionBatch(
        hub=hub,
        role_name=_role_name(wish.role_name),
        environment=inputs.environment(wish.environment),
        capabilities=inputs.capability_names(wish.capabilities),
        requested_by=by,
    )
    try:
        return _store(batch, [members[number] for number in numbers], by)
    except IntegrityError as error:
        raise AlreadyBeingAdopted("One of these accounts is being adopted at this moment.", attr="accounts") from error


@transaction.atomic
def retry(*, batch: AdoptionBatch, by: User) -> int:
    """Try the failed ones again; how many."""
    failed = list(batch.adoptions.filter(status=AdoptionStatus.FAILED))
    AdoptionBatch.objects.filter(pk=batch.pk).update(requested_by=by)
    for adoption in failed:
        again = {"status": AdoptionStatus.QUEUED, "attempts": 0, "finished_at": None, **_error_fields(None)}
        Adoption.objects.filter(pk=adoption.pk, status=AdoptionStatus.FAILED).update(**again)
        jobs.enqueue(ADOPT, adoption_id=adoption.pk)
    realtime.publish("adoption", batch.pk, batch.hub_id)
    if failed:
        audit.record(verbs.ADOPTION_REQUESTED, actor=by, account=batch.hub, detail={"count": len(failed), "again": True})
    return len(failed)


def ring_for_waiting() -> None:
    """Ring for adoptions whose bell was lost or whose worker is gone."""
    for pk in _claimable().values_list("pk", flat=True):
        jobs.enqueue(ADOPT, adoption_id=pk)


def run(*, adoption_id: int) -> None:
    """Connect one account if nobody else is at it. Its failure is its row's, never an exception. Safe at any time."""
    token = _claim(adoption_id)
    if token is None:
        return
    adoption = Adoption.objects.select_related("batch__hub", "batch__requested_by").get(pk=adoption_id)
    realtime.publish("adoption", adoption.batch_id, adoption.batch.hub_id)
    try:
        account = _adopt(adoption)
    except CloudconsoleError as error:
        _finish(adoption, token, None, error)
    else:
        _finish(adoption, token, account, None)


def _members(hub: AwsAccount) -> QuerySet[OrganizationMember]:
    discovery = Discovery.objects.filter(account=hub).first()
    if discovery is None:
        raise NotDiscovered(f"Discover the organization from “{hub.alias}” first.")
    return OrganizationMember.objects.filter(discovery=discovery)


def _role_name(text: str) -> str:
    name = text.strip().removeprefix("/")
    if not identifiers.is_role_name(name):
        raise InvalidInput("The name of a role, such as CloudconsoleReadOnly, with its path where it has one.", attr="role_name")
    return name


@transaction.atomic
def _store(batch: AdoptionBatch, members: Sequence[OrganizationMember], by: User) -> AdoptionBatch:
    batch.save()
    taken = set(AwsAccount.objects.filter(deleted_at=None).values_list("alias", flat=True))
    for member in members:
        alias = identifiers.alias_for(member.name, member.number, taken)
        taken.add(alias)
        adoption = Adoption.objects.create(
            batch=batch, number=member.number, name=member.name, alias=alias, external_id=member.external_id
        )
        jobs.enqueue(ADOPT, adoption_id=adoption.pk)
    realtime.publish("adoption", batch.pk, batch.hub_id)
    detail: dict[str, str | int] = {"count": len(members), "role": batch.role_name}
    audit.record(verbs.ADOPTION_REQUESTED, actor=by, account=batch.hub, detail=detail)
    return batch


def _claimable() -> QuerySet[Adoption]:
    waits = Q(status=AdoptionStatus.QUEUED)
    abandoned = Q(status=AdoptionStatus.RUNNING, lease_until__lt=clock.now())
    return Adoption.objects.filter(waits | abandoned)


def _claim(adoption_id: int) -> uuid.UUID | None:
    """Take the adoption if it waits or its worker is gone; None when another has it or it is over."""
    token = uuid.uuid4()
    held = {"status": AdoptionStatus.RUNNING, "lease_token": token, "lease_until": clock.now() + _LEASE}
    taken = _claimable().filter(pk=adoption_id).update(**held, attempts=F("attempts") + 1)
    return token if taken else None


def _adopt(adoption: Adoption) -> AwsAccount:
    """Raises what connecting an account raises."""
    connected = AwsAccount.objects.filter(external_id=adoption.external_id, deleted_at=None).first()
    if connected is not None:
        return connected  # an earlier worker got that far
    if adoption.attempts > _MAX_ATTEMPTS:
        raise WorkersLost("Workers ended several times while connecting it; their log says more.")
    by = adoption.batch.requested_by
    if by is None or not by.is_active or not by.may(Perm.ACCOUNTS_MANAGE):
        raise RequesterGone("The person who asked for this may not connect accounts any more.")
    _refuse_inactive(adoption)
    return aws_accounts.create(new=_new(adoption, adoption.batch), by=by)


def _refuse_inactive(adoption: Adoption) -> None:
    member = OrganizationMember.objects.filter(discovery__account=adoption.batch.hub, number=adoption.number).first()
    if member is not None and member.state not in ("ACTIVE", "UNKNOWN"):
        raise NotActive(f"AWS says that the account is {member.state.lower().replace('_', ' ')}.")


def _new(adoption: Adoption, batch: AdoptionBatch) -> NewAccount:
    partition = batch.hub.identity_arn.split(":")[1] if batch.hub.identity_arn else "aws"
    arn = f"arn:{partition}:iam::{adoption.number}:role/{batch.role_name}"
    return NewAccount(
        alias=adoption.alias,
        credentials=RoleInput(arn, str(batch.hub_id)),
        environment=batch.environment,
        regions=batch.hub.regions,
        capabilities=batch.capabilities,
        expected_account_id=adoption.number,
        reservation=aws_accounts.note_for(adoption.external_id),
    )


@transaction.atomic
def _finish(adoption: Adoption, token: uuid.UUID, account: AwsAccount | None, error: CloudconsoleError | None) -> None:
    status = AdoptionStatus.FAILED if error else AdoptionStatus.SUCCEEDED
    mine = Adoption.objects.filter(pk=adoption.pk, lease_token=token, status__in=ADOPTION_OPEN)
    fields = {"status": status, "lease_token": None, "lease_until": None, "account": account, "finished_at": clock.now()}
    if not mine.update(**fields, **_error_fields(error)):
        log.info("adoption_lost", adoption=adoption.pk)
        return
    realtime.publish("adoption", adoption.batch_id, adoption.batch.hub_id)
    if error is not None:
        detail = {"code": error.code, "number": adoption.number}
        subject, hub, by = adoption.alias, adoption.batch.hub, adoption.batch.requested_by
        audit.record(verbs.ADOPTION_FAILED, actor=by, subject=subject, account=hub, outcome="failure", detail=detail)


def _error_fields(error: CloudconsoleError | None) -> dict[str, str]:
    return {
        "error_code": error.code if error else "",
        "error_aws_code": getattr(error, "aws_code", "") or "",
        "error_detail": error.detail if error else "",
        "error_remedy": getattr(error, "remedy", "") or "",
    }
