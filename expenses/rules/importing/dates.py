"""Days as people and banks write them. The day is the one that is written; no time zone ever moves it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

FIRST, LAST = date(1970, 1, 1), date(2100, 1, 1)


class DateFormat(StrEnum):
    """The order in which the parts come; any of `. / - '` and spaces may be between them."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"
    DAY_NAME = "d mon y"
    NAME_DAY = "mon d y"
    EXCEL = "excel"


TITLES = {
    DateFormat.YMD: "2026-01-31",
    DateFormat.DMY: "31.01.2026 (day first)",
    DateFormat.MDY: "01/31/2026 (month first)",
    DateFormat.DAY_NAME: "31 Jan 2026",
    DateFormat.NAME_DAY: "Jan 31, 2026",
    DateFormat.EXCEL: "46053 (Excel's number of the day)",
}


class NotADay(ValueError):
    """The text is no day in this format; the message says so in plain words."""


_TIME = r"(?:[T ,]+\d{1,2}[:.h]\d{2}.*)?"
_ISO = re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}}){_TIME}")
_YMD = re.compile(rf"(\d{{4}})[./\- ]?(\d{{1,2}})[./\- ]?(\d{{1,2}}){_TIME}")
_PARTS = re.compile(rf"(\d{{1,2}})[./\-' ]+(\d{{1,2}})[./\-' ]+(\d{{4}}|\d{{2}}){_TIME}")
_SOLID = re.compile(r"(\d{2})(\d{2})(\d{4})")
_DAY_NAME = re.compile(rf"(\d{{1,2}})\.?[ \-/]*([^\W\d_]{{3,9}})\.?[ \-/,]*(\d{{4}}|\d{{2}}){_TIME}")
_NAME_DAY = re.compile(rf"([^\W\d_]{{3,9}})\.?[ \-/]*(\d{{1,2}})(?:st|nd|rd|th)?[ \-/,]+(\d{{4}}|\d{{2}}){_TIME}")
_SERIAL = re.compile(r"(\d{4,6})(?:[.,]\d+)?")
_EXCEL_START = date(1899, 12, 30)

# English, German, French, Spanish, Italian, Dutch, Portuguese: the letters that tell a month from the others.
_MONTHS = (
    ("jan", "jän", "ene", "gen"),
    ("feb", "fév", "fev"),
    ("mar", "mär", "maa", "mrt"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mei", "mag"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aoû", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)


def parse(text: str, format_: DateFormat) -> date:
    """The day. What is written as 2026-01-31 is read so in every format. Raises NotADay."""
    bare = text.strip()
    if iso := _ISO.fullmatch(bare):
        year, month, day = iso.groups()
        found = _day(int(year), int(month), int(day))
    else:
        found = _READERS[format_](bare)
    if found is None:
        raise NotADay(f"“{bare[:40]}” is not a day like {TITLES[format_]}." if bare else "The date is missing.")
    if not FIRST <= found < LAST:
        raise NotADay(f"The day {found.isoformat()} lies outside of 1970 to 2099.")
    return found


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text) if int(text) < 70 else 1900 + int(text)


def _ymd(text: str) -> date | None:
    found = _YMD.fullmatch(text)
    return _day(*map(int, found.groups())) if found else None


def _dmy(text: str) -> date | None:
    found = _PARTS.fullmatch(text) or _SOLID.fullmatch(text)
    return _day(_year(found[3]), int(found[2]), int(found[1])) if found else None


def _mdy(text: str) -> date | None:
    found = _PARTS.fullmatch(text) or _SOLID.fullmatch(text)
    return _day(_year(found[3]), int(found[1]), int(found[2])) if found else None


def _month(name: str) -> int | None:
    # "juillet" starts with "jui" as well: the longest beginning decides.
    lower = name.casefold()
    fits = [(len(start), number) for number, starts in enumerate(_MONTHS, 1) for start in starts if lower.startswith(start)]
    return max(fits)[1] if fits else None


def _day_name(text: str) -> date | None:
    found = _DAY_NAME.fullmatch(text)
    month = _month(found[2]) if found else None
    return _day(_year(found[3]), month, int(found[1])) if found and month else None


def _name_day(text: str) -> date | None:
    found = _NAME_DAY.fullmatch(text)
    month = _month(found[1]) if found else None
    return _day(_year(found[3]), month, int(found[2])) if found and month else None


def _excel(text: str) -> date | None:
    found = _SERIAL.fullmatch(text)
    return _EXCEL_START + timedelta(days=int(found[1])) if found else None


_READERS: dict[DateFormat, Callable[[str], date | None]] = {
    DateFormat.YMD: _ymd,
    DateFormat.DMY: _dmy,
    DateFormat.MDY: _mdy,
    DateFormat.DAY_NAME: _day_name,
    DateFormat.NAME_DAY: _name_day,
    DateFormat.EXCEL: _excel,
}


@dataclass(frozen=True, slots=True)
class Guess:
    """`is_sure` is False where other days would fit the samples as well: a person should look."""

    format: DateFormat
    is_sure: bool = True


def recognised(samples: Sequence[str]) -> Guess:
    """The format that reads most of the samples. Of day first and month first, when both do: the one with less time between
    the first and the last, because a statement tells of some weeks; then day first."""
    texts = [sample for sample in samples if sample.strip()]
    read = {one: _all(texts, one) for one in DateFormat}
    most = max(len(days) for days in read.values())
    if not most:
        return Guess(DateFormat.YMD, is_sure=not texts)
    fitting = [one for one in DateFormat if len(read[one]) == most]
    best = min(fitting, key=lambda one: (one is DateFormat.EXCEL, max(read[one]) - min(read[one])))
    rivals = [one for one in fitting if one is not best and read[one] != read[best]]
    return Guess(best, is_sure=not ({*rivals} & {DateFormat.DMY, DateFormat.MDY}))


def _all(texts: Sequence[str], format_: DateFormat) -> list[date]:
    days = []
    for text in texts:
        try:
            days.append(parse(text, format_))
        except NotADay:
            continue
    return days
