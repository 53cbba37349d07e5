"""What Cost Explorer requests cost: one row for each, written before it is sent, and a monthly cap that is checked there."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cloudconsole.aws import cost_explorer
from cloudconsole.aws.cost_explorer import RequestRecord
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs.models import CostExplorerRequest, CostSnapshot, CostSource
from costs.services.leases import Lease


class RequestCapReached(CloudconsoleError):
    """The account's Cost Explorer requests of this calendar month have reached their cap."""

    kind = Kind.CONFLICT
    code = "request_cap_reached"
    title = "The monthly cap of paid requests is reached"
    remedy = "Raise the account's cap, or COST_EXPLORER_MONTHLY_REQUEST_CAP, or wait for the next month."


@dataclass(frozen=True, slots=True)
class Budget:
    """Paid requests of one account in the current calendar month (UTC)."""

    used: int
    cap: int

    @property
    def left(self) -> int:
        return max(0, self.cap - self.used)


def budget_of(source: CostSource) -> Budget:
    charged = CostExplorerRequest.objects.filter(account_id=source.account_id, at__gte=clock.month_start(), charged=True).count()
    return Budget(used=charged, cap=cap_of(source))


def cap_of(source: CostSource) -> int:
    own = source.monthly_request_cap
    return settings.COST_EXPLORER_MONTHLY_REQUEST_CAP if own is None else own


@dataclass(slots=True)
class LedgerMeter:
    """The meter of one run. A request that has no row in the ledger, or exceeds the cap, is not sent."""

    source: CostSource
    lease: Lease
    _open: CostExplorerRequest | None = field(default=None, init=False)

    def before_request(self) -> None:
        """Raises RequestCapReached, LeaseLost."""
        with transaction.atomic():
            self.lease.renew()
            self._check_cap()
            self._open = CostExplorerRequest.objects.create(
                account_id=self.source.account_id,
                snapshot_id=self.lease.snapshot_id,
                operation=cost_explorer.OPERATION,
                at=clock.now(),
            )
            CostSnapshot.objects.filter(pk=self.lease.snapshot_id).update(requests=F("requests") + 1, paid=F("paid") + 1)

    def after_request(self, record: RequestRecord) -> None:
        """A stale worker may still close the row it opened: the money was spent whoever holds the run now."""
        row, self._open = self._open, None
        if row is None:
            return
        CostExplorerRequest.objects.filter(pk=row.pk).update(
            operation=record.operation,
            outcome=record.outcome,
            charged=record.charged,
            aws_request_id=record.aws_request_id,
            duration_ms=record.duration_ms,
            page=record.page,
        )
        if not record.charged:
            CostSnapshot.objects.filter(pk=self.lease.snapshot_id).update(paid=F("paid") - 1)

    def _check_cap(self) -> None:
        # Read anew: an administrator may raise or lower the cap while the run goes on.
        source = CostSource.objects.only("account_id", "monthly_request_cap").get(pk=self.source.pk)
        budget = budget_of(source)
        if budget.left == 0:
            raise RequestCapReached(f"{budget.used} paid requests were made this month; the cap is {budget.cap}.")
