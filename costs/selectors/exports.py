"""Stored costs on their way out: streamed month by month, equal to the control totals to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

from cloudconsole.core.money import EXACT, ZERO
from costs.models import METRICS, BillingScope, CostFact, CostSlice, CostSource
from costs.rules import focus, windows
from costs.rules.cubes import Dimension
from costs.rules.focus import Charge
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import plans
from costs.selectors.costs import Reader
from costs.selectors.plans import Read, Values
from costs.selectors.questions import Answer, Group, Period, Question
from costs.selectors.scope import Part

# FOCUS asks for service and kind of charge. Where a bill counts in part, its accounts must be told apart, and AWS tells no third
# dimension: then all services are one.
_WHOLE = (Dimension.SERVICE, Dimension.RECORD_TYPE)
_IN_PART = (Dimension.ACCOUNT, Dimension.RECORD_TYPE)
_PIECE = 2_000


# A source's months that are told in another way.
Besides = frozenset[tuple[int, date]]


def charges(reader: Reader, question: Question, besides: Besides = frozenset()) -> Iterator[Charge]:
    """Every stored cost of the question's days and filters, its residuals as charges of their own. Its grouping plays no part.

    Raises NotStored, UnknownAccount, UnknownValue, before the first one.
    """
    values = Values.all()
    parts = reader.parts
    planned = [(chosen, _reads(chosen, question, by, values)) for chosen, by in _divided(parts)]
    return _charges(planned, question, values, besides)


def _divided(parts: Sequence[Part]) -> Iterator[tuple[list[Part], tuple[Dimension, ...]]]:
    whole = [part for part in parts if part.is_whole]
    in_part = [part for part in parts if not part.is_whole]
    if whole:
        yield whole, _WHOLE
    if in_part:
        yield in_part, _IN_PART


def _reads(parts: list[Part], question: Question, by: tuple[Dimension, ...], values: Values) -> list[Read]:
    return plans.reads(parts, replace(question, group_by=by, told=None, beside=frozenset()), values, {})


def _charges(
    planned: list[tuple[list[Part], list[Read]]], question: Question, values: Values, besides: Besides
) -> Iterator[Charge]:
    for month in reversed(windows.chunks(question.days, 1)):
        for parts, reads in planned:
            sources = {part.source.pk: part.source for part in parts}
            for whole in reads:
                told = tuple(source for source in whole.sources if (source, first_of_month(month.start)) not in besides)
                read = replace(whole, sources=told)
                yield from _of_month(_Month(month, read, sources, values, question.currency))


@dataclass(frozen=True, slots=True)
class _Slice:
    estimated: bool
    complete: bool
    currency: str
    amounts: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class _Month:
    """One read of one month. Memory holds its slices, one for each day and source, and a piece of its facts."""

    days: DayRange
    read: Read
    sources: dict[int, CostSource]
    values: Values
    currency: str | None

    def facts(self) -> Iterable[Any]:
        wanted = {"cube": self.read.cube, "source__in": self.read.sources, "day__gte": self.days.start, "day__lt": self.days.end}
        rows = CostFact.objects.filter(self.read.condition, **wanted, **self._in_currency())
        ordered = rows.order_by("day", "source_id", "first_id", "second_id")
        return ordered.values_list("day", "source_id", "first_id", "second_id", "currency", *METRICS).iterator(chunk_size=_PIECE)

    def slices(self) -> dict[tuple[date, int], _Slice]:
        wanted = {"cube": self.read.flag_cube, "source__in": self.read.sources}
        rows = CostSlice.objects.filter(day__gte=self.days.start, day__lt=self.days.end, **wanted, **self._in_currency())
        return {
            (day, source): _Slice(estimated, complete, currency, tuple(amounts))
            for day, source, estimated, complete, currency, *amounts in rows.order_by("day", "source_id").values_list(
                "day", "source_id", "estimated", "complete", "currency", *METRICS
            )
        }

    def _in_currency(self) -> dict[str, str]:
        return {"currency": self.currency} if self.currency else {}


def _of_month(month: _Month) -> Iterator[Charge]:
    slices = month.slices()
    for (day, source), facts in groupby(month.facts(), key=lambda fact: (fact[0], fact[1])):
        told = [ZERO] * len(METRICS)
        found = slices.pop((day, source), None)
        for _, _, first, second, currency, *amounts in facts:
            told = [EXACT.add(sum_, amount) for sum_, amount in zip(told, amounts, strict=True)]
            yield _charge(month, day, source, (first, second), _Slice(*_flags(found), currency, tuple(amounts)))
        if found is not None and month.read.is_controlled:
            yield from _residual(month, day, source, found, told)
    if month.read.is_controlled:
        for (day, source), found in slices.items():
            yield from _residual(month, day, source, found, [ZERO] * len(METRICS))


def _flags(found: _Slice | None) -> tuple[bool, bool]:
    return (found.estimated, found.complete) if found else (True, False)


def _residual(month: _Month, day: date, source: int, control: _Slice, told: list[Decimal]) -> Iterator[Charge]:
    left = tuple(EXACT.subtract(whole, sum_) for whole, sum_ in zip(control.amounts, told, strict=True))
    if any(left):
        yield _charge(month, day, source, None, replace(control, amounts=left))


def _charge(month: _Month, day: date, source: int, keys: tuple[int, int] | None, told: _Slice) -> Charge:
    names = _names(month, keys)
    shown = month.sources[source]
    account, account_name = names.get(Dimension.ACCOUNT, _single(shown))
    return Charge(
        day=day,
        billing_account=_billing_account(shown),
        billing_name=shown.account.alias if _billing_account(shown) == shown.account.account_id else "",
        account=account,
        account_name=account_name,
        service=names.get(Dimension.SERVICE, ("", ""))[0],
        record_type=focus.RESIDUAL if keys is None else names[Dimension.RECORD_TYPE][0],
        currency=told.currency,
        estimated=told.estimated,
        complete=told.complete,
        region="",
        **dict(zip(METRICS, told.amounts, strict=True)),
    )


def _names(month: _Month, keys: tuple[int, int] | None) -> dict[Dimension, tuple[str, str]]:
    if keys is None:
        return {}
    month.values.complete(keys)
    return {dimension: month.values.names[pk] for dimension, pk in zip(month.read.cube.shape, keys, strict=True)}


def _single(source: CostSource) -> tuple[str, str]:
    """A single account's bill is all its own; which account a payer's charge is of, this grouping does not tell."""
    return (source.account.account_id, source.account.alias) if source.is_single else ("", "")


def _billing_account(source: CostSource) -> str:
    return source.payer_number if source.scope == BillingScope.MEMBER and source.payer_number else source.account.account_id


# --- the question's own answer, as rows


def answer_header(question: Question) -> list[str]:
    groups = [dimension.word for dimension in question.group_by]
    return ["start", "end", *groups, "kind", "amount", "currency", "metric", "estimated", "complete"]


def answer_rows(reader: Reader, question: Question) -> Iterator[list[object]]:
    """The answer's groups, period by period, and its residual where there is one; a month of days in memory at a time.

    Raises what `Reader.answer` raises, before the first row.
    """
    months = list(reversed(windows.chunks(question.days, 1)))
    currency = reader.answer(replace(question, group_by=())).currency
    first = reader.answer(replace(question, days=months[0], currency=currency))
    return _answer_rows(reader, replace(question, currency=currency), first, months[1:])


def _answer_rows(reader: Reader, question: Question, first: Answer, months: list[DayRange]) -> Iterator[list[object]]:
    yield from _rows(first)
    for month in months:
        yield from _rows(reader.answer(replace(question, days=month)))


def _rows(answer: Answer) -> Iterator[list[object]]:
    for period in answer.periods:
        if period.total is None:
            continue
        for group in period.groups:
            yield _row(answer, period, "group", group)
        nothing = Group(("",) * len(answer.question.group_by), (), period.residual)
        if not answer.question.group_by:
            yield _row(answer, period, "total", replace(nothing, amount=period.total))
        elif period.residual:
            yield _row(answer, period, "residual", nothing)


def _row(answer: Answer, period: Period, kind: str, group: Group) -> list[object]:
    flags = ["true" if flag else "false" for flag in (period.estimated, period.complete)]
    amount = focus.plain_number(group.amount)
    return [period.start, period.end, *group.keys, kind, amount, answer.currency or "", answer.question.metric.value, *flags]
