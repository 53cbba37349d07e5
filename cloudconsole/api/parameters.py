"""Query parameters, read strictly: a value that means nothing is a 400, never silently another answer."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime

from django.utils.dateparse import parse_date, parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

MAX_LENGTH = 256
PAGING = ("page", "page_size")


def check_known(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValidationError, `unknown_parameter`, for a parameter that nobody reads. `format` is the renderer's."""
    if unknown := sorted(set(given) - set(known) - {"format"}):
        raise ValidationError({name: ["There is no such parameter."] for name in unknown}, code="unknown_parameter")


def text(request: Request, name: str) -> str:
    """The parameter's last value without surrounding spaces, or an empty string."""
    given = request.query_params.get(name, "").strip()
    if len(given) > MAX_LENGTH:
        raise invalid(name, f"At most {MAX_LENGTH} characters.")
    return given


def choices(request: Request, name: str, allowed: Collection[str]) -> list[str]:
    """Every value of a repeatable parameter, each one of `allowed`."""
    given = [value.strip() for value in request.query_params.getlist(name) if value.strip()]
    for value in given:
        if value not in allowed:
            raise invalid(name, f"One of: {', '.join(sorted(allowed))}.")
    return given


def day(request: Request, name: str) -> date | None:
    """A day as YYYY-MM-DD."""
    given = text(request, name)
    return _parsed_day(name, given) if given else None


def moment(request: Request, name: str) -> datetime | None:
    """A moment in RFC 3339, or a day, which means its first moment in UTC."""
    given = text(request, name)
    if not given:
        return None
    if len(given) == 10:
        found = _parsed_day(name, given)
        return datetime(found.year, found.month, found.day, tzinfo=UTC)
    try:
        parsed = parse_datetime(given.replace(" ", "+"))  # a plus sign that was not encoded arrives as a space
        in_utc = parsed.astimezone(UTC) if parsed and parsed.tzinfo else None
    except (ValueError, OverflowError):
        in_utc = None
    if in_utc is None:
        raise invalid(name, "A moment such as 2026-11-22T10:00:00Z.")
    return in_utc


def ordering(request: Request, allowed: Collection[str], default: str) -> list[str]:
    """`ordering=field,-field`, each field one of `allowed`."""
    fields = (text(request, "ordering") or default).split(",")
    for field in fields:
        if field.removeprefix("-") not in allowed:
            raise invalid("ordering", f"One of: {', '.join(sorted(allowed))}; with a minus sign for descending.")
    return fields


def invalid(name: str, detail: str) -> ValidationError:
    """What to raise for a parameter that means nothing."""
    return ValidationError({name: [detail]})


def _parsed_day(name: str, given: str) -> date:
    try:
        found = parse_date(given)
    except ValueError:
        found = None
    if found is None:
        raise invalid(name, "A day such as 2026-11-22.")
    return found
