"""How much of the truth a list shows: what each place answered last, and which places said nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import GLOBAL, InventorySync, Scan, ScanStatus, Service


@dataclass(frozen=True, slots=True)
class Place:
    """One account and region. `status`: complete, failed or skipped; a place never asked is skipped as `not_asked`."""

    account: AwsAccount
    region: str
    status: str
    code: str = ""
    detail: str = ""
    remedy: str = ""
    observed_at: datetime | None = None
    attempted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Regions of one account that say nothing for the same reason. `observed_at`: the oldest that is still shown of them."""

    account: AwsAccount
    regions: tuple[str, ...]
    status: str
    code: str
    detail: str
    remedy: str
    observed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Completeness:
    """The places behind one list."""

    places: tuple[Place, ...]

    @property
    def complete(self) -> int:
        return sum(place.status == ScanStatus.COMPLETE for place in self.places)

    @property
    def failed(self) -> list[Place]:
        return [place for place in self.places if place.status == ScanStatus.FAILED]

    @property
    def skipped(self) -> list[Place]:
        return [place for place in self.places if place.status == ScanStatus.SKIPPED]

    @property
    def missing(self) -> list[Place]:
        """What the list may lack, failures first."""
        return [*self.failed, *self.skipped]

    @property
    def groups(self) -> list[Group]:
        """What the list may lack, one line for each account and reason."""
        by_reason: dict[tuple[int, str, str, str, str], list[Place]] = {}
        for place in self.missing:
            by_reason.setdefault((place.account.pk, place.status, place.code, place.detail, place.remedy), []).append(place)
        return [_group(places) for places in by_reason.values()]

    @property
    def as_of(self) -> datetime | None:
        """When the oldest of the complete answers was given."""
        return min(
            (place.observed_at for place in self.places if place.status == ScanStatus.COMPLETE and place.observed_at),
            default=None,
        )

    @property
    def is_empty_for_sure(self) -> bool:
        """Whether every place answered, so that nothing found means that there is nothing."""
        return bool(self.places) and not self.missing


_TOLD = ("region", "status", "code", "detail", "remedy", "observed_at", "attempted_at")  # in the order of Place


def completeness(user: User, service: Service, accounts: Sequence[AwsAccount], regions: Sequence[str] = ()) -> Completeness:
    """What is known of the places in `accounts`, and in `regions` where any are given."""
    scans = Scan.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(service=service, account__in=accounts)
    # As tuples: hundreds of places belong to a list, and most of them have nothing to tell.
    by_pk = {account.pk: account for account in accounts}
    told = scans.order_by("account__alias", "region").values_list("account_id", *_TOLD)
    known = [Place(by_pk[account_id], *facts) for account_id, *facts in told]
    asked = {place.account.pk for place in known}
    never = [_never(account) for account in accounts if account.pk not in asked]
    wanted = {GLOBAL, *regions}
    return Completeness((*(place for place in known if not regions or place.region in wanted), *never))


def open_syncs(user: User, accounts: Sequence[AwsAccount]) -> list[InventorySync]:
    """The runs that are asking these accounts now, with how far they are."""
    running = InventorySync.objects.open().visible_to(user, Perm.RESOURCES_VIEW).filter(accounts__in=accounts)
    return list(running.distinct().order_by("pk"))


def _group(places: Sequence[Place]) -> Group:
    one = places[0]
    seen = [place.observed_at for place in places if place.observed_at]
    regions = tuple(place.region for place in places if place.region)
    return Group(one.account, regions, one.status, one.code, one.detail, one.remedy, min(seen, default=None))


def _never(account: AwsAccount) -> Place:
    detail = "This account has not been asked yet."
    return Place(account, "", ScanStatus.SKIPPED, "not_asked", detail, "It is asked within minutes once it is verified.")
