"""What is to become of a row: new, known already, changed, or perhaps known. Nothing is merged or dropped on a guess.

Rows that nothing tells apart are counted, not collapsed: with k of them in the file and m among the expenses, max(0, k − m) are
new. So the same file twice adds nothing, and two real coffees stay two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from expenses.rules.entries import Entry
from expenses.rules.importing import payees
from expenses.rules.importing.readings import Incoming


class Verdict(StrEnum):
    NEW = "new"
    DUPLICATE = "duplicate_exact"
    KEPT = "duplicate_in_file_kept"
    NEAR = "near_match"
    CHANGED = "changed"
    INVALID = "invalid"
    SKIPPED = "skipped_by_user"


class Decision(StrEnum):
    """What a person said of one row; OPEN: what its verdict says by itself."""

    OPEN = ""
    TAKE = "take"
    LEAVE = "leave"


# What is done without anybody deciding; of all others only what somebody takes.
TAKEN_BY_ITSELF = frozenset({Verdict.NEW, Verdict.KEPT})
# What can be taken at all.
TAKEABLE = frozenset({Verdict.NEW, Verdict.KEPT, Verdict.NEAR, Verdict.CHANGED, Verdict.DUPLICATE, Verdict.SKIPPED})


@dataclass(frozen=True)
class Known:
    """An expense that is there. `told`: what its source said of it last; None where that is not known."""

    id: UUID
    date: date
    cost: Decimal
    currency: str
    payee: str
    description: str
    method: str
    source: str
    external_id: str
    told: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        return self.payee or self.description

    @cached_property
    def fingerprint(self) -> str:
        return payees.fingerprint(method=self.method, day=self.date, amount=self.cost, currency=self.currency, payee=self.name)


@dataclass(frozen=True)
class Candidate:
    """A row of the file that can be read."""

    number: int
    parsed: Entry

    @property
    def name(self) -> str:
        return self.parsed.payee or self.parsed.description

    @cached_property
    def fingerprint(self) -> str:
        one = self.parsed
        return payees.fingerprint(
            method=one.payment_method, day=one.date, amount=one.cost, currency=one.currency, payee=self.name
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """`match`: the expense it is, or may be; `near`: all it may be, the likeliest first. `diff`: field → before and after.

    `occurrence`: the how manieth of rows that nothing tells apart; None where an id at the source told.
    """

    verdict: Verdict
    reason: str = ""
    match: UUID | None = None
    near: tuple[UUID, ...] = ()
    diff: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    occurrence: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What came earlier in the file: how many rows of each fingerprint, and what each id at the source said, in which row."""

    occurrences: Mapping[str, int] = field(default_factory=dict)
    ids: Mapping[str, tuple[int, Mapping[str, str]]] = field(default_factory=dict)


# The fields of which the source tells; a category or a tag that a person chose is none of its business.
_COMPARED = ("date", "cost", "currency", "payee", "description")


def told(parsed: Entry) -> dict[str, str]:
    """What the source says, in the form in which it is kept and compared."""
    return {name: f"{getattr(parsed, name):f}" if name == "cost" else str(getattr(parsed, name)) for name in _COMPARED}


def judge(
    candidates: Sequence[Candidate],
    known: Iterable[Known],
    seen: Seen,
    *,
    source: str,
    incoming: Incoming = Incoming.LEAVE_OUT,
) -> list[Judgement]:
    """One judgement for each of the candidates, which follow each other in the file.

    `known`: at least the expenses with one of their ids at `source`, and those of their amounts within three days of them.
    """
    bench = _Bench(list(known), seen, source, incoming)
    return [bench.judge(one) for one in candidates]


