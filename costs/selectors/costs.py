"""Answers from stored facts, never from AWS: exact sums, with what is missing, estimated or not told in groups.

However many accounts there are, an answer takes the same number of queries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.money import EXACT, ZERO
from costs.models import CostSource, SourceStatus
from costs.rules import windows
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors import filed, plans, rolled, rows, scope, tags
from costs.selectors.filed import Filed
from costs.selectors.plans import Read, Tagged, Values
from costs.selectors.questions import Answer, Completeness, Granularity, Group, MixedCurrencies, Period, Question
from costs.selectors.rolled import Rolled
from costs.selectors.rows import Asked, Flags, FlagsFound, Sums, SumsFound
from costs.selectors.scope import Part

LOST = frozenset({SourceStatus.DENIED, SourceStatus.NOT_ENABLED, SourceStatus.PARTIAL, SourceStatus.STALE})
_DAY = timedelta(days=1)
_FOLDED = ("", "")


def answer(user: User | AnonymousUser, question: Question, accounts: Sequence[str] = ()) -> Answer:
    """The costs that `user` may see, of `accounts` (ids, aliases, numbers) or of all.

    Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue.
    """
    return Reader(user, accounts).answer(question)


class Reader:
    """Answers several questions of one person about the same accounts, looking up once what they have in common."""

    def __init__(
        self, user: User | AnonymousUser, accounts: Sequence[str] = (), *, sources: Sequence[CostSource] | None = None
    ) -> None:
        """`sources`: those of `selectors.sources.visible(user)`, where they have been read already."""
        self._user = user
        self._accounts = accounts
        self._sources = sources
        self._flags_read: dict[object, dict[DayRange, FlagsFound]] = {}
        self._sums_read: dict[Question, SumsFound] = {}
        self._is_same = False  # whether the sums were found unchanged after the last reading

    @cached_property
    def parts(self) -> list[Part]:
        return scope.parts(self.sources, self._accounts)

    @cached_property
    def sources(self) -> Sequence[CostSource]:
        """Those that the person may see, whether or not the questions are narrowed to some."""
        return scope.sources_of(self._user) if self._sources is None else self._sources

    @cached_property
    def _looked_up(self) -> tuple[Rolled, Values]:
        return rolled.look_up()

    @cached_property
    def _rolled(self) -> Rolled:
        return self._looked_up[0]

    @cached_property
    def _values(self) -> Values:
        return self._looked_up[1]

    def known(self, dimension: Dimension) -> list[str]:
        """Every value of `dimension` that AWS ever told; not those of usage types and tags."""
        return self._values.all_of(dimension)

    @cached_property
    def _tagged(self) -> Tagged:
        return tags.stored(self.sources)

    @cached_property
    def tag_keys(self) -> list[str]:
        """The tags that any of these costs are stored by."""
        keys = {cube.shape[0].tag_key for cube in plans.all_of(self._tagged)}
        return sorted(key for key in keys if key)

    def _tags_for(self, dimensions: Iterable[Dimension]) -> Tagged:
        """Looked up only where a question is about tags."""
        return self._tagged if any(dimension.tag_key for dimension in dimensions) else {}

    def _reads(self, question: Question) -> list[Read]:
        asked = (*question.group_by, *question.filtered, *question.beside)
        return plans.reads(self.parts, question, self._values, self._tags_for(asked), self._rolled.sources)

    @property
    def as_of(self) -> datetime | None:
        """When the oldest of the figures was fetched, of those that still come; None when some never were."""
        fetched = [part.source.fresh_at for part in self.going_on().parts]
        return min((moment for moment in fetched if moment), default=None) if all(fetched) else None

    @cached_property
    def _filed(self) -> Filed:
        return filed.among(part.source for part in self.parts)

    def going_on(self) -> Reader:
        """The same without accounts whose last billing file is long ago; itself where there are none, or no others."""
        going = [part for part in self.parts if part.source.pk not in self._filed.ended]
        if not going or len(going) == len(self.parts):
            return self
        reader = Reader(self._user, self._accounts, sources=self.sources)
        reader.parts = going
        return reader

    @cached_property
    def misses_accounts(self) -> bool:
        """Whether AWS never told the costs of one of these accounts."""
        return any(part.is_silent for part in self.parts)

    def tells(self, dimensions: Iterable[Dimension], *, of: Sequence[str] | None = None) -> bool:
        """Whether stored costs tell all of `dimensions` apart, narrowed to the accounts in `of`; None: as this reader is."""
        wanted = frozenset(dimensions)
        parts = scope.parts(self.sources) if self._accounts else self.parts
        narrowed = wanted | {Dimension.ACCOUNT} if (self._accounts if of is None else of) else wanted
        tagged = self._tags_for(wanted)
        return all(plans.cube_of(part, narrowed if part.is_payer else wanted, tagged) is not None for part in parts)

    def answer(self, question: Question) -> Answer:
        """Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue."""
        reads = self._reads(question)
        found = self._answer(question, reads)
        in_full = self._in_full(question)
        if any(read.is_mixed for read in (*reads, *(self._reads(in_full) if in_full else ()))) and not self._holds():
            # Facts changed meanwhile: what was taken out of the sums may not be what is in them. Facts alone are always right.
            self._rolled = rolled.NOTHING
            self._flags_read.clear()
            self._sums_read.clear()
            return self._answer(question, self._reads(question))
        return found

    def _holds(self) -> bool:
        """Whether all that was read so far is of the facts and sums that were found at first."""
        self._is_same = self._is_same or rolled.find() == self._rolled
        return self._is_same

    def _find(self, flags_of: Sequence[Asked], sums_of: Sequence[Asked]) -> tuple[list[FlagsFound], list[SumsFound]]:
        self._is_same = False
        return rows.find(flags_of, sums_of, self._rolled)

    def _answer(self, question: Question, reads: Sequence[Read]) -> Answer:
        flags = self._flags(reads, question)
        currency = _currency(flags, question)
        sums = self._sums(reads, question, currency) if currency else {}
        in_full = self._in_full(question)
        full = self._sums(self._reads(in_full), in_full, currency) if currency and in_full else {}
        self._values.complete(pk for period in sums.values() for keys in period.groups for pk in keys if pk != rows.NOT_TOLD)
        silent = {part.source.pk for part in self.parts if part.is_silent}
        if currency and len(flags) > 1:
            silent |= {part.source.pk for part in self.parts} - rows.sources_in(currency, reads)
        sources = tuple(source for read in reads for source in set(read.sources) - silent)
        assembly = _Assembly(question, sources, self._filed, self._values, flags.get(currency or "", {}), sums, full)
        periods = tuple(assembly.period(days) for days in _periods(question))
        known = [period.total for period in periods if period.total is not None]
        return Answer(
            question=question,
            currency=currency,
            periods=periods,
            total=add(known) if known else None,
            residual=add(period.residual for period in periods),
            as_of=self.as_of,
        )

    def _in_full(self, question: Question) -> Question | None:
        """Only whole bills of several accounts have fees to share out."""
        return question.in_full if any(part.is_payer and part.is_whole for part in self.parts) else None

    def by_currency(self, question: Question) -> tuple[Answer, ...]:
        """One answer for each currency that the costs are in, by its code; one without a currency where nothing is stored."""
        found: list[str | None] = [*sorted(self._flags(self._reads(question), question))]
        return tuple(self.answer(replace(question, currency=currency)) for currency in found or [None])

    def prepare(self, *questions: Question, around: Sequence[Question] = ()) -> None:
        """Read in one query what `questions` need, and how complete the periods of the questions in `around` are: of days within
        them nothing more has to be read for that.
        """
        in_full = [found for question in questions if (found := self._in_full(question))]
        asked = [Asked(self._reads(question), question, question.currency) for question in (*around, *questions, *in_full)]
        flags_of = [one for one in asked[: len(around)] if one.question.days not in self._alike(one.reads, one.question)]
        sums_of = asked[len(around) :]
        flags, sums = self._find(flags_of, sums_of)
        for one, flags_found in zip(flags_of, flags, strict=True):
            self._alike(one.reads, one.question)[one.question.days] = flags_found
        for one, sums_found in zip(sums_of, sums, strict=True):
            self._sums_read[one.question] = sums_found

    def _sums(self, reads: Sequence[Read], question: Question, currency: str) -> Mapping[date, Sums]:
        found = self._sums_read.get(question) or self._sums_read.get(replace(question, currency=None))
        if found is None:
            _, (found,) = self._find((), [Asked(reads, question, currency)])
        return found.get(currency, {})

    def _flags(self, reads: Sequence[Read], question: Question) -> FlagsFound:
        """Those of days are found in a longer span's."""
        alike = self._alike(reads, question)
        if question.days not in alike:
            inside = self._of_others(reads, question)
            if inside is None:
                (inside,), _ = self._find([Asked(reads, question)], ())
            alike[question.days] = inside
        return alike[question.days]

    def _alike(
        self, reads: Sequence[Read], question: Question, granularity: Granularity | None = None
    ) -> dict[DayRange, FlagsFound]:
        """The flags that were read of questions that differ only in their days and in their groups, which flags do not tell."""
        of = tuple((read.flag_cube, read.sources) for read in reads)
        return self._flags_read.setdefault((of, granularity or question.granularity, question.metric), {})

    def _of_others(self, reads: Sequence[Read], question: Question) -> FlagsFound | None:
        """Made of flags that were read already; None where there are none that tell it."""
        found = _of_longer(self._alike(reads, question, Granularity.DAILY), question)
        if found is None and question.granularity is Granularity.WHOLE:
            monthly = self._alike(reads, question, Granularity.MONTHLY).get(question.days)
            return None if monthly is None else _summed(monthly, question)
        return found

    @property
    def lost(self) -> tuple[Completeness, ...]:
        """The accounts whose costs AWS does not tell, or told in part or long ago, each with why."""
        return tuple(_completeness(part, 0) for part in self.parts if part.source.status in LOST)

    def completeness(self, question: Question) -> tuple[Completeness, ...]:
        """How far the figures of each account can be trusted, for the days of `question` that have begun."""
        until = min(question.days.end, clock.today() + _DAY)
        if until <= question.days.start:
            return tuple(_completeness(part, 0) for part in self.parts)
        begun = DayRange(question.days.start, until)
        whole = replace(question, granularity=Granularity.WHOLE)
        reads = self._reads(whole)
        if self._has_all(reads, question, begun):
            return tuple(_completeness(part, 0) for part in self.parts)
        stored = rows.days_stored(reads, whole)
        expected = {part.source.pk: self._filed.days(part.source.pk, begun) for part in self.parts}
        return tuple(_completeness(part, max(0, expected[part.source.pk] - stored.get(part.source.pk, 0))) for part in self.parts)

    def _has_all(self, reads: Sequence[Read], question: Question, begun: DayRange) -> bool:
        """Whether the flags, which are of all sources together, count every day of each: then nobody needs to be asked alone.

        Where there are several currencies a day may count twice, so their number says nothing.
        """
        flags = self._flags(reads, question)
        days = sum(period.days for periods in flags.values() for period in periods.values())
        sources = {source for read in reads for source in read.sources}
        return len(flags) <= 1 and days == sum(self._filed.days(source, begun) for source in sources)


