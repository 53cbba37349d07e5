"""Cost Explorer's GetCostForecast over the ledger: the last four weeks carried on, as the service does without events.

Sentences in quotes in AWS's threads are used as they are (instance-watcher#38); where none is known the sentence is ours and the
code is AWS's (API reference, GetCostForecast).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cloudconsole.simulator.cost_explorer import decimal, not_enabled
from cloudconsole.simulator.cost_requests import first_of_next_month, months_before, validation_error
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.ledger import CURRENCY, Ledger
from cloudconsole.simulator.wire import AwsError

METRICS = ("UNBLENDED_COST", "BLENDED_COST", "AMORTIZED_COST", "NET_UNBLENDED_COST", "NET_AMORTIZED_COST")
_DEFAULT_LEVEL = 80
_DAILY_MONTHS, _MONTHLY_MONTHS = 3, 18
_LOOKED_AT, _NEEDED = 28, 14
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Asked:
    start: date
    end: date
    monthly: bool
    metric: int
    level: int


def get_cost_forecast(book: Ledger, identity: Identity, arguments: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Raises AwsError for everything that AWS refuses."""
    if not identity.account.cost_explorer_enabled:
        raise not_enabled()
    asked = _read(arguments, now.date())
    usual = _usual_day(book, identity.account_id, asked.metric, now)
    results = [_result(start, end, usual, asked.level) for start, end in _periods(asked)]
    total = usual * (asked.end - asked.start).days
    return {"Total": {"Amount": decimal(total), "Unit": CURRENCY}, "ForecastResultsByTime": results}


def _usual_day(book: Ledger, account: str, metric: int, now: datetime) -> int:
    """The mean of the last four weeks of settled days, in whole numbers of 1e-10 USD."""
    last = now.date() - _DAY * 3
    sums = [book.sums([last - _DAY * number], now, (), account).get((), None) for number in range(_LOOKED_AT)]
    told = [costs[metric] for costs in sums if costs is not None]
    if len(told) < _NEEDED:
        raise AwsError("DataUnavailableException", "Insufficient amount of historical data to generate forecast.")
    return sum(told) // len(told)


def _read(arguments: dict[str, Any], today: date) -> _Asked:
    granularity, metric = arguments.get("Granularity"), arguments.get("Metric")
    if granularity not in ("DAILY", "MONTHLY"):
        raise validation_error(f"Granularity {granularity} is invalid. GetCostForecast supports only DAILY and MONTHLY.")
    if metric not in METRICS:
        raise validation_error(f"Metric {metric} is invalid. Valid values are {', '.join(METRICS)}.")
    level = arguments.get("PredictionIntervalLevel", _DEFAULT_LEVEL)
    if not isinstance(level, int) or not 51 <= level <= 99:
        raise validation_error("PredictionIntervalLevel must be between 51 and 99.")
    start, end = _days(arguments.get("TimePeriod"))
    _check_period(start, end, today, _MONTHLY_MONTHS if granularity == "MONTHLY" else _DAILY_MONTHS)
    return _Asked(start, end, granularity == "MONTHLY", METRICS.index(metric), level)


def _days(period: Any) -> tuple[date, date]:
    try:
        return date.fromisoformat(period["Start"]), date.fromisoformat(period["End"])
    except (TypeError, KeyError, ValueError):
        raise validation_error("TimePeriod is invalid. Valid format is: yyyy-MM-dd.") from None


def _check_period(start: date, end: date, today: date, months: int) -> None:
    if start >= end:
        raise validation_error("Start date should be before end date")
    if start < today:
        raise validation_error("Start date must be equal to or later than the current date")
    if start > today:
        raise validation_error("Start date must be equal to or no later than the current date")
    if end > months_before(first_of_next_month(today), -months):
        raise validation_error(f"The forecast covers at most {months} months for this granularity.")


def _periods(asked: _Asked) -> Iterator[tuple[date, date]]:
    start = asked.start
    while start < asked.end:
        following = first_of_next_month(start) if asked.monthly else start + _DAY
        yield start, min(following, asked.end)
        start = following


def _result(start: date, end: date, usual: int, level: int) -> dict[str, Any]:
    mean = usual * (end - start).days
    margin = abs(mean) * level // 1000
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "MeanValue": decimal(mean),
        "PredictionIntervalLowerBound": decimal(mean - margin),
        "PredictionIntervalUpperBound": decimal(mean + margin),
    }
