"""What one answer says of an API's limits, whichever way that API says it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.rules import rate_headers, reset_times, structured_fields
from gateway.rules.rate_headers import Headers
from gateway.rules.rate_windows import Dialect, Unit, Window, pause_s, remaining_of
from gateway.rules.reset_times import Clock, Kind
from gateway.rules.structured_fields import Item, NotStructured

TOO_MANY = 429
_FORBIDDEN = 403
_MOST_WINDOWS = 24
_PAIR = re.compile(r"\s*(limit|remaining|reset)\s*=\s*(\d{1,15})\s*")
_USED_OF = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})")
_UNITS = {
    "requests": Unit.REQUESTS,
    "content-bytes": Unit.BYTES,
    "concurrent-requests": Unit.CONCURRENT,
    "tokens": Unit.TOKENS,
    "credits": Unit.CREDITS,
}
# In thousandths of a second; the others tell seconds or a date.
_WAITS_MS = ("retry-after-ms", "x-ms-retry-after-ms")
_WAITS = ("retry-after", "x-ratelimit-retry-after", "x-rate-limit-retry-after")


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known beforehand of an API: its dialect, and what its reset means where the number does not tell."""

    dialect: Dialect
    reset: Kind = Kind.BY_SIZE


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer and when it came. Of a header that came twice both are here."""

    status: int
    headers: Sequence[tuple[str, str]]
    at: datetime

    def by_name(self) -> dict[str, list[str]]:
        """In lower case, each with its values in the order they came."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value.strip()[:2000])
        return found


def read(answer: Answer, profile: Profile | None = None, *, refusals: int = 0) -> list[Window]:
    """Every window that the answer tells of, each policy and unit once.

    A refusal that tells no wait gets one that doubles with `refusals`, how often it was refused in a row before.
    """
    headers = answer.by_name()
    clock = Clock.of(answer.at, headers)
    found = [_completed(window) for window in _told(headers, clock, profile)]
    shown = [window for window in found if window.is_told or _is_refusal_until(window, answer)]
    return _once(_refused(shown, answer, headers, clock, refusals))[:_MOST_WINDOWS]


def is_refusal(answer: Answer) -> bool:
    """Whether the API said that a limit was reached."""
    headers = answer.by_name()
    return answer.status == TOO_MANY or (answer.status == _FORBIDDEN and any(name in headers for name in (*_WAITS, *_WAITS_MS)))


def _told(headers: Headers, clock: Clock, profile: Profile | None) -> Iterator[Window]:
    dialect, kind = (profile.dialect, profile.reset) if profile else (None, Kind.BY_SIZE)
    yield from _structured(headers, clock)
    yield from _each_once(list(rate_headers.windows(headers, clock, kind, dialect)))
    yield from _shopify(headers)


def _each_once(windows: Sequence[Window]) -> Iterator[Window]:
    """Kong tells its nearest limit a second time, under the IETF's names and with its reset."""
    again = {(one.limit, one.remaining): one for one in windows if one.source.startswith("ratelimit-")}
    for window in windows:
        twin = again.get((window.limit, window.remaining))
        if window.dialect is Dialect.KONG and twin is not None:
            yield replace(window, reset_at=window.reset_at or twin.reset_at)
        elif window is not twin or not any(_is_told_by_kong(window, other) for other in windows):
            yield window


def _is_told_by_kong(window: Window, other: Window) -> bool:
    return other.dialect is Dialect.KONG and (other.limit, other.remaining) == (window.limit, window.remaining)


def _completed(window: Window) -> Window:
    return replace(window, remaining=remaining_of(window.limit, window.remaining, window.used))


def _is_refusal_until(window: Window, answer: Answer) -> bool:
    """A reset alone says something only where a limit was reached."""
    return is_refusal(answer) and window.reset_at is not None and window.reset_at > answer.at


def _once(windows: Iterable[Window]) -> list[Window]:
    found: dict[tuple[str, Unit], Window] = {}
    for window in windows:
        found.setdefault((window.policy, window.unit), window)
    return list(found.values())


# --- the IETF's own headers


