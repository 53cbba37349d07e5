"""Facts without AWS in between: the simulator's ledger told straight to the services that store it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from django.db import transaction

from accounts.models import AuthMethod, AwsAccount
from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, DayCosts
from cloudconsole.simulator.ledger import Ledger
from costs.models import BillingScope, CostSource, SourceStatus
from costs.rules.cubes import CUBES, Cube
from costs.rules.windows import DayRange
from costs.services import facts

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LEDGER = Ledger(seed=1, origin=TODAY)


def source(number: str, alias: str, scope: BillingScope = BillingScope.PAYER) -> CostSource:
    """A source whose costs have all been fetched."""
    account = AwsAccount.objects.create(
        alias=alias, account_id=number, auth_method=AuthMethod.AMBIENT, capabilities=["costs"], status="ok"
    )
    return CostSource.objects.create(
        account=account, scope=scope, status=SourceStatus.OK, fresh_at=NOW, backfilled_from=date(2025, 10, 1)
    )


def days_of(within: DayRange) -> list[date]:
    return [within.start + timedelta(days=number) for number in range(within.days)]


def amounts(value: Decimal | int | str) -> Amounts:
    """The same amount in all five metrics."""
    return Amounts(*(Decimal(value),) * 5)


def answer(
    totals: Mapping[date, Mapping[tuple[str, ...], Amounts]], *, currency: str = "USD", labels: Mapping[str, str] | None = None
) -> CostAnswer:
    """An answer as the AWS layer gives it; the key `()` is a control total."""
    days = tuple(
        DayCosts(
            day,
            (day.year, day.month) == (TODAY.year, TODAY.month),
            groups.get(()),
            {keys: sums for keys, sums in groups.items() if keys},
        )
        for day, groups in sorted(totals.items())
    )
    return CostAnswer(days=days, currency=currency, pages=1, request_ids=("r",), labels=labels or {}, payload_hash="")


@cache
def ledger_answer(cube: Cube, within: DayRange, number: str, as_of: datetime = NOW) -> CostAnswer:
    """What the simulator's Cost Explorer would tell `number` about these days."""
    group_by = tuple(dimension.value for dimension in cube.shape)
    told = {day: LEDGER.totals(day, as_of, group_by=group_by, account=number) for day in days_of(within)}
    return answer({day: {keys: Amounts(*_fields(sums)) for keys, sums in groups.items()} for day, groups in told.items()})


def _fields(sums: object) -> Iterable[Decimal]:
    return (getattr(sums, name) for name in ("unblended", "blended", "amortized", "net_unblended", "net_amortized"))


def store(to: CostSource, cube: Cube, told: CostAnswer, *, at: datetime = NOW) -> facts.Stored:
    ids = facts.prepare(cube=cube, answer=told)
    with transaction.atomic():
        return facts.replace(source=to, cube=cube, answer=told, ids=ids, fetched_at=at, snapshot=None)


def fill(to: CostSource, within: DayRange) -> None:
    """Store every cube of these days."""
    for cube in CUBES:
        store(to, cube, ledger_answer(cube, within, to.account.account_id))
