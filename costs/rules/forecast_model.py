"""The daily course of costs taken apart: level with trend, weekday rhythm, charges on fixed days of the month, and bursts.

Works on floats, because nothing here is a booked amount; `costs.rules.forecast` turns the result into money. What recurs on the
same day of the month (tax on the 1st, a fee on the 15th, support on the last day) is carried forward; a spike that does not
recur is a burst and is not. A change that lasts longer than a week is a new level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# A trend needs eight weeks, to be told from the noise of a month. It is the usual change over four of them.
TREND_DAYS = 56
_TREND_SPAN = 28
# How fast the past counts less, in days, and how a trend fades with each day ahead: costs do not grow for ever.
_RHYTHM_HALF_LIFE = 28.0
_LEVEL_HALF_LIFE = 7.0
_FADE = 0.985
# A day is a spike when it is this many robust deviations, and this share of a usual day, away from its weekday's median.
_DEVIATIONS = 5.0
_SHARE = 0.05
_LEAST = 1e-9
_BURST_DAYS = 7
_WEEKS_AROUND = 3
_MAD_TO_SIGMA = 1.4826
# Of a monthly charge: how much it may grow from one month to the next, how many months are looked at, how many must have it.
_MONTHLY_GROWTH = (0.9, 1.1)
_MONTHS_SEEN = 4
_MONTHS_NEEDED = 2
_ALIKE = (0.5, 1.5)
_FROM_END = 3


@dataclass(frozen=True, slots=True)
class Charge:
    """What is charged on one day of each month: `amount` in `month`, counted from the epoch, and how it grows."""

    amount: float
    month: int
    growth: float

    def in_month(self, month: int) -> float:
        return self.amount * float(self.growth ** (month - self.month))


@dataclass(frozen=True, slots=True)
class Course:
    """`level` is that of the day `last`; `slope` its daily change; `charges` are by position in the month."""

    last: date
    level: float
    slope: float
    rhythm: Floats
    charges: dict[int, Charge]

    def ahead(self, count: int) -> Floats:
        """The expected amounts of the `count` days after the last."""
        steps = np.arange(1, count + 1)
        fading = _FADE * (1 - _FADE**steps) / (1 - _FADE)
        found: Floats = self.level + self.slope * fading + self.rhythm[(self.last.weekday() + steps) % 7]
        months, places = _calendar(self.last + timedelta(days=1), count)
        for place, charge in self.charges.items():
            for number in np.flatnonzero(places == place):
                found[number] += charge.in_month(int(months[number]))
        return found


def course_of(start: date, amounts: Floats) -> Course:
    """The course of `amounts`, one for each day from `start`; NaN where a day is not known. At least one week."""
    age = np.arange(len(amounts) - 1, -1, -1)
    slope = _slope(amounts) if len(amounts) >= TREND_DAYS else 0.0
    as_of_last = amounts + slope * age
    usual = _usual(as_of_last)
    told = np.where(np.isnan(amounts), usual, as_of_last)
    spikes = _spikes(told - usual, usual)
    months, places = _calendar(start, len(amounts))
    charges = _charges(months, places, told - usual, spikes)
    cleaned = _without_spikes(told, usual, spikes, np.isin(places, list(charges)))
    last = start + timedelta(days=len(amounts) - 1)
    level, rhythm = _levels((last.weekday() - age) % 7, age, cleaned)
    return Course(last, level, slope, rhythm, charges)


def _slope(amounts: Floats) -> float:
    """The usual daily change: the median of those over four weeks, which bursts and a step in between hardly move."""
    changes = amounts[_TREND_SPAN:] - amounts[:-_TREND_SPAN]
    known = changes[~np.isnan(changes)]
    return float(np.median(known)) / _TREND_SPAN if len(known) else 0.0


def _calendar(start: date, count: int) -> tuple[Ints, Ints]:
    """For each of the days its month, counted from the epoch, and its place in it: 1 is the first, -1 the last day."""
    days = np.datetime64(start, "D") + np.arange(count)
    months = days.astype("datetime64[M]")
    first, following = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    from_start, to_end = (days - first).astype(np.int64) + 1, (following - days).astype(np.int64)
    return months.astype(np.int64), np.where(to_end <= _FROM_END, -to_end, from_start)


def _usual(amounts: Floats) -> Floats:
    """For each day the median of the same weekday in the weeks around it."""
    padding = (-len(amounts)) % 7
    weeks = np.concatenate([np.full(padding, np.nan), amounts]).reshape(-1, 7)
    around = np.pad(weeks, ((_WEEKS_AROUND, _WEEKS_AROUND), (0, 0)), constant_values=np.nan)
    medians = _medians(sliding_window_view(around, 2 * _WEEKS_AROUND + 1, axis=0)).reshape(-1)[padding:]
    known = amounts[~np.isnan(amounts)]
    return np.where(np.isnan(medians), np.median(known) if len(known) else 0.0, medians)


def _medians(windows: Floats) -> Floats:
    """Along the last axis; NaN where there is nothing, of which numpy's own would warn."""
    ordered = np.sort(windows, axis=-1)  # NaN comes last
    counts = np.count_nonzero(~np.isnan(windows), axis=-1)[..., None]
    low, high = np.maximum(counts - 1, 0) // 2, counts // 2
    high = np.minimum(high, windows.shape[-1] - 1)
    found: Floats = (np.take_along_axis(ordered, low, -1) + np.take_along_axis(ordered, high, -1))[..., 0] / 2
    return found


