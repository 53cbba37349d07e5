"""Why a figure here may differ from the one in AWS's console: the settings behind it, and the same question for AWS to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from cloudconsole.aws.cost_explorer import Metric
from costs.rules import charge_types, console
from costs.rules.charge_types import ChargeType
from costs.rules.console import Ask
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors.costs import Reader
from costs.selectors.explorer import Exploration
from costs.selectors.questions import Granularity, Question
from costs.selectors.scope import Part

COMMANDS_SHOWN = 5

_BASES = {
    Metric.UNBLENDED: "each charge on the day it was billed, as the invoice has it",
    Metric.AMORTIZED: "upfront and recurring fees of commitments spread over the days they cover",
    Metric.NET_UNBLENDED: "as unblended, after the discounts that AWS applies to each charge",
    Metric.NET_AMORTIZED: "as amortized, after the discounts that AWS applies to each charge",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One setting that makes figures differ: what holds here, and what to look for in the console."""

    title: str
    here: str
    there: str


@dataclass(frozen=True, slots=True)
class Command:
    """The same question to AWS, asked with the credentials of the account called `alias`."""

    alias: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`more` is how many further bills the figure is made of, beyond those in `commands`."""

    reasons: tuple[Reason, ...]
    commands: tuple[Command, ...]
    more: int


def explain(reader: Reader, found: Exploration, today: date) -> Explanation:
    question = found.report.question(today)
    days = console.askable(question.days, today)
    asks = [(part, _ask(reader, part, question, days)) for part in reader.parts] if days else []
    commands = [
        Command(part.shown.account.alias, console.command(ask), console.address(ask)) for part, ask in asks[:COMMANDS_SHOWN]
    ]
    return Explanation(tuple(_reasons(reader, found, question)), tuple(commands), max(0, len(asks) - COMMANDS_SHOWN))


def _ask(reader: Reader, part: Part, question: Question, days: DayRange) -> Ask:
    only: dict[Dimension, Sequence[str]] = {
        Dimension.SERVICE: sorted(question.services),
        Dimension.REGION: sorted(question.regions),
        Dimension.USAGE_TYPE: sorted(question.usage_types),
        Dimension.RECORD_TYPE: _record_types(reader, question),
        Dimension.ACCOUNT: sorted(part.only or ()),
        **_tags(question),
    }
    return Ask(
        days=days,
        monthly=question.granularity is Granularity.MONTHLY,
        metric=question.metric,
        group_by=question.group_by,
        only={dimension: values for dimension, values in only.items() if values},
        without={Dimension.ACCOUNT: sorted(part.without)} if part.without else {},
    )


def _tags(question: Question) -> dict[Dimension, Sequence[str]]:
    keys = {key for key, _ in question.tags}
    return {Dimension.tag(key): sorted(value for one, value in question.tags if one == key) for key in keys}


def _record_types(reader: Reader, question: Question) -> list[str]:
    """The record types that the charge types let through, of those that were ever met."""
    if not question.charge_types:
        return sorted(question.record_types)
    known = question.record_types or reader.known(Dimension.RECORD_TYPE)
    return sorted(charge_types.of_types(known, question.charge_types))


def _reasons(reader: Reader, found: Exploration, question: Question) -> Iterable[Reason]:
    metric = question.metric
    yield Reason(
        "Basis",
        f"{console.METRICS[metric]}: {_BASES[metric]}.",
        "In the console, “Aggregate costs by” under the advanced options. Its start page shows unblended costs.",
    )
    yield Reason(
        "Charge types", _charges(question), "The console's “Charge type” filter. Bills and budgets often leave out credits."
    )
    yield Reason(
        "Days",
        "Billing days are UTC. The range ends with its last day; the command line wants the day after.",
        "The console's end date is the last day itself. The invoice follows calendar months in UTC.",
    )
    yield Reason("Freshness", _freshness(reader, found), "AWS brings its own figures up to date about three times a day.")
    yield Reason("Accounts", _accounts(reader), "The console shows the bill of the account you are signed in to.")
    if Dimension.USAGE_TYPE in {*found.report.group_by, *found.report.filtered}:
        yield Reason(
            "Usage types",
            "Asked once a day, because AWS charges for each page: costs that arrived since are in no group yet.",
            "The console shows those of its last update.",
        )
    if any(dimension.tag_key for dimension in {*found.report.group_by, *found.report.filtered}):
        yield Reason(
            "Tags",
            "Asked once a day. Costs without the tag and costs with an empty value are one group, as Cost Explorer tells them.",
            "The console calls them “No tag key”. A tag's values begin on the day it was activated.",
        )
    if found.by_period.residual:
        yield Reason(
            "Groups",
            "AWS tells part of the total in no group. It is a line of its own here.",
            "The console's rows add up to less than its total; ask without a grouping for the whole.",
        )


def _charges(question: Question) -> str:
    if not question.charge_types and not question.record_types:
        return "All of them: usage, tax, support and fees, minus credits and refunds."
    left_out = [one.value for one in ChargeType if question.charge_types and one not in question.charge_types]
    return f"Without {', '.join(left_out)}." if left_out else f"Only {', '.join(sorted(question.record_types))}."


def _freshness(reader: Reader, found: Exploration) -> str:
    open_days = sum(not period.complete for period in found.by_period.periods)
    fetched = f"Fetched {reader.as_of:%-d %b %Y %H:%M} UTC." if reader.as_of else "Some figures were never fetched."
    unit = "days" if found.report.granularity is Granularity.DAILY else "months"
    return f"{fetched} {open_days} of {len(found.by_period.periods)} {unit} are not final." if open_days else fetched


def _accounts(reader: Reader) -> str:
    bills = [part.shown.account.alias for part in reader.parts]
    named = ", ".join(bills[:3]) + (f" and {len(bills) - 3} more" if len(bills) > 3 else "")
    partly = any(not part.is_whole for part in reader.parts)
    if not bills:
        return "None."
    return f"Read from the bill of {named}{', a part of it' if partly else ''}. A member counts once, in its payer's bill."
