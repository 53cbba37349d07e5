"""What a run asks: every service in every region of every account, except what is known not to answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from accounts.models import AwsAccount
from accounts.services import credentials
from cloudconsole.aws import enabled_regions
from cloudconsole.aws.credentials import Access
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import GLOBAL, InventorySync, ScanStatus, Service, SyncTrigger
from resources.services import capabilities
from resources.services.inventory import buckets, functions, scans
from resources.services.inventory.scans import Finding, Spot

READ = {Service.EC2: "ec2.read", Service.S3: "s3.read", Service.LAMBDA: "lambda.read"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One place to ask, with what need not be asked again yet: the threads that ask read no database."""

    spot: Spot
    access: Access
    buckets: buckets.Fresh
    functions: functions.Fresh


@dataclass(frozen=True, slots=True)
class Plan:
    """The places that are asked, and those whose answer is known without."""

    cells: list[Cell] = field(default_factory=list)
    known: list[tuple[Spot, Finding]] = field(default_factory=list)


def plan(sync: InventorySync) -> Plan:
    """What is left to ask in this run."""
    made = Plan()
    answered = scans.answered(sync)
    for account in sync.accounts.filter(deleted_at=None).select_related("hub"):
        wanted = [Service(name) for name in sync.services]
        _plan_account(made, account, wanted, answered, everything=sync.trigger == SyncTrigger.MANUAL)
    return made


def _plan_account(
    made: Plan, account: AwsAccount, services: Sequence[Service], answered: set[tuple[int, str, str]], *, everything: bool
) -> None:
    try:
        access = credentials.access_for(account, None)
        regions = _regions(account, access)
    except CloudconsoleError as error:
        made.known.extend((Spot(account, GLOBAL, service), Finding.of(error)) for service in services)
        return
    scans.leave_out(account=account, regions=[GLOBAL, *regions], services=[service.value for service in services])
    fresh = _Fresh.of(account, services, everything=everything)
    for spot in _spots(account, regions, services):
        if (account.pk, spot.region, spot.service.value) in answered:
            continue
        finding = _known(account, spot)
        if finding is not None:
            made.known.append((spot, finding))
        else:
            made.cells.append(Cell(spot, access, fresh.buckets, fresh.functions.get(spot.region, functions.Fresh())))


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What of an account is known well enough; a person who asks wants everything anew."""

    buckets: buckets.Fresh
    functions: dict[str, functions.Fresh]

    @classmethod
    def of(cls, account: AwsAccount, services: Sequence[Service], *, everything: bool) -> _Fresh:
        now = clock.now()
        return cls(
            buckets.fresh(account, now) if Service.S3 in services and not everything else buckets.Fresh(),
            functions.fresh(account, now) if Service.LAMBDA in services and not everything else {},
        )


def _regions(account: AwsAccount, access: Access) -> list[str]:
    return sorted(account.regions or account.enabled_regions or enabled_regions.enabled(access))


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