def _spikes(apart: Floats, usual: Floats) -> Flags:
    deviation = _MAD_TO_SIGMA * float(np.median(np.abs(apart)))
    least = _SHARE * float(np.median(np.abs(usual)))
    found: Flags = np.abs(apart) > max(_DEVIATIONS * deviation, least, _LEAST)
    return found


# --- charges on fixed days of the month


def _charges(months: Ints, places: Ints, apart: Floats, spikes: Flags) -> dict[int, Charge]:
    found = {}
    for place in np.unique(places[spikes]):
        which = np.flatnonzero(places == place)[-_MONTHS_SEEN:]
        charge = _charge(months[which], apart[which], spikes[which])
        if charge is not None:
            found[int(place)] = charge
    return found


def _charge(months: Ints, apart: Floats, spikes: Flags) -> Charge | None:
    """What recurs in nearly every month. The newest may miss it, because support and the like are billed days later."""
    seen = len(spikes) if spikes[-1] else len(spikes) - 1
    amounts = apart[:seen][spikes[:seen]]
    if len(amounts) < _MONTHS_NEEDED or len(amounts) < seen - 1:
        return None
    middle = float(np.median(amounts))
    if np.any(amounts * middle <= 0):
        return None  # up once and down another time is no charge
    # A larger amount on the same day, a yearly fee, is not carried on.
    alike = np.where((amounts / middle >= _ALIKE[0]) & (amounts / middle <= _ALIKE[1]), amounts, middle)
    growth = float(np.clip(np.median(alike[1:] / alike[:-1]), *_MONTHLY_GROWTH))
    return Charge(float(alike[-1]), int(months[:seen][spikes[:seen]][-1]), growth)


# --- what is left: level and rhythm


def _without_spikes(told: Floats, usual: Floats, spikes: Flags, is_charge: Flags) -> Floats:
    """Spikes give way to the usual amount; but those of the newest days, when they last, are the new level."""
    cleaned = np.where(spikes, usual, told)
    ended = np.flatnonzero(~spikes & ~is_charge)
    run = len(told) - 1 - int(ended[-1]) if len(ended) else 0
    newest = (np.arange(len(told)) >= len(told) - run) & ~is_charge
    if run <= _BURST_DAYS or not np.any(newest):
        return cleaned
    shift = float(np.median((told - usual)[newest]))
    return np.where(newest, told, cleaned + shift)


def _levels(weekdays: Ints, age: Ints, amounts: Floats) -> tuple[float, Floats]:
    """The level of the last day and what each weekday differs by. The newest days count most."""
    weights = 0.5 ** (age / _RHYTHM_HALF_LIFE)
    of_weekday = np.bincount(weekdays, weights * amounts, minlength=7) / np.bincount(weekdays, weights, minlength=7)
    rhythm: Floats = of_weekday - np.mean(of_weekday)
    newest = 0.5 ** (age / _LEVEL_HALF_LIFE)
    return float(np.sum(newest * (amounts - rhythm[weekdays])) / np.sum(newest)), rhythm
