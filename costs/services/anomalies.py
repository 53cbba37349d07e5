"""Looking for unusual costs: a source's last complete days are judged anew, and its episodes brought into line with the verdicts.

Facts are read before the transaction, episodes within it. A worker that was overtaken meanwhile writes nothing: whoever was
quicker has newer figures. Judging the same facts again changes no row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from django.db import transaction
from django.db.models import F, Q, QuerySet

from cloudconsole import realtime
from cloudconsole.core import clock, jobs
from cloudconsole.core.money import DECIMAL_PLACES, EXACT, total
from costs.models import (
    LEFT_OUT,
    AnomalyKind,
    AnomalyStatus,
    AnomalyWatch,
    Assessment,
    CostAnomaly,
    CostAnomalyDay,
    CostSource,
    FoundBy,
)
from costs.rules import baselines, detection, episodes, settle
from costs.rules.baselines import Limits, Series, Verdict
from costs.rules.episodes import Episode
from costs.rules.usage import NOTHING
from costs.rules.windows import DayRange
from costs.selectors import anomaly_rules, usage
from costs.selectors.usage import Key, Usage
from costs.services import anomaly_alerts

JUDGE = "costs.judge_anomalies"
# AWS restates the days of last month until its invoice is final.
JUDGED_DAYS = 35
SHOWN_BEFORE = timedelta(days=21)  # and after an episode its days are kept, for the eye to compare with
SHOWN_AFTER = timedelta(days=7)
_DAY = timedelta(days=1)
_CENT = Decimal(1).scaleb(-DECIMAL_PLACES)


def ring(*, source_id: int) -> None:
    """Have the source judged soon: something that verdicts depend on has changed. Call inside a transaction."""
    AnomalyWatch.objects.get_or_create(source_id=source_id)
    AnomalyWatch.objects.filter(source_id=source_id).update(asked=F("asked") + 1)
    jobs.enqueue(JUDGE, source_id=source_id)


def ring_all() -> None:
    """The same for all sources that are judged by themselves."""
    for source_id in CostSource.objects.counted().values_list("pk", flat=True):
        ring(source_id=source_id)


def due() -> list[int]:
    """Sources that were fetched since they were judged, or of which something else changed."""
    fetched = CostSource.objects.counted().exclude(fresh_at=None)
    never, behind = Q(anomaly_watch=None), Q(anomaly_watch__answered__lt=F("anomaly_watch__asked"))
    newer = Q(anomaly_watch__judged_at=None) | Q(anomaly_watch__judged_at__lt=F("fresh_at"))
    return list(fetched.filter(never | behind | newer).order_by("pk").values_list("pk", flat=True))


def judge(*, source_id: int) -> None:
    """Judge the last complete days of the source as they are stored now. Safe to call at any time, by several at once."""
    source = CostSource.objects.counted().select_related("account").filter(pk=source_id).first()
    if source is None:
        return
    watch, _ = AnomalyWatch.objects.get_or_create(source=source)
    now = clock.now()
    end = settle.last_complete_day(now.date()) + _DAY
    days = DayRange(end - _DAY * JUDGED_DAYS, end)
    read = DayRange(days.start - SHOWN_BEFORE - baselines.REACH, days.end)
    bills = [_Bill(source, told, days, now) for told in usage.of_source(source, read)]
    for bill in bills:
        bill.find()
    with transaction.atomic():
        overtaken = not AnomalyWatch.objects.filter(pk=watch.pk, judged_at=watch.judged_at).update(
            judged_at=now, judged_through=max((bill.last_day for bill in bills), default=None), answered=watch.asked
        )
        if overtaken:
            return
        if sum(bill.store() for bill in bills):
            realtime.publish("anomaly", source.pk, source.account_id)


def episodes_of(source: CostSource) -> QuerySet[CostAnomaly]:
    """Episodes in this bill, and of members whose bill it has become."""
    return CostAnomaly.objects.filter(Q(source=source) | Q(source__covered_by=source))


@dataclass(frozen=True, slots=True)
class _Found:
    """One series as it was judged: its unusual days, and all verdicts there are."""

    unusual: Mapping[date, Verdict]
    verdicts: Mapping[date, Verdict]
    amounts: Mapping[date, Decimal]


class _Bill:
    """One source's usage in one currency."""

    def __init__(self, source: CostSource, told: Usage, days: DayRange, now: datetime) -> None:
        self.source = source
        self.told = told
        self.days = days
        self.now = now
        self.limits_of = anomaly_rules.limits(told.currency)
        self.found: dict[Key, _Found] = {}

    @property
    def last_day(self) -> date:
        return max(self.told.complete_by_account, default=self.days.start - _DAY)

    def find(self) -> None:
        stored = episodes_of(self.source).filter(currency=self.told.currency)
        assessed = stored.exclude(assessment="").filter(last_day__gte=self.days.start - SHOWN_BEFORE - baselines.REACH)
        accepted = _Accepted.of(assessed)
        going_on = {_key(row) for row in stored.filter(_may_change(self.days))}
        series = {key: self._series(key, accepted) for key in {*self.told.amounts, *going_on}}
        by_parts = {(key.account_number, key.region, key.service): one for key, one in series.items()}
        unusual = detection.unusual(by_parts, _dates(self.days), self.limits_of)
        for key in {*(Key(*parts) for parts in unusual), *going_on}:
            told = unusual.get((key.account_number, key.region, key.service), {})
            self.found[key] = self._judged(key, series[key], {day: one for day, one in told.items() if accepted.counts(key, day)})

    def _series(self, key: Key, accepted: _Accepted) -> Series:
        return Series(
            self.told.complete_for(key), self.told.amounts.get(key, {}), accepted.left_out[key], accepted.restart_of(key)
        )

    def _judged(self, key: Key, series: Series, unusual: Mapping[date, Verdict]) -> _Found:
        shown = _dates(DayRange(self.days.start - SHOWN_BEFORE, self.days.end))
        limits = self.limits_of(key.account_number)
        told = {day: verdict for day in shown if (verdict := series.judge(day, limits)) is not None}
        known = {day: series.amounts.get(day, NOTHING).low for day in shown if day in series.complete}
        return _Found(unusual, told, known)

    def store(self) -> int:
        """Bring the episodes into line; how many rows that changed."""
        stored = episodes_of(self.source).filter(_may_change(self.days), currency=self.told.currency)
        by_key: dict[Key, list[CostAnomaly]] = defaultdict(list)
        for row in stored.exclude(assessment=Assessment.EXPECTED).select_for_update(of=("self",)).order_by("pk"):
            by_key[_key(row)].append(row)
        return sum(_Line(self, key, found, by_key[key]).store() for key, found in sorted(self.found.items()))


