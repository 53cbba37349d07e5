"""The costs that `bench.explorer` asks about: every cube of single accounts, or of payers with a hundred members each."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import LiteralString

from django.db import ProgrammingError, connection

from accounts.models import AuthMethod, AwsAccount, Grant, User
from bench.costs_data import _AMOUNTS, _SUMS
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostSource, DimensionValue, SourceStatus
from costs.rules.cubes import Cube, Dimension
from costs.services import rollups

DAYS = 400
MEMBERS = 100
SERVICES = 34
_RECORD_TYPES = ("Usage", "Tax", "Credit")
_NUMBERS = 500_000_000_000


@dataclass
class World:
    """`everybody` sees all accounts, `somebody` three of them."""

    payers: bool
    everybody: User = field(init=False)
    somebody: User = field(init=False)
    sources: list[CostSource] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.everybody = User.objects.create_user("everybody", "everybody@example.com", None, role=Role.ADMIN)
        self.somebody = User.objects.create_user("somebody", "somebody@example.com", None, role=Role.VIEWER)
        _values(Dimension.SERVICE, [f"Amazon Service {number:03}" for number in range(SERVICES)])
        _values(Dimension.RECORD_TYPE, _RECORD_TYPES)
        _values(Dimension.REGION, [f"region-{number:02}" for number in range(17)])
        _values(Dimension.USAGE_TYPE, [f"UsageType-{number:03}" for number in range(200)])

    @property
    def facts(self) -> int:
        return _count("SELECT count(*) FROM costs_costfact")

    def ask_bare(self) -> None:
        """Thirteen months of days by service, as plain SQL on everybody's facts."""
        with connection.cursor() as cursor:
            cursor.execute(_BARE)
            cursor.fetchall()

    def grow(self, more: int) -> None:
        """Add sources with all their days, and sum what is new as the product does it."""
        first = len(self.sources)
        new = _payers(first, more) if self.payers else _single(first, more)
        self.sources += new
        if first == 0:
            self._grant(new)
        _fill(new, payers=self.payers)
        _mark()
        _run("VACUUM ANALYZE")  # as the server's own vacuum does some time after a snapshot
        rollups.catch_up()
        _run("VACUUM ANALYZE")
        with suppress(ProgrammingError):  # a right that not everybody has who may make databases
            _run("CHECKPOINT")  # else what was stored is written to the disk for minutes, while pages are measured

    def _grant(self, sources: Sequence[CostSource]) -> None:
        """Three accounts; of a payer's, three that are read from its bill."""
        seen = [source.account for source in sources]
        if self.payers:
            seen = _members(sources[0], 3)
        Grant.objects.bulk_create(Grant(user=self.somebody, account=account, role=Role.VIEWER) for account in seen[:3])


def _single(first: int, more: int) -> list[CostSource]:
    numbers = [f"{_NUMBERS + number}" for number in range(first, first + more)]
    _values(Dimension.ACCOUNT, numbers)
    return _sources(numbers, BillingScope.STANDALONE)


def _payers(first: int, more: int) -> list[CostSource]:
    numbers = [f"{_NUMBERS + number * 1000}" for number in range(first, first + more)]
    _values(Dimension.ACCOUNT, [f"{int(number) + member}" for number in numbers for member in range(MEMBERS)])
    return _sources(numbers, BillingScope.PAYER)


def _members(payer: CostSource, count: int) -> list[AwsAccount]:
    numbers = [f"{int(payer.account.account_id) + number}" for number in range(1, count + 1)]
    members = _sources(numbers, BillingScope.MEMBER, payer)
    return [member.account for member in members]


def _sources(numbers: Sequence[str], scope: BillingScope, payer: CostSource | None = None) -> list[CostSource]:
    accounts = AwsAccount.objects.bulk_create(
        AwsAccount(alias=f"account-{number}", account_id=number, auth_method=AuthMethod.AMBIENT) for number in numbers
    )
    now, status = clock.now(), SourceStatus.COVERED if payer else SourceStatus.OK
    start = now.date() - timedelta(days=DAYS)
    return CostSource.objects.bulk_create(
        CostSource(account=account, scope=scope, status=status, fresh_at=now, covered_by=payer, backfilled_from=start)
        for account in accounts
    )


def _values(dimension: Dimension, values: Sequence[str]) -> None:
    DimensionValue.objects.bulk_create(DimensionValue(dimension=dimension, value=value) for value in values)


def _fill(sources: Sequence[CostSource], *, payers: bool) -> None:
    today = clock.today()
    span: dict[str, int | date | list[int]] = {"first": today - timedelta(days=DAYS - 1), "today": today}
    span |= {"members": MEMBERS if payers else 1, "services": SERVICES if payers else 20, "usage_types": 200 if payers else 22}
    span["sources"] = [source.pk for source in sources]
    for statement in (_PAIRS, _FACTS, _SLICES, _TOTALS, _MONTHS, _MONTH_SLICES):
        _run(statement, **span)
    _run("DROP TABLE bench_pair")