def _structured(headers: Headers, clock: Clock) -> Iterator[Window]:
    told, policies = ", ".join(headers.get("ratelimit", ())), ", ".join(headers.get("ratelimit-policy", ()))
    try:
        limits = [item for item in structured_fields.items(told) if isinstance(item.value, str) and "r" in item.parameters]
        known = structured_fields.items(policies)
    except NotStructured:
        limits, known = [], []
    if limits or any(isinstance(item.value, str) for item in known):
        yield from _draft_10(limits, {item.value: item for item in known}, clock)
    elif told:
        yield from _draft_07(told, policies, clock)


def _draft_10(limits: Sequence[Item], policies: dict[structured_fields.Value, Item], clock: Clock) -> Iterator[Window]:
    for item in limits:
        policy = policies.pop(item.value, Item(item.value, {}))
        wait = _whole(item, "t")
        window = _of_policy(policy, "ratelimit", _text(item, "pk") or _text(policy, "pk"))
        yield replace(window, remaining=_whole(item, "r"), reset_at=None if wait is None else clock.after(wait))
    for policy in policies.values():
        yield _of_policy(policy, "ratelimit-policy", _text(policy, "pk"))


def _of_policy(policy: Item, source: str, scope: str) -> Window:
    unit = _UNITS.get(_text(policy, "qu").lower(), Unit.REQUESTS)
    name = str(policy.value)[:120]
    return Window(Dialect.IETF_10, source, unit, name, scope, limit=_whole(policy, "q"), seconds=_whole(policy, "w") or None)


def _whole(item: Item, name: str) -> int | None:
    value = item.parameters.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _text(item: Item, name: str) -> str:
    value = item.parameters.get(name)
    return value[:120] if isinstance(value, str) else ""


def _draft_07(told: str, policies: str, clock: Clock) -> Iterator[Window]:
    """`limit=100, remaining=50, reset=30`."""
    pairs = [_PAIR.fullmatch(piece) for piece in told.split(",")]
    parts = {pair[1]: int(pair[2]) for pair in pairs if pair}
    if "limit" in parts or "remaining" in parts:
        reset = clock.after(parts["reset"]) if "reset" in parts else None
        length = re.search(r";\s*w=(\d{1,9})", policies)
        yield Window(
            Dialect.IETF_07,
            "ratelimit",
            limit=parts.get("limit"),
            remaining=parts.get("remaining"),
            reset_at=reset,
            seconds=int(length[1]) if length else None,
        )


# --- what fits no pattern


def _shopify(headers: Headers) -> Iterator[Window]:
    """`32/40`: used, and of how much."""
    name = "x-shopify-shop-api-call-limit"
    for found in filter(None, (_USED_OF.fullmatch(value) for value in headers.get(name, ()))):
        yield Window(Dialect.SHOPIFY, name, policy="shop", used=int(found[1]), limit=int(found[2]))


# --- refusals


def _retry_at(headers: Headers, clock: Clock) -> datetime | None:
    """When the answer asks to be asked again: the longest of what it says."""
    seconds = [reset_times.read(text, clock, Kind.BY_SIZE) for name in _WAITS for text in headers.get(name, ())]
    thousandths = [reset_times.read(text, clock, Kind.DELTA_MS) for name in _WAITS_MS for text in headers.get(name, ())]
    return max((moment for moment in (*seconds, *thousandths) if moment), default=None)


def _refused(found: list[Window], answer: Answer, headers: Headers, clock: Clock, refusals: int) -> list[Window]:
    """What an API that says "too many" has said besides: how long to wait wins over every other word."""
    if not is_refusal(answer):
        return found
    until = _retry_at(headers, clock)
    found = [window if window.is_told else replace(window, remaining=0) for window in found]
    if until and any(window.is_empty for window in found):
        return [replace(window, reset_at=until) if window.is_empty else window for window in found]
    if any(window.is_empty and window.reset_at for window in found):
        return found
    return [*found, _pause(headers, until or clock.after(pause_s(refusals + 1)), is_told=until is not None)]


def _pause(headers: Headers, until: datetime | None, *, is_told: bool) -> Window:
    """A window made of the refusal alone."""
    reason = next(iter(headers.get("stripe-rate-limited-reason", ())), "")[:120]
    unit = Unit.CONCURRENT if "concurrency" in reason else Unit.REQUESTS
    dialect = Dialect.STRIPE if reason else Dialect.RETRY_AFTER
    source = "stripe-rate-limited-reason" if reason else ("retry-after" if is_told else "status 429")
    return Window(dialect, source, unit, reason or "pause", remaining=0, reset_at=until)