@dataclass(frozen=True, slots=True)
class _Accepted:
    """What people said of earlier episodes, by series. A new level of an account is one of the regions it is in as well."""

    restarts: Mapping[Key, date]
    left_out: Mapping[Key, Collection[date]]
    covered: Mapping[Key, Collection[DayRange]]

    @classmethod
    def of(cls, assessed: QuerySet[CostAnomaly]) -> _Accepted:
        restarts: dict[Key, date] = {}
        left_out: dict[Key, set[date]] = defaultdict(set)
        covered: dict[Key, list[DayRange]] = defaultdict(list)
        rows = list(assessed.exclude(status=AnomalyStatus.WITHDRAWN))
        for row in rows:
            if row.assessment == Assessment.EXPECTED:
                key = _key(row)
                restarts[key] = max(row.started_on, restarts.get(key, row.started_on))
                covered[key].append(DayRange(row.started_on, row.last_day + _DAY))
        out = [row for row in rows if row.assessment in LEFT_OUT]
        of_row = {row.pk: _key(row) for row in out}
        for anomaly, day in CostAnomalyDay.objects.filter(anomaly__in=out, is_unusual=True).values_list("anomaly", "day"):
            left_out[of_row[anomaly]].add(day)
        return cls(restarts, left_out, covered)

    def restart_of(self, key: Key) -> date | None:
        """The first day of the latest level that was accepted."""
        return max((day for other, day in self.restarts.items() if _concerns(other, key)), default=None)

    def counts(self, key: Key, day: date) -> bool:
        """Whether the day belongs to no episode that was accepted as the new normal."""
        covering = (days for other, ranges in self.covered.items() if _concerns(other, key) for days in ranges)
        return not any(days.start <= day < days.end for days in covering)


