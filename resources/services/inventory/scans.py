"""What a place answered last: complete, failed with its cause, or skipped with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.models import AwsAccount
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import InventorySync, Scan, ScanStatus, Service


@dataclass(frozen=True, slots=True)
class Spot:
    """One service in one region of one account; `region` is GLOBAL for a service that is asked once."""

    account: AwsAccount
    region: str
    service: Service


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a place has no complete answer, for a person."""

    status: ScanStatus
    code: str
    detail: str
    remedy: str = ""

    @classmethod
    def of(cls, error: CloudconsoleError) -> Finding:
        is_closed = isinstance(error, AwsError) and error.cause is AwsErrorKind.REGION_DISABLED
        status = ScanStatus.SKIPPED if is_closed else ScanStatus.FAILED
        return cls(status, error.code, error.detail, getattr(error, "remedy", ""))


def completed(*, spot: Spot, sync: InventorySync, observed_at: datetime, rows: int) -> None:
    """Everything that is there was told, as of `observed_at`."""
    told = {"status": ScanStatus.COMPLETE, "code": "", "detail": "", "remedy": "", "observed_at": observed_at, "rows": rows}
    _write(spot, sync, told)


def fell_short(*, spot: Spot, sync: InventorySync, finding: Finding) -> None:
    """What was known before stays, with its age."""
    told: dict[str, object] = {
        "status": finding.status,
        "code": finding.code[:128],
        "detail": finding.detail,
        "remedy": finding.remedy,
    }
    _write(spot, sync, told)


def answered(sync: InventorySync) -> set[tuple[int, str, str]]:
    """The places that this run has already asked, by account, region and service."""
    return set(Scan.objects.filter(sync=sync).values_list("account_id", "region", "service"))


def leave_out(*, account: AwsAccount, regions: list[str], services: list[str]) -> None:
    """Places that used to be asked and are no longer chosen or enabled: their rows are as old as their last answer."""
    Scan.objects.filter(account=account, service__in=services).exclude(region__in=regions).exclude(
        code="region_not_asked"
    ).update(
        status=ScanStatus.SKIPPED,
        code="region_not_asked",
        detail="This region is no longer chosen for the account, or no longer enabled.",
        remedy="Choose it on the account's page if it should be asked.",
    )


def _write(spot: Spot, sync: InventorySync, told: dict[str, object]) -> None:
    Scan.objects.update_or_create(
        account=spot.account,
        region=spot.region,
        service=spot.service,
        defaults={**told, "sync": sync, "attempted_at": clock.now()},
    )
