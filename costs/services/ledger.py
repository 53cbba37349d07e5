"""What Cost Explorer requests cost: one row for each, written before it is sent, and a monthly cap that is checked there."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import F

from cloudconsole.aws.metered import RequestRecord
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
    """The meter of paid calls for one source: a request that has no row in the ledger, or exceeds the cap, is not sent.

    Hand it to any call of `cloudconsole.aws` that takes a `Meter`, outside of transactions::

        cost_explorer.get_cost_forecast(access, asked, meter=LedgerMeter(source, "GetCostForecast"))

    `operation` is AWS's name of what is called. Within a run its `lease` is given as well: each request then also proves that
    the run is still its worker's, and is counted in the run. Without one the request stands in the ledger by itself;
    `budget_of(source)` says beforehand how many are left. The cap is one for all operations, because AWS charges them alike.
    """

    source: CostSource
    operation: str
    lease: Lease | None = None
    _open: CostExplorerRequest | None = field(default=None, init=False)

    def before_request(self) -> None:
        """Raises RequestCapReached, LeaseLost."""
        with transaction.atomic():
            if self.lease:
                self.lease.renew()
            self._check_cap()
            self._open = CostExplorerRequest.objects.create(
                account_id=self.source.account_id,
                snapshot_id=self.lease.snapshot_id if self.lease else None,
                operation=self.operation,
                at=clock.now(),
            )
            self._count(requests=F("requests") + 1, paid=F("paid") + 1)

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
            self._count(paid=F("paid") - 1)

    def _count(self, **changes: object) -> None:
        if self.lease:
            CostSnapshot.objects.filter(pk=self.lease.snapshot_id).update(**changes)

    def _check_cap(self) -> None:
        """Two callers at once are served one after the other, so that they cannot both take the last request.

        The source is read anew: an administrator may raise or lower the cap meanwhile.
        """
        source = CostSource.objects.select_for_update().get(pk=self.source.pk)
        budget = budget_of(source)
        if budget.left == 0:
            raise RequestCapReached(f"{budget.used} paid requests were made this month; the cap is {budget.cap}.")
