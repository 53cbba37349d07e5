"""A question as a person put it together on the page: everything that its address says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from cloudconsole.aws.cost_explorer import Metric
from costs.rules import spans
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import DIMENSIONS, Dimension
from costs.rules.spans import Preset
from costs.rules.windows import DayRange
from costs.selectors.questions import Granularity, Question

CUSTOM = "custom"
DEFAULT_TOP = 10
TOPS = (5, 10, 25, 50)

# What costs can be narrowed by, under its name in the address; besides these, `tag:` and a key.
FILTERS: dict[str, Dimension] = {dimension.word: dimension for dimension in DIMENSIONS}

ENVIRONMENT = "environment"
_ORDER = (*FILTERS, ENVIRONMENT)

Filters = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """`days` None: the range is the preset's. `filters` are names and values; values of one name are alternatives."""

    preset: Preset = Preset.DAYS_30
    days: DayRange | None = None
    granularity: Granularity = Granularity.DAILY
    group_by: tuple[Dimension, ...] = (Dimension.SERVICE,)
    metric: Metric = Metric.UNBLENDED
    charge_types: tuple[ChargeType, ...] = ()
    filters: Filters = ()
    currency: str | None = None
    compare: bool = True
    top: int = DEFAULT_TOP

    def range(self, today: date) -> DayRange:
        return self.days or spans.days_of(self.preset, today)

    def question(self, today: date) -> Question:
        """Accounts and environments are not part of it: the reader of the answer is narrowed to them."""
        return Question(
            days=self.range(today),
            granularity=self.granularity,
            group_by=self.group_by,
            metric=self.metric,
            charge_types=frozenset(self.charge_types),
            services=frozenset(self.values_of("service")),
            regions=frozenset(self.values_of("region")),
            record_types=frozenset(self.values_of("record_type")),
            usage_types=frozenset(self.values_of("usage_type")),
            tags=frozenset((key, value) for name, value in self.filters if (key := _tag_key(name))),
            currency=self.currency,
        )

    @property
    def filtered(self) -> frozenset[Dimension]:
        """The dimensions that its filters name."""
        return frozenset(Dimension.called(name) for name, _ in self.filters if name != ENVIRONMENT)

    @property
    def filter_names(self) -> tuple[str, ...]:
        """The names that it is narrowed by, in the order of the address."""
        return tuple(dict.fromkeys(name for name, _ in self.filters))

    def values_of(self, name: str) -> tuple[str, ...]:
        return tuple(value for one, value in self.filters if one == name)

    def with_values(self, name: str, values: Iterable[str]) -> Report:
        """Narrowed to these values of `name`, whatever it was narrowed to before; to all of them with none."""
        kept = [pair for pair in self.filters if pair[0] != name]
        found = [*kept, *((name, value) for value in dict.fromkeys(values))]
        return replace(self, filters=tuple(sorted(found, key=lambda pair: _place(pair[0]))))

    def pairs(self) -> list[tuple[str, str]]:
        """The address's parameters: what differs from the usual, always in the same order."""
        said: list[tuple[str, str]] = []
        if self.days:
            said += [("range", CUSTOM), ("start", self.days.start.isoformat()), ("end", self.days.end.isoformat())]
        elif self.preset is not Preset.DAYS_30:
            said.append(("range", self.preset.value))
        if self.granularity is not Granularity.DAILY:
            said.append(("granularity", self.granularity.value))
        if self.group_by != (Dimension.SERVICE,):
            said += [("group_by", one.word) for one in self.group_by] or [("group_by", "none")]
        if self.metric is not Metric.UNBLENDED:
            said.append(("metric", self.metric.value))
        said += [("charge_type", one.value) for one in self.charge_types]
        said += self.filters
        if self.currency:
            said.append(("currency", self.currency))
        if not self.compare:
            said.append(("compare", "none"))
        if self.top != DEFAULT_TOP:
            said.append(("top", str(self.top)))
        return said


def _place(name: str) -> tuple[int, str]:
    """Tags come last, by their keys."""
    return (_ORDER.index(name), "") if name in _ORDER else (len(_ORDER), name)


def _tag_key(name: str) -> str | None:
    return Dimension.called(name).tag_key if name != ENVIRONMENT else None
