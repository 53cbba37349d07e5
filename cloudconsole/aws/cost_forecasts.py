"""What Cost Explorer itself expects an account to cost (GetCostForecast). Every request costs 0.01 USD.

It covers only days that are still to come, today (UTC) included: days for three months, months for eighteen. An account
without enough history gets DataUnavailableException. Documentation: AWS Billing and Cost Management API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from cloudconsole.aws import metered
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.metered import Meter, Operation

OPERATION = "GetCostForecast"
_ASKED = Operation(OPERATION, "get_cost_forecast", "ForecastResultsByTime")

# The forecast's own spelling of the metrics.
_METRICS: dict[Metric, str] = {metric: f"{metric.value.upper()}_COST" for metric in Metric}
LEVELS = range(51, 100)

Granularity = Literal["DAILY", "MONTHLY"]


@dataclass(frozen=True, slots=True)
class ForecastQuery:
    """The days from `start`, which is today (UTC), up to, without, `end`. `level`: percent that the interval holds."""

    start: date
    end: date
    metric: Metric
    level: int
    granularity: Granularity = "MONTHLY"

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"{self.start} is not before {self.end}: the end is exclusive.")
        if self.level not in LEVELS:
            raise ValueError("An interval of Cost Explorer holds between 51 and 99 percent.")


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """One day or month, or the part of it that is asked for."""

    start: date
    end: date
    amount: Decimal
    low: Decimal | None
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class CostForecast:
    """AWS's own words: `total` is its sum, in `currency`; the interval of the sum it does not tell."""

    total: Decimal
    currency: str
    points: tuple[ForecastPoint, ...]


def get_cost_forecast(access: Access, query: ForecastQuery, *, meter: Meter) -> CostForecast:
    """Raises AwsError (DATA_UNAVAILABLE for too little history), or what `meter` raises."""
    answer = metered.ask(access, _ASKED, _request(query), meter=meter)
    try:
        return _read(answer)
    except (KeyError, ValueError, TypeError, InvalidOperation) as error:
        raise metered.garbled(_ASKED, "An amount or a day in it cannot be read.", answer) from error


def _request(query: ForecastQuery) -> dict[str, Any]:
    return {
        "TimePeriod": {"Start": query.start.isoformat(), "End": query.end.isoformat()},
        "Metric": _METRICS[query.metric],
        "Granularity": query.granularity,
        "PredictionIntervalLevel": query.level,
    }


def _read(answer: Mapping[str, Any]) -> CostForecast:
    points = tuple(_point(one) for one in answer["ForecastResultsByTime"])
    return CostForecast(_amount(answer["Total"]["Amount"]), answer["Total"]["Unit"], points)


def _point(told: Mapping[str, Any]) -> ForecastPoint:
    low, high = told.get("PredictionIntervalLowerBound"), told.get("PredictionIntervalUpperBound")
    return ForecastPoint(
        start=date.fromisoformat(told["TimePeriod"]["Start"][:10]),
        end=date.fromisoformat(told["TimePeriod"]["End"][:10]),
        amount=_amount(told["MeanValue"]),
        low=None if low is None else _amount(low),
        high=None if high is None else _amount(high),
    )


def _amount(text: str) -> Decimal:
    amount = Decimal(text)
    if not amount.is_finite():
        raise ValueError(f"{text} is no amount.")
    return amount
