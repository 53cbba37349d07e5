"""When a recurring expense comes again, by a rule of RFC 5545."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final

from dateutil.rrule import DAILY, MONTHLY, rrule, rrulestr

# Rules that never come (30 February) are looked for no further than this.
FURTHEST: Final = timedelta(days=366 * 12)
# What does not say which days of a year there are.
_NO_DAYS: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYSETPOS", "WKST"})
_NTH: Final = re.compile(r"(\d+)(?:MO|TU|WE|TH|FR|SA|SU)")
_UTC_MARK: Final = re.compile(r"(UNTIL=\d{8}(?:T\d{6})?)Z", re.IGNORECASE)


class RecurrenceRefused(ValueError):
    """One plain sentence says why."""


def checked(text: str) -> str:
    """The rule in capitals without its name. Raises RecurrenceRefused for what is none, and for hours and minutes."""
    bare = _UTC_MARK.sub(r"\1", text.strip().upper().removeprefix("RRULE:"))
    if not bare or "\n" in bare or "DTSTART" in bare or len(bare) > 300:
        raise RecurrenceRefused("A rule such as FREQ=MONTHLY;BYMONTHDAY=1, in one line.")
    try:
        rule = _rule(bare, date(2026, 1, 1))
        comes = _comes(rule, bare)
    except (ValueError, KeyError, TypeError, IndexError, OverflowError) as error:
        raise RecurrenceRefused("This is no recurrence rule of RFC 5545.") from error
    if not comes:
        raise RecurrenceRefused("There is no such day in any year.")
    if rule._freq > DAILY or any(f"BY{part}" in bare for part in ("HOUR", "MINUTE", "SECOND")):
        raise RecurrenceRefused("Expenses have days, not times: daily is the most often there is.")
    return bare


def _comes(rule: rrule, text: str) -> bool:
    """Whether there are such days at all. By years, because a rule by days would be tried for every day up to the year 9999."""
    most = 5 if rule._freq == MONTHLY or "BYMONTH=" in text else 53
    if "BYEASTER" in text or any(int(one) > most for one in _NTH.findall(text)):
        return False
    days = [part for part in text.split(";") if part.partition("=")[0].strip() not in _NO_DAYS]
    first = date(2026, 1, 1)
    return _rule(";".join(["FREQ=YEARLY", *days]), first).after(datetime.combine(first, time()), inc=True) is not None


_EVERY: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_DAYS: Final = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday", "SU": "Sunday",
}  # fmt: skip
_PLACES: Final = {"1": "first ", "2": "second ", "3": "third ", "4": "fourth ", "5": "fifth ", "-1": "last ", "": ""}
_WEEKDAY: Final = re.compile(r"\+?(-?\d*)(MO|TU|WE|TH|FR|SA|SU)")


def in_words(text: str) -> str:
    """ "FREQ=MONTHLY;BYDAY=-1FR" → "Every month on the last Friday". What says more than days stays as it is written."""
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    every, days = parts.pop("FREQ", ""), _on(parts.pop("BYDAY", ""), parts.pop("BYMONTHDAY", ""))
    interval, count, until = parts.pop("INTERVAL", "1"), parts.pop("COUNT", ""), parts.pop("UNTIL", "")
    parts.pop("WKST", "")
    if parts or every not in _EVERY or days is None:
        return text
    often = f"Every {_EVERY[every]}" if interval == "1" else f"Every {interval} {_EVERY[every]}s"
    end = f", {count} times" if count else f", until {until[:4]}-{until[4:6]}-{until[6:8]}" if until else ""
    return f"{often}{days}{end}"


def _on(weekdays: str, monthdays: str) -> str | None:
    """None for days that have no short name."""
    named = [_WEEKDAY.fullmatch(one) for one in weekdays.split(",")] if weekdays else []
    if any(one is None or one[1] not in _PLACES for one in named):
        return None
    told = [f"{'the ' if one[1] else ''}{_PLACES[one[1]]}{_DAYS[one[2]]}" for one in named if one]
    for one in monthdays.split(",") if monthdays else ():
        if not one.isdecimal() and one != "-1":
            return None
        told.append("the last day" if one == "-1" else f"day {one}")
    return f" on {' and '.join(told)}" if told else ""


def first_on(text: str, start: date, day: date) -> date | None:
    """The first day of the series, counted from `start`, that is `day` or later. None when it is over."""
    found = _rule(text, start).after(datetime.combine(day, time()), inc=True)
    return found.date() if found is not None and found.date() - day < FURTHEST else None


def due(text: str, start: date, *, first: date, last: date, at_most: int) -> list[date]:
    """The days from `first` to `last`, both of them included, the earliest `at_most`."""
    return list(_until(_rule(text, start), first, last, at_most))


def _until(rule: rrule, first: date, last: date, at_most: int) -> Iterator[date]:
    for moment in rule.xafter(datetime.combine(first, time()), count=at_most, inc=True):
        if moment.date() > last:
            return
        yield moment.date()


def _rule(text: str, start: date) -> rrule:
    found = rrulestr(text, dtstart=datetime.combine(start, time()))
    if not isinstance(found, rrule):
        raise TypeError("a set of rules")
    if found._interval < 1:  # the same day again and again, without an end
        raise ValueError("an interval of nothing")
    return found
