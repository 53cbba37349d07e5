"""Verdicts over a whole bill: accounts first, and regions for what the accounts do not show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date

from costs.rules.baselines import Limits, Series, Verdict

Key = tuple[str, str, str]  # account, region, service; one of the first two is empty


def unusual(
    series: Mapping[Key, Series], days: Iterable[date], limits_of: Callable[[str], Limits]
) -> dict[Key, dict[date, Verdict]]:
    """The unusual days by series. `limits_of`: the limits of an account, of all together for "".

    A region is a second look: it counts on days on which no account's usage of the service was unusual.
    """
    judged = sorted(days)
    found: dict[Key, dict[date, Verdict]] = {}
    seen: dict[str, set[date]] = defaultdict(set)
    for key in sorted(series, key=lambda one: bool(one[1])):
        account, region, service = key
        limits = limits_of(account)
        wanted = [day for day in judged if not (region and day in seen[service])]
        verdicts = _of_series(series[key], wanted, limits)
        if not region:
            seen[service] |= set(verdicts)
        if verdicts:
            found[key] = verdicts
    return found


def _of_series(series: Series, days: Iterable[date], limits: Limits) -> dict[date, Verdict]:
    told = (series.judge(day, limits) for day in days if series.may_be_unusual(day, limits))
    return {verdict.day: verdict for verdict in told if verdict is not None and verdict.is_unusual}
