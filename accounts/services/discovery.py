"""Looking at an organization from one of its accounts, and keeping what was seen with an external id for each member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import AwsAccount, Discovery, OrganizationMember, User, make_external_id
from accounts.services import credentials
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.aws import fanout, organizations
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.fanout import Answered
from cloudconsole.aws.organizations import Organization, OrganizationAccount
from cloudconsole.aws.rates import Rate
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind

_DEADLINE_S = 20.0
_BUDGET: fanout.Budget[OrganizationAccount] = fanout.Budget(lambda _: "organizations", Rate(per_second=20, burst=40), in_flight=8)


class NotInOrganization(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "not_in_organization"
    title = "The account is in no organization"


@dataclass
class _Seen:
    """What the questions brought. `gaps` are those that were refused: {part, code, detail, remedy}."""

    organization: Organization
    accounts: list[OrganizationAccount]
    paths: Mapping[str, str] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    gaps: list[dict[str, str]] = field(default_factory=list)


def discover(*, account: AwsAccount, by: User) -> Discovery:
    """Ask AWS for the members with their units and tags, and keep them. Takes at most half a minute.

    Raises NotInOrganization, and AwsError: from a member that may not look, with where to look from.
    """
    access = credentials.access_for(account, by)
    organization = organizations.describe(access)
    if organization is None:
        raise NotInOrganization(f"“{account.alias}” is in no organization, so there is nothing to adopt from it.")
    seen = _Seen(organization, _accounts(account, organization, access))
    _look_at_units(access, seen)
    _look_at_tags(access, seen)
    return _store(account, seen, by)


def _accounts(account: AwsAccount, organization: Organization, access: Access) -> list[OrganizationAccount]:
    try:
        return organizations.list_accounts(access)
    except AwsError as error:
        if error.cause is not AwsErrorKind.ACCESS_DENIED:
            raise
        raise _cannot_see(account, organization, error) from error


def _cannot_see(account: AwsAccount, organization: Organization, error: AwsError) -> AwsError:
    """AWS's refusal, with what to do about it here."""
    return AwsError(
        service=error.service,
        operation=error.operation,
        cause=error.cause,
        meaning=f"“{account.alias}” may not list the accounts of organization {organization.id}.",
        remedy=(
            f"Discover from the management account {organization.management_account_id}, or register this account as a "
            "delegated administrator there, and attach the policy shown for it with the capability “organization”."
        ),
        aws_code=error.aws_code,
        aws_message=error.aws_message,
        request_id=error.request_id,
        denial=error.denial,
    )


def _look_at_units(access: Access, seen: _Seen) -> None:
    """Without them the accounts can still be adopted, so a refusal is a gap."""
    try:
        seen.paths = organizations.unit_paths(access)
    except AwsError as error:
        seen.gaps.append(_gap("units", error))


def _look_at_tags(access: Access, seen: _Seen) -> None:
    def tags_of(member: OrganizationAccount) -> dict[str, str]:
        return organizations.tags_of(access, member.account_id)

    outcomes = fanout.run(seen.accounts, tags_of, concurrency=8, deadline_s=_DEADLINE_S, rate=_BUDGET)
    seen.tags = {outcome.target.account_id: outcome.value for outcome in outcomes if isinstance(outcome, Answered)}
    failures = [outcome.error for outcome in outcomes if not isinstance(outcome, Answered)]
    if failures:
        seen.gaps.append(_gap("tags", failures[0]))


def _gap(part: str, error: CloudconsoleError) -> dict[str, str]:
    code = getattr(error, "aws_code", "") or error.code
    return {"part": part, "code": code, "detail": error.detail, "remedy": getattr(error, "remedy", "")}


@transaction.atomic
def _store(account: AwsAccount, seen: _Seen, by: User) -> Discovery:
    discovery, _ = Discovery.objects.update_or_create(
        account=account,
        defaults={
            "organization_id": seen.organization.id,
            "management_number": seen.organization.management_account_id,
            "observed_at": clock.now(),
            "gaps": seen.gaps,
        },
    )
    discovery.members.update(is_present=False)
    known = {member.number: member for member in discovery.members.all()}
    for found in seen.accounts:
        _store_member(discovery, known.get(found.account_id), found, seen)
    _renew_spent(discovery)
    realtime.publish("account", account.pk, account.pk)
    detail = {"accounts": len(seen.accounts), "gaps": len(seen.gaps)}
    audit.record(verbs.ORGANIZATION_DISCOVERED, actor=by, account=account, target=seen.organization.id, detail=detail)
    return discovery


def _store_member(discovery: Discovery, member: OrganizationMember | None, found: OrganizationAccount, seen: _Seen) -> None:
    row = member or OrganizationMember(discovery=discovery, number=found.account_id)
    row.name, row.email, row.state, row.is_present = found.name, found.email, found.state, True
    row.unit_path = seen.paths.get(found.account_id, "")
    row.tags = seen.tags.get(found.account_id)
    row.save()


def _renew_spent(discovery: Discovery) -> None:
    """An external id that belonged to an account which was disconnected is not used a second time."""
    spent = AwsAccount.objects.exclude(deleted_at=None).values("external_id")
    for member in discovery.members.filter(external_id__in=spent):
        member.external_id = make_external_id()
        member.save(update_fields=["external_id"])