def add(amounts: Iterable[Decimal]) -> Decimal:
    """An exact sum, however many digits it takes."""
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _of_longer(read: Mapping[DayRange, FlagsFound], question: Question) -> FlagsFound | None:
    """The flags of single days, or of all of them, out of those of a span around them, if one was read by day."""
    if question.granularity is Granularity.MONTHLY:
        return None
    start, end = question.days.start, question.days.end
    around = next((found for days, found in read.items() if days.start <= start and end <= days.end), None)
    if around is None:
        return None
    inside = {currency: {day: one for day, one in days.items() if start <= day < end} for currency, days in around.items()}
    inside = {currency: days for currency, days in inside.items() if days}
    return _summed(inside, question) if question.granularity is Granularity.WHOLE else inside


def _summed(flags: FlagsFound, question: Question) -> FlagsFound:
    """The flags of the whole span out of those of its periods."""
    return {currency: {question.days.start: Flags.sum(periods.values())} for currency, periods in flags.items()}


def _currency(flags: Mapping[str, object], question: Question) -> str | None:
    if question.currency:
        return question.currency
    if len(flags) > 1:
        raise MixedCurrencies(flags)
    return next(iter(flags), None)


def _periods(question: Question) -> list[DayRange]:
    days = question.days
    match question.granularity:
        case Granularity.WHOLE:
            return [days]
        case Granularity.MONTHLY:
            return list(reversed(windows.chunks(days, 1)))
        case Granularity.DAILY:
            return [DayRange(day, day + _DAY) for day in (days.start + _DAY * number for number in range(days.days))]


