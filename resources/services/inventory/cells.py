"""What a run asks: every service in every region of every account, except what is known not to answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from accounts.models import AwsAccount
from accounts.services import credentials
from cloudconsole.aws import enabled_regions, fanout
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.fanout import Failed
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import GLOBAL, WHAT_IS_BILLED, InventorySync, ScanStatus, Service, SyncTrigger
from resources.services import capabilities
from resources.services.inventory import billed, buckets, functions, scans
from resources.services.inventory.scans import Finding, Spot

_REGIONS_WITHIN_S = 30.0  # half a lease: nobody renews it meanwhile
_REGIONS_AT_ONCE = 32

READ = {
    Service.EC2: "ec2.read",
    Service.S3: "s3.read",
    Service.LAMBDA: "lambda.read",
    **dict.fromkeys(WHAT_IS_BILLED, "savings.read"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place to ask, with what need not be asked again yet: the threads that ask read no database."""

    spot: Spot
    access: Access
    buckets: buckets.Fresh
    functions: functions.Fresh
    measured: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Plan:
    """The places that are asked, and those whose answer is known without."""

    cells: list[Cell] = field(default_factory=list)
    known: list[tuple[Spot, Finding]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Reach:
    """An account with what it is asked as, and where."""

    account: AwsAccount
    access: Access
    regions: Sequence[str]


def plan(sync: InventorySync, *, within_s: float) -> Plan:
    """What is left to ask in this run. Regions that nobody knows yet are asked for first, `within_s` seconds at most."""
    made = Plan()
    answered = scans.answered(sync)
    wanted = [Service(name) for name in sync.services]
    for account, reach in _reached(sync.accounts.filter(deleted_at=None).select_related("hub"), within_s):
        if isinstance(reach, CloudconsoleError):
            made.known.extend((Spot(account, GLOBAL, service), Finding.of(reach)) for service in wanted)
        else:
            _plan_account(made, reach, wanted, answered, everything=sync.trigger == SyncTrigger.MANUAL)
    return made


def _reached(accounts: Iterable[AwsAccount], within_s: float) -> Iterator[tuple[AwsAccount, _Reach | CloudconsoleError]]:
    unknown: list[_Reach] = []
    for account in accounts:
        try:
            reach = _Reach(account, credentials.access_for(account, None), account.regions or account.enabled_regions)
        except CloudconsoleError as error:
            yield account, error
            continue
        if reach.regions:
            yield account, reach
        else:
            unknown.append(reach)
    yield from _found(unknown, within_s)


def _found(unknown: Sequence[_Reach], within_s: float) -> Iterator[tuple[AwsAccount, _Reach | CloudconsoleError]]:
    """All at once: of many that cannot be reached, each keeps its thread waiting for minutes."""
    deadline_s = min(within_s, _REGIONS_WITHIN_S)
    for outcome in fanout.run(unknown, _ask_regions, concurrency=_REGIONS_AT_ONCE, deadline_s=deadline_s):
        yield outcome.target.account, outcome.error if isinstance(outcome, Failed) else outcome.value


def _ask_regions(reach: _Reach) -> _Reach:
    return replace(reach, regions=enabled_regions.enabled(reach.access))


def _plan_account(
    made: Plan, reach: _Reach, services: Sequence[Service], answered: set[tuple[int, str, str]], *, everything: bool
) -> None:
    account, access, regions = reach.account, reach.access, sorted(reach.regions)
    scans.leave_out(account=account, regions=[GLOBAL, *regions], services=[service.value for service in services])
    fresh = _Fresh.of(account, services, everything=everything)
    for spot in _spots(account, regions, services):
        if (account.pk, spot.region, spot.service.value) in answered:
            continue
        finding = _known(account, spot)
        if finding is not None:
            made.known.append((spot, finding))
        else:
            made.cells.append(fresh.cell(spot, access))


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What of an account is known well enough; a person who asks wants everything anew."""

    buckets: buckets.Fresh
    functions: dict[str, functions.Fresh]
    measured: dict[str, frozenset[str]]

    @classmethod
    def of(cls, account: AwsAccount, services: Sequence[Service], *, everything: bool) -> _Fresh:
        now = clock.now()
        return cls(
            buckets.fresh(account, now) if Service.S3 in services and not everything else buckets.Fresh(),
            functions.fresh(account, now) if Service.LAMBDA in services and not everything else {},
            billed.measured(account, now) if Service.USAGE in services and not everything else {},
        )

    def cell(self, spot: Spot, access: Access) -> Cell:
        of_region = self.functions.get(spot.region, functions.Fresh())
        return Cell(spot, access, self.buckets, of_region, self.measured.get(spot.region, frozenset()))


def _spots(account: AwsAccount, regions: Sequence[str], services: Sequence[Service]) -> Iterator[Spot]:
    for service in services:
        for region in (GLOBAL,) if service is Service.S3 else regions:
            yield Spot(account, region, service)


def _known(account: AwsAccount, spot: Spot) -> Finding | None:
    try:
        capabilities.require(account, READ[spot.service])
    except capabilities.CapabilityOff as off:
        return Finding(ScanStatus.SKIPPED, off.code, off.detail, off.remedy)
    if spot.region in account.closed_regions():
        detail = f"{spot.region} is not enabled for this account."
        return Finding(
            ScanStatus.SKIPPED, "aws_region_disabled", detail, "Enable it in AWS, or take it out of the account's regions."
        )
    return None
