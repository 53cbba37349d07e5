"""The database that `bench.costs` measures: made by the server itself, in the order in which snapshots would have stored it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import LiteralString

from django.db import connection, transaction

from accounts.models import AuthMethod, AwsAccount, Grant, User
from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, DayCosts
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostSource, DimensionValue, SourceStatus
from costs.rules.cubes import Cube, Dimension
from costs.services import copying, facts
from costs.services.copying import FactRow, Place

_SERVICE = [f"Amazon Service {number:03}" for number in range(100)]
_RECORD_TYPES = ("Usage", "Tax", "Credit")


@dataclass(frozen=True)
class World:
    """`everybody` sees all accounts, `somebody` one. `days` have costs; `end` is the day after the last."""

    everybody: User
    somebody: User
    sources: Sequence[CostSource]
    days: Sequence[date]
    end: date


def fill(*, accounts: int, days: int, services: int) -> World:
    today = clock.today()
    span = [today - timedelta(days=number) for number in range(days - 1, -1, -1)]
    sources = _sources(accounts)
    _values(Dimension.SERVICE, _SERVICE[:services])
    _values(Dimension.RECORD_TYPE, _RECORD_TYPES)
    _values(Dimension.ACCOUNT, [source.account.account_id for source in sources])
    for cube, second in ((Cube.ACCOUNT_SERVICE, Dimension.SERVICE), (Cube.ACCOUNT_RECORD_TYPE, Dimension.RECORD_TYPE)):
        _run(_FACTS, cube=cube, second=second, first=span[0], last=span[-1])
    _run(_TOTALS, today=today)
    _run(_MONTHS)
    _run(_MONTH_SLICES)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server's own vacuum does some time after a snapshot
    admin = User.objects.create_user("everybody", "everybody@example.com", None, role=Role.ADMIN)
    viewer = User.objects.create_user("somebody", "somebody@example.com", None, role=Role.VIEWER)
    Grant.objects.create(user=viewer, account=sources[0].account, role=Role.VIEWER)
    return World(admin, viewer, sources, span, today + timedelta(days=1))


def _sources(count: int) -> list[CostSource]:
    accounts = AwsAccount.objects.bulk_create(
        AwsAccount(alias=f"account-{number:03}", account_id=f"{500_000_000_000 + number}", auth_method=AuthMethod.AMBIENT)
        for number in range(count)
    )
    now = clock.now()
    return CostSource.objects.bulk_create(
        CostSource(account=account, scope=BillingScope.STANDALONE, status=SourceStatus.OK, fresh_at=now) for account in accounts
    )


def _values(dimension: Dimension, values: Sequence[str]) -> None:
    DimensionValue.objects.bulk_create(DimensionValue(dimension=dimension, value=value) for value in values)


def _run(sql: LiteralString, **parameters: str | int | date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


_AMOUNTS: LiteralString = "unblended, blended, amortized, net_unblended, net_amortized"
_SUMS: LiteralString = "sum(unblended), sum(blended), sum(amortized), sum(net_unblended), sum(net_amortized)"

_FACTS: LiteralString = f"""
    INSERT INTO costs_costfact (source_id, cube, day, first_id, second_id, currency, {_AMOUNTS})
    SELECT source.id, %(cube)s, day::date, account.id, value.id, 'USD', amount, amount, amount, amount, amount
    FROM costs_costsource source
    JOIN accounts_awsaccount connected ON connected.id = source.account_id
    JOIN costs_dimensionvalue account ON account.dimension = 'LINKED_ACCOUNT' AND account.value = connected.account_id
    CROSS JOIN generate_series(%(first)s::date, %(last)s::date, '1 day') day
    JOIN costs_dimensionvalue value ON value.dimension = %(second)s
    CROSS JOIN LATERAL (SELECT round((random() * 900)::numeric, 10) + source.id * 0 + value.id * 0 AS amount) price
    ORDER BY source.id, day, value.id
"""

_TOTALS: LiteralString = f"""
    INSERT INTO costs_costslice (source_id, cube, day, estimated, complete, rows, fetched_at, currency, {_AMOUNTS})
    SELECT source_id, cube.cube, day, day >= date_trunc('month', %(today)s::date), day < %(today)s::date - 2, count(*), now(),
        'USD', {_SUMS}
    FROM costs_costfact CROSS JOIN (VALUES (0), (2), (4)) cube (cube)
    WHERE costs_costfact.cube = 2
    GROUP BY source_id, cube.cube, day
"""

_MONTHS: LiteralString = f"""
    INSERT INTO costs_costmonth (source_id, cube, month, first_id, second_id, currency, {_AMOUNTS})
    SELECT source_id, cube, date_trunc('month', day), first_id, second_id, currency, {_SUMS}
    FROM costs_costfact GROUP BY source_id, cube, date_trunc('month', day), first_id, second_id, currency
"""

_MONTH_SLICES: LiteralString = f"""
    INSERT INTO costs_costmonthslice (source_id, cube, month, currency, days, complete_days, estimated_days, {_AMOUNTS})
    SELECT source_id, cube, date_trunc('month', day), currency, count(*), count(*) FILTER (WHERE complete),
        count(*) FILTER (WHERE estimated), {_SUMS}
    FROM costs_costslice GROUP BY source_id, cube, date_trunc('month', day), currency
"""


@dataclass(frozen=True)
class Window:
    """One answer of Cost Explorer, to be stored as the product does it and copied as bare rows."""

    source: CostSource
    answer: CostAnswer
    rows: Sequence[FactRow]

    @property
    def size(self) -> int:
        return len(self.rows)

    def store(self) -> None:
        """In place of the same days, with totals, monthly sums and all that belongs to it."""
        ids = facts.prepare(cube=Cube.ACCOUNT_SERVICE, answer=self.answer)
        with transaction.atomic():
            facts.replace(
                source=self.source,
                cube=Cube.ACCOUNT_SERVICE,
                answer=self.answer,
                ids=ids,
                fetched_at=clock.now(),
                snapshot=None,
            )

    def empty(self) -> None:
        """The same rows into an empty table with the same keys, and nothing around it."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS bare_fact (LIKE costs_costfact INCLUDING ALL)")
            cursor.execute("TRUNCATE bare_fact")

    def copy(self) -> None:
        columns = ", ".join(copying.COLUMNS)
        statement = f"COPY bare_fact ({columns}) FROM STDIN"
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in self.rows:
                copy.write_row(row)


def window(world: World, *, days: int, services: int) -> Window:
    random = Random(1)
    source = world.sources[0]
    account = source.account.account_id
    told = tuple(
        DayCosts(
            day,
            estimated=False,
            total=None,
            groups={(account, name): Amounts(*(_price(random) for _ in range(5))) for name in _SERVICE[:services]},
        )
        for day in world.days[-days:]
    )
    answer = CostAnswer(told, "USD", 1, ("request",), {}, "")
    ids = facts.prepare(cube=Cube.ACCOUNT_SERVICE, answer=answer)
    rows = [
        FactRow.of(Place(source.pk, Cube.ACCOUNT_SERVICE, day.day), ids[keys], "USD", amounts)
        for day in told
        for keys, amounts in day.groups.items()
    ]
    return Window(source, answer, rows)


def _price(random: Random) -> Decimal:
    return Decimal(random.randrange(10**12)).scaleb(-10)