def _completeness(part: Part, missing_days: int) -> Completeness:
    return Completeness(
        account=part.shown.account_id,
        alias=part.shown.account.alias,
        account_id=part.shown.account.account_id,
        status=part.source.status,
        code=part.source.status_code,
        detail=part.source.status_detail,
        remedy=part.source.status_remedy,
        observed_at=part.source.fresh_at,
        missing_days=missing_days,
    )


@dataclass(frozen=True, slots=True)
class _Assembly:
    """Puts flags and sums together, period by period."""

    question: Question
    sources: tuple[int, ...]
    filed: Filed
    values: Values
    flags: Mapping[date, Flags]
    sums: Mapping[date, Sums]
    full: Mapping[date, Sums]  # with the question's whole total, where `sums` may have lost a part of it
    # The same few groups come in each of many periods.
    named: dict[tuple[int, ...], tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    def period(self, days: DayRange) -> Period:
        flags = self.flags.get(days.start, Flags())
        sums = self.sums.get(days.start, Sums())
        total = EXACT.add(flags.control, self.full.get(days.start, sums).uncontrolled) if flags.days else None
        groups = self._groups(sums)
        told = add(group.amount for group in groups)
        return Period(
            start=days.start,
            end=days.end,
            estimated=flags.estimated > 0,
            complete=0 < flags.complete == self._expected(days),
            total=total,
            residual=ZERO if total is None or not self.question.group_by else EXACT.subtract(total, told),
            groups=groups,
        )

    def _expected(self, days: DayRange) -> int:
        """How many slices the period has once all of it is known."""
        if not self.filed.spans:
            return len(self.sources) * days.days
        return sum(self.filed.days(source, days) for source in self.sources)

    def _groups(self, sums: Sums) -> tuple[Group, ...]:
        if not self.question.group_by:
            return ()
        groups = (self._group(keys, amount) for keys, amount in sums.groups.items())
        return tuple(sorted(groups, key=lambda group: (-group.amount, group.keys)))

    def _group(self, ids: tuple[int, ...], amount: Decimal) -> Group:
        if ids not in self.named:
            names = [_FOLDED if pk == rows.NOT_TOLD else self.values.names[pk] for pk in ids]
            self.named[ids] = tuple(value for value, _ in names), tuple(label for _, label in names)
        keys, labels = self.named[ids]
        return Group(keys, labels, amount)
