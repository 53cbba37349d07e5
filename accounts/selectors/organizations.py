"""Reading organizations as they were last seen, and adoptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.models import Adoption, AdoptionBatch, AwsAccount, Discovery, OrganizationMember, User
from accounts.models.organizations import AdoptionBatchQuerySet
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class AdoptionNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "adoption_not_found"
    title = "Not found"


@dataclass(frozen=True)
class Member:
    """An account of the organization, and the account here that it is connected as, if it is."""

    member: OrganizationMember
    connected: AwsAccount | None

    @property
    def is_adoptable(self) -> bool:
        return self.connected is None and self.member.state in ("ACTIVE", "UNKNOWN")

    @property
    def tags(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in (self.member.tags or {}).items())


def discovery_of(account: AwsAccount) -> Discovery | None:
    """What was seen of the organization from `account`; None when nobody has looked yet."""
    return Discovery.objects.filter(account=account).first()


def members_of(discovery: Discovery) -> list[Member]:
    """The members that the last look saw, by unit and name."""
    members = list(discovery.members.filter(is_present=True))
    numbers = [member.number for member in members]
    connected = {one.account_id: one for one in AwsAccount.objects.filter(deleted_at=None, account_id__in=numbers)}
    return [Member(member, connected.get(member.number)) for member in members]


def adoptable_numbers(account: AwsAccount) -> list[str]:
    """The members that could be adopted through `account`."""
    discovery = discovery_of(account)
    found = members_of(discovery) if discovery else []
    return [one.member.number for one in found if one.is_adoptable]


def batches(user: User) -> AdoptionBatchQuerySet:
    return AdoptionBatch.objects.visible_to(user, Perm.ACCOUNTS_MANAGE).with_progress().select_related("hub", "requested_by")


def batch_for(user: User, pk: int) -> AdoptionBatch:
    """Raises AdoptionNotFound."""
    found = batches(user).filter(pk=pk).first()
    if found is None:
        raise AdoptionNotFound("There is no such adoption, or none that you may see.")
    return found


def adoptions_of(batch: AdoptionBatch) -> Sequence[Adoption]:
    """Those that failed first: they are what a person has to look at."""
    order = {"failed": 0, "running": 1, "queued": 2}
    found = batch.adoptions.select_related("account")
    return sorted(found, key=lambda adoption: (order.get(adoption.status, 3), adoption.pk))