def _concerns(accepted: Key, key: Key) -> bool:
    return accepted == key or (bool(key.region) and not accepted.region and accepted.service == key.service)


class _Line:
    """The episodes of one series."""

    def __init__(self, bill: _Bill, key: Key, found: _Found, stored: list[CostAnomaly]) -> None:
        self.bill = bill
        self.key = key
        self.found = found
        self.live = {row.pk: row for row in stored if row.status != AnomalyStatus.WITHDRAWN}
        self.withdrawn = {row.pk: row for row in stored if row.status == AnomalyStatus.WITHDRAWN}
        self.rows = _rows_of([*self.live, *self.withdrawn])

    def store(self) -> int:
        frozen = {day for pk in self.live for day in self._own_days(pk) if day < self.bill.days.start}
        judged = [day for day in self.found.verdicts if day >= self.bill.days.start]
        told = episodes.episodes({*frozen, *self.found.unusual}, judged)
        matched = episodes.match(told, {pk: self._claimed_days(row) for pk, row in self.live.items()})
        unclaimed = [episode for episode, pk in matched.found if pk is None]
        revived = episodes.match(unclaimed, {pk: _span(row) for pk, row in self.withdrawn.items()})
        back = {episode: pk for episode, pk in revived.found if pk is not None}
        # Those that are none any more go first: of a series only one may be open.
        changed = sum(self._withdraw(self.live[pk]) for pk in matched.gone)
        for episode, pk in matched.found:
            row = self.live.get(pk or 0) or self.withdrawn.get(back.get(episode, 0))
            changed += self._write(episode, row)
        return changed

    def _own_days(self, pk: int) -> Iterable[date]:
        return (row.day for row in self.rows[pk].values() if row.is_unusual)

    def _claimed_days(self, row: CostAnomaly) -> Collection[date]:
        return _span(row) if row.found_by == FoundBy.AWS else list(self._own_days(row.pk))

    def _withdraw(self, row: CostAnomaly) -> int:
        """AWS restated the costs, or the limits changed. What AWS itself still calls unusual stays as that."""
        if row.found_by == FoundBy.AWS:
            return 0
        changes = {"found_by": FoundBy.AWS} if row.found_by == FoundBy.BOTH else {"status": AnomalyStatus.WITHDRAWN}
        CostAnomaly.objects.filter(pk=row.pk).update(updated_at=self.bill.now, **changes)
        return 1

    def _write(self, episode: Episode, row: CostAnomaly | None) -> int:
        known = self.rows.get(row.pk, {}) if row else {}
        days = self._days(episode, known)
        unusual = [days[day] for day in episode.days]
        facts = self._facts(episode, row, unusual)
        if row is None:
            row = CostAnomaly(detected_at=self.bill.now, updated_at=self.bill.now, **facts)
            row.save(force_insert=True)
            changed = 1
        else:
            changed = self._update(row, facts)
        changed += _write_days(row, days, known)
        anomaly_alerts.announce(anomaly=row, limits=self._limits(), last_complete=self.bill.last_day)
        return changed

    def _limits(self) -> Limits:
        return self.bill.limits_of(self.key.account_number)

    def _update(self, row: CostAnomaly, facts: Mapping[str, object]) -> int:
        different = {name: value for name, value in facts.items() if getattr(row, name) != value}
        if not different:
            return 0
        for name, value in {**different, "updated_at": self.bill.now}.items():
            setattr(row, name, value)
        row.save(update_fields=[*different, "updated_at"])
        return 1

    def _facts(self, episode: Episode, row: CostAnomaly | None, unusual: list[CostAnomalyDay]) -> dict[str, object]:
        told = [self.found.unusual[day] for day in episode.days if day in self.found.unusual]
        first = self.found.unusual.get(episode.start)
        seen_by_aws = row is not None and row.found_by != FoundBy.CLOUDCONSOLE
        kind = AnomalyKind.NEW if first and first.is_new else AnomalyKind.SPIKE
        impacts = [EXACT.subtract(day.actual, day.expected or Decimal(0)) for day in unusual]
        return {
            "source": self.bill.source,
            "account_number": self.key.account_number,
            "region": self.key.region,
            "service": self.key.service,
            "currency": self.bill.told.currency,
            "kind": row.kind if row is not None and first is None else kind,
            "status": AnomalyStatus.OPEN if episode.is_open else AnomalyStatus.CLOSED,
            "found_by": FoundBy.BOTH if seen_by_aws else FoundBy.CLOUDCONSOLE,
            "started_on": episode.start,
            "last_day": episode.last,
            "days": len(episode.days),
            "actual": total(day.actual for day in unusual),
            "expected": total(day.expected or Decimal(0) for day in unusual),
            "impact": total(impacts),
            "peak": max(impacts),
            "is_exact": all(verdict.is_exact for verdict in told),
        }

    def _days(self, episode: Episode, known: Mapping[date, CostAnomalyDay]) -> dict[date, CostAnomalyDay]:
        """The episode's days with those around it; what lies before the judged days stays as it is."""
        kept = {day: row for day, row in known.items() if day < self.bill.days.start and episode.start < self.bill.days.start}
        since = self.bill.days.start if kept else episode.start - SHOWN_BEFORE
        around = [day for day in self.found.amounts if since <= day <= episode.last + SHOWN_AFTER]
        return {**{day: self._day(day, day in episode.days) for day in around}, **kept}

    def _day(self, day: date, is_unusual: bool) -> CostAnomalyDay:
        verdict = self.found.verdicts.get(day)
        return CostAnomalyDay(
            day=day,
            actual=self.found.amounts[day],
            expected=_rounded(verdict.expected) if verdict else None,
            limit=_rounded(verdict.limit) if verdict else None,
            is_unusual=is_unusual,
        )