class _Bench:
    def __init__(self, known: Sequence[Known], seen: Seen, source: str, incoming: Incoming) -> None:
        self._source = source
        self._incoming = incoming
        self._by_id = {one.external_id: one for one in known if self._has_id(one)}
        self._alike: dict[str, list[Known]] = defaultdict(list)
        self._without_id: dict[str, list[Known]] = defaultdict(list)
        # Amount, currency and day; then what nothing tells apart: of a thousand coffees of one day the first tells all.
        self._around: dict[tuple[Decimal, str, date], dict[str, list[Known]]] = defaultdict(lambda: defaultdict(list))
        for one in sorted(known, key=lambda one: one.id):
            self._alike[one.fingerprint].append(one)
            self._around[one.cost, one.currency, one.date][one.fingerprint].append(one)
            if not self._has_id(one):
                self._without_id[one.fingerprint].append(one)
        self._occurrences = Counter(seen.occurrences)
        self._ids = dict(seen.ids)

    def _has_id(self, one: Known) -> bool:
        return one.source == self._source and bool(one.external_id)

    def judge(self, one: Candidate) -> Judgement:
        if one.parsed.external_id:
            found = self._by_its_id(one)
            self._ids.setdefault(one.parsed.external_id, (one.number, told(one.parsed)))
            if found:
                return found
        return self._by_likeness(one)

    def _by_its_id(self, one: Candidate) -> Judgement | None:
        earlier = self._ids.get(one.parsed.external_id)
        if earlier:
            number, said = earlier
            if said == told(one.parsed):
                return Judgement(Verdict.DUPLICATE, f"Row {number} of this file has the same id and says the same.")
            return Judgement(Verdict.INVALID, f"Row {number} of this file has the same id and says something else.")
        known = self._by_id.get(one.parsed.external_id)
        if known is None:
            return None
        diff = _differences(known, one.parsed)
        if diff:
            return Judgement(Verdict.CHANGED, f"The source now tells another {', '.join(diff)}.", match=known.id, diff=diff)
        return Judgement(Verdict.DUPLICATE, "It was imported before, under the same id.", match=known.id)

    def _by_likeness(self, one: Candidate) -> Judgement:
        occurrence = self._occurrences[one.fingerprint]
        self._occurrences[one.fingerprint] += 1
        # Where both have ids and not the same, the source itself says that they are two.
        alike = (self._without_id if one.parsed.external_id else self._alike)[one.fingerprint]
        if occurrence < len(alike):
            reason = "An expense with the same date, amount and payee is there."
            return Judgement(Verdict.DUPLICATE, reason, alike[occurrence].id, occurrence=occurrence)
        if one.parsed.cost < 0 and self._incoming is Incoming.LEAVE_OUT:
            return Judgement(Verdict.SKIPPED, "Money that came in; this import leaves it out.", occurrence=occurrence)
        if near := self._near(one):
            reason = "Something much like it is there. Take it only if it is another."
            return Judgement(Verdict.NEAR, reason, near[0], near, occurrence=occurrence)
        if occurrence:
            return Judgement(Verdict.KEPT, f"The file has it {occurrence + 1} times so far; each counts.", occurrence=occurrence)
        return Judgement(Verdict.NEW, occurrence=occurrence)

    def _near(self, one: Candidate) -> tuple[UUID, ...]:
        found: list[tuple[int, UUID]] = []
        for offset in range(-payees.NEAR_DAYS.days, payees.NEAR_DAYS.days + 1):
            place = (one.parsed.cost, one.parsed.currency, one.parsed.date + timedelta(days=offset))
            for fingerprint, alike in self._around.get(place, {}).items():
                if fingerprint != one.fingerprint and payees.similar(alike[0].name, one.name):
                    free = [known for known in alike if not (one.parsed.external_id and self._has_id(known))]
                    found += [(abs(offset), known.id) for known in free[:_NEAR_SHOWN]]
        return tuple(pk for _, pk in sorted(found)[:_NEAR_SHOWN])


_NEAR_SHOWN = 5


def _differences(known: Known, parsed: Entry) -> dict[str, tuple[str, str]]:
    """Against what the source said last; so an edit by a person is no difference. Else against the expense as it is."""
    now = told(parsed)
    before = known.told if known.told is not None else _as_it_is(known)
    return {name: (before[name], now[name]) for name in _COMPARED if not _same(name, before.get(name, ""), now[name])}


def _as_it_is(known: Known) -> dict[str, str]:
    return {name: f"{getattr(known, name):f}" if name == "cost" else str(getattr(known, name)) for name in _COMPARED}


def _same(name: str, before: str, now: str) -> bool:
    return Decimal(before or 0) == Decimal(now) if name == "cost" else before == now