def _mark() -> None:
    """What is summed already holds no facts of the new sources: say so, as the product does when it stores facts."""
    today = clock.today()
    days = [today - timedelta(days=number) for number in range(DAYS)]
    for cube in (Cube.TOTAL, *range(1, 6)):
        rollups.mark(cube=cube, days=days)


def _run(sql: LiteralString, **parameters: int | date | list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)


def _count(sql: LiteralString) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0])


_BARE: LiteralString = """
    SELECT day, second_id, sum(unblended) FROM costs_costfact WHERE cube = 2 AND currency = 'USD' GROUP BY day, second_id
"""

# What each source has on every day.
_PAIRS: LiteralString = """
    CREATE TEMPORARY TABLE bench_pair AS
    WITH numbered AS (
        SELECT id, dimension, row_number() OVER (PARTITION BY dimension ORDER BY value) AS number FROM costs_dimensionvalue
    ), service AS (SELECT * FROM numbered WHERE dimension = 'SERVICE' AND number <= %(services)s),
    record_type AS (SELECT * FROM numbered WHERE dimension = 'RECORD_TYPE'),
    region AS (SELECT * FROM numbered WHERE dimension = 'REGION'),
    usage_type AS (SELECT * FROM numbered WHERE dimension = 'USAGE_TYPE' AND number <= %(usage_types)s),
    source AS (
        SELECT source.id, connected.account_id::bigint AS number FROM costs_costsource source
        JOIN accounts_awsaccount connected ON connected.id = source.account_id WHERE source.id = ANY(%(sources)s)
    ), account AS (
        SELECT source.id AS source_id, value.id FROM source
        CROSS JOIN generate_series(0, %(members)s - 1) member
        JOIN costs_dimensionvalue value ON value.dimension = 'LINKED_ACCOUNT' AND value.value = (source.number + member)::text
    )
    SELECT source.id AS source_id, 1 AS cube, service.id AS first_id, record_type.id AS second_id
    FROM source, service, record_type
    WHERE record_type.number = 3 OR service.number %% 2 = record_type.number - 1
    UNION ALL SELECT account.source_id, 2, account.id, service.id FROM account, service
    UNION ALL SELECT source.id, 3, region.id, service.id FROM source, region, service
    WHERE (service.number + region.number) %% 17 < 2 OR (%(members)s > 1 AND (service.number + region.number) %% 17 = 2)
    UNION ALL SELECT account.source_id, 4, account.id, record_type.id FROM account, record_type
    UNION ALL SELECT source.id, 5, service.id, usage_type.id FROM source, service, usage_type
    WHERE usage_type.number %% (SELECT count(*) FROM service) = service.number - 1
"""

_FACTS: LiteralString = f"""
    INSERT INTO costs_costfact (source_id, cube, day, first_id, second_id, currency, {_AMOUNTS})
    SELECT source_id, cube, day::date, first_id, second_id, 'USD', amount, amount, amount, amount, amount
    FROM bench_pair CROSS JOIN generate_series(%(first)s::date, %(today)s::date, '1 day') day
    CROSS JOIN LATERAL (SELECT round((random() * 900)::numeric, 10) + source_id * 0 + second_id * 0 AS amount) price
    ORDER BY source_id, cube, day, first_id, second_id
"""

_SLICES: LiteralString = f"""
    INSERT INTO costs_costslice (source_id, cube, day, estimated, complete, rows, fetched_at, currency, {_AMOUNTS})
    SELECT source_id, cube, day, day >= date_trunc('month', %(today)s::date), day < %(today)s::date - 2, count(*), now(),
        'USD', {_SUMS}
    FROM costs_costfact WHERE source_id = ANY(%(sources)s) GROUP BY source_id, cube, day ORDER BY source_id, cube, day
"""

_TOTALS: LiteralString = f"""
    INSERT INTO costs_costslice (source_id, cube, day, estimated, complete, rows, fetched_at, currency, {_AMOUNTS})
    SELECT source_id, 0, day, estimated, complete, 0, fetched_at, currency, {_AMOUNTS}
    FROM costs_costslice WHERE cube = 2 AND source_id = ANY(%(sources)s) ORDER BY source_id, day
"""

_MONTHS: LiteralString = f"""
    INSERT INTO costs_costmonth (source_id, cube, month, first_id, second_id, currency, {_AMOUNTS})
    SELECT source_id, cube, date_trunc('month', day), first_id, second_id, currency, {_SUMS}
    FROM costs_costfact WHERE source_id = ANY(%(sources)s)
    GROUP BY source_id, cube, date_trunc('month', day), first_id, second_id, currency
"""

_MONTH_SLICES: LiteralString = f"""
    INSERT INTO costs_costmonthslice (source_id, cube, month, currency, days, complete_days, estimated_days, {_AMOUNTS})
    SELECT source_id, cube, date_trunc('month', day), currency, count(*), count(*) FILTER (WHERE complete),
        count(*) FILTER (WHERE estimated), {_SUMS}
    FROM costs_costslice WHERE source_id = ANY(%(sources)s) GROUP BY source_id, cube, date_trunc('month', day), currency
"""