def _write_days(anomaly: CostAnomaly, wanted: Mapping[date, CostAnomalyDay], known: Mapping[date, CostAnomalyDay]) -> int:
    """Only what differs is written."""
    same = {day for day, row in wanted.items() if day in known and _told(row) == _told(known[day])}
    CostAnomalyDay.objects.filter(anomaly=anomaly, day__in=[day for day in known if day not in same]).delete()
    new = [row for day, row in sorted(wanted.items()) if day not in same]
    for row in new:
        row.anomaly = anomaly
    CostAnomalyDay.objects.bulk_create(new)
    return len(new) + len(known) - len(same)


def _told(row: CostAnomalyDay) -> tuple[object, ...]:
    return row.actual, row.expected, row.limit, row.is_unusual


def _rows_of(anomalies: Iterable[int]) -> dict[int, dict[date, CostAnomalyDay]]:
    found: dict[int, dict[date, CostAnomalyDay]] = {pk: {} for pk in anomalies}
    for row in CostAnomalyDay.objects.filter(anomaly__in=list(found)):
        found[row.anomaly_id][row.day] = row
    return found


def _may_change(days: DayRange) -> Q:
    return Q(last_day__gte=days.start - episodes.REOPEN) | Q(status=AnomalyStatus.OPEN)


def _key(row: CostAnomaly) -> Key:
    return Key(row.account_number, row.region, row.service)


def _span(row: CostAnomaly) -> list[date]:
    return _dates(DayRange(row.started_on, row.last_day + _DAY))


def _dates(days: DayRange) -> list[date]:
    return [days.start + _DAY * number for number in range(days.days)]


def _rounded(amount: Decimal) -> Decimal:
    """A median between two amounts may have a digit more than is kept."""
    return amount.quantize(_CENT, ROUND_HALF_EVEN, EXACT)
