"""Cost Explorer's GetCostAndUsage over the ledger: periods, groups, metrics and pages as AWS answers them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from cloudconsole.simulator import cost_requests, cost_tags, ledger
from cloudconsole.simulator.cost_filters import FILTER_DIMENSIONS, GROUP_DIMENSIONS
from cloudconsole.simulator.cost_lists import Listed, listed
from cloudconsole.simulator.cost_requests import CostRequest, Group
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.ledger import CURRENCY, Ledger
from cloudconsole.simulator.line_items import PLACES, UNIT, Line
from cloudconsole.simulator.organization import ACCOUNTS
from cloudconsole.simulator.wire import AwsError

DEFAULT_PAGE_SIZE = 2000  # groups; AWS's own limit is unpublished
_REMEMBERED_ANSWERS = 16

Keys = tuple[str, ...]
Sums = list[int]  # the five costs, then the usage quantity


class Row(NamedTuple):
    """One group of one period; `keys` None stands for a period without any."""

    period: int
    keys: Keys | None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Answer:
    """Everything a question comes to, before it is cut into pages."""

    periods: list[tuple[date, date]]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class PageToken:
    digest: str
    account: str
    offset: int
    as_of: datetime


class CostExplorer:
    """Answers questions; remembers the last few so that a further page costs nothing. Safe to use from many threads."""

    def __init__(self, book: Ledger, page_size: int = DEFAULT_PAGE_SIZE) -> None:
        self.book = book
        self.page_size = page_size
        self._answers: OrderedDict[tuple[str, str, datetime], Answer] = OrderedDict()
        self._lock = Lock()
        self._token_key = f"cost-explorer-pages-{book.seed}".encode()

    def get_cost_and_usage(self, identity: Identity, arguments: dict[str, Any], now: datetime) -> dict[str, Any]:
        """One page. Raises AwsError for everything that AWS refuses."""
        if not identity.account.cost_explorer_enabled:
            raise not_enabled()
        request = cost_requests.read(arguments, now.date())
        # Within an hour nothing new arrives, and all pages of an answer are of the same moment.
        offset, as_of = 0, now.replace(minute=0, second=0, microsecond=0)
        if request.page_token is not None:
            token = self._read_token(request.page_token)
            if (token.digest, token.account) != (request.digest, identity.account_id):
                raise AwsError(
                    "RequestChangedException",
                    "Your request parameters changed between pages. Try again with the old parameters or without a "
                    "pagination token.",
                )
            offset, as_of = token.offset, token.as_of
        answer = self._answer(request, identity.account_id, as_of)
        return self._page(request, answer, PageToken(request.digest, identity.account_id, offset, as_of))

    def list(self, operation: str, identity: Identity, arguments: dict[str, Any], now: datetime) -> dict[str, Any] | None:
        """The answer to what lists tags or values; None for another operation. Raises AwsError."""
        if not identity.account.cost_explorer_enabled:
            raise not_enabled()
        if operation == "ListCostAllocationTags":
            return cost_tags.allocation_tags(self.book.origin, identity, arguments, now.date())
        if operation not in ("GetTags", "GetDimensionValues"):
            return None
        start, end, predicate = cost_requests.read_list(arguments, now.date())
        lines = (line for day in _days(start, end) for line in self._seen(identity, day, now) if predicate(line))
        return cost_tags.get_tags(lines, arguments) if operation == "GetTags" else _dimension_values(lines, arguments)

    def _seen(self, identity: Identity, day: date, now: datetime) -> Iterable[Line]:
        view = ledger.view_for(identity.account_id, ())
        return ledger.visible_to(self.book.shown(day, now), identity.account_id, view)

    def page_of(self, arguments: dict[str, Any]) -> int:
        """Which page a request asks for, counted from 1; 1 where its token cannot be read."""
        try:
            text = arguments.get("NextPageToken")
            return 1 if text is None else self._read_token(text).offset // self.page_size + 1
        except AwsError:
            return 1

    # --- answers

    def _answer(self, request: CostRequest, account: str, as_of: datetime) -> Answer:
        key = (request.digest, account, as_of)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = self._compute(request, account, as_of)
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > _REMEMBERED_ANSWERS:
                self._answers.popitem(last=False)
        return answer

    def _compute(self, request: CostRequest, account: str, as_of: datetime) -> Answer:
        periods = list(_periods(request))
        view = ledger.view_for(account, request.dimensions)
        key_of = _key_function(request.group_by)
        rows: list[Row] = []
        for number, (start, end) in enumerate(periods):
            sums: dict[Keys, Sums] = {}
            for day in _days(start, end):
                for line in ledger.visible_to(self.book.shown(day, as_of), account, view):
                    if request.predicate(line):
                        _add(sums, key_of(line), line)
            rows += [Row(number, keys, sums[keys]) for keys in sorted(sums)] or [Row(number, None, [0] * 6)]
        return Answer(periods, rows)

    # --- pages

    def _page(self, request: CostRequest, answer: Answer, at: PageToken) -> dict[str, Any]:
        rows = answer.rows[at.offset : at.offset + self.page_size]
        page: dict[str, Any] = {"ResultsByTime": _results(request, answer.periods, rows, at.as_of)}
        if request.group_by:
            page["GroupDefinitions"] = [{"Type": group.kind, "Key": group.key} for group in request.group_by]
        page["DimensionValueAttributes"] = _account_names(request.group_by, rows)
        if at.offset + self.page_size < len(answer.rows):
            page["NextPageToken"] = self._make_token(at, at.offset + self.page_size)
        return page

    def _make_token(self, at: PageToken, offset: int) -> str:
        claims = json.dumps([at.digest, at.account, offset, int(at.as_of.timestamp())]).encode()
        return base64.b64encode(hmac.digest(self._token_key, claims, hashlib.sha256) + claims).decode()

    def _read_token(self, text: str) -> PageToken:
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise token_refused() from None
        if not hmac.compare_digest(hmac.digest(self._token_key, raw[32:], hashlib.sha256), raw[:32]):
            raise token_refused()
        digest, account, offset, moment = json.loads(raw[32:])
        return PageToken(digest, account, offset, datetime.fromtimestamp(moment, UTC))


def _dimension_values(lines: Iterable[Line], arguments: dict[str, Any]) -> dict[str, Any]:
    key = arguments.get("Dimension")
    if key not in FILTER_DIMENSIONS:
        raise cost_requests.validation_error(f"Dimension {key} is invalid. Valid values are {', '.join(FILTER_DIMENSIONS)}.")
    values = sorted({FILTER_DIMENSIONS[key](line) for line in lines})
    names = {value: ACCOUNTS[value].name for value in values} if key == "LINKED_ACCOUNT" else {}
    found = [
        Listed({"Value": value, "Attributes": {"description": names[value]} if value in names else {}}, names.get(value, value))
        for value in values
    ]
    return listed("DimensionValues", found, arguments)


def not_enabled() -> AwsError:
    return AwsError("AccessDeniedException", "User not enabled for cost explorer access")


def token_refused() -> AwsError:
    return AwsError("InvalidNextTokenException", "The pagination token is invalid. Try again without a pagination token.")


def with_duplicate_keys(page: dict[str, Any]) -> dict[str, Any]:
    """The same page with every group split in two rows of the same keys, whose amounts add up to it."""
    for result in page["ResultsByTime"]:
        result["Groups"] = [half for group in result["Groups"] for half in _halves(group)]
    return page


def _halves(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    whole = {name: (_parse(value["Amount"]), value["Unit"]) for name, value in group["Metrics"].items()}
    for metrics in (
        {name: {"Amount": decimal(amount // 2), "Unit": unit} for name, (amount, unit) in whole.items()},
        {name: {"Amount": decimal(amount - amount // 2), "Unit": unit} for name, (amount, unit) in whole.items()},
    ):
        yield {"Keys": group["Keys"], "Metrics": metrics}


def _parse(text: str) -> int:
    whole, _, fraction = text.lstrip("-").partition(".")
    value = int(whole) * UNIT + int(fraction.ljust(PLACES, "0") or 0)
    return -value if text.startswith("-") else value


def _periods(request: CostRequest) -> Iterator[tuple[date, date]]:
    """Half-open days, or months cut to the requested range."""
    start = request.start
    while start < request.end:
        following = cost_requests.first_of_next_month(start) if request.monthly else start + timedelta(days=1)
        yield start, min(following, request.end)
        start = following


def _days(start: date, end: date) -> Iterator[date]:
    return (start + timedelta(days=number) for number in range((end - start).days))


def _key_function(groups: tuple[Group, ...]) -> Callable[[Line], Keys]:
    fields = [_group_field(group) for group in groups]
    if not fields:
        return lambda line: ()
    if len(fields) == 1:
        only = fields[0]
        return lambda line: (only(line),)
    first, second = fields
    return lambda line: (first(line), second(line))


def _group_field(group: Group) -> Callable[[Line], str]:
    if group.kind == "DIMENSION":
        return GROUP_DIMENSIONS[group.key]
    if group.kind == "TAG":
        return lambda line: f"{group.key}${cost_tags.value_of(line, group.key) or ''}"
    return lambda line: f"{group.key}$"


def _add(sums: dict[Keys, Sums], keys: Keys, line: Line) -> None:
    found, costs = sums.get(keys), line.costs
    if found is None:
        sums[keys] = [*costs, line.quantity]
        return
    found[0] += costs[0]
    found[1] += costs[1]
    found[2] += costs[2]
    found[3] += costs[3]
    found[4] += costs[4]
    found[5] += line.quantity


def _results(request: CostRequest, periods: list[tuple[date, date]], rows: list[Row], as_of: datetime) -> list[dict[str, Any]]:
    """A period whose groups do not fit on one page goes on on the next."""
    results: dict[int, dict[str, Any]] = {}
    for row in rows:
        result = results.setdefault(row.period, _empty_result(periods[row.period], as_of))
        if not request.group_by:
            result["Total"] = _metrics(request.metrics, row.sums)
        elif row.keys is not None:
            result["Groups"].append({"Keys": list(row.keys), "Metrics": _metrics(request.metrics, row.sums)})
    return list(results.values())


def _empty_result(period: tuple[date, date], as_of: datetime) -> dict[str, Any]:
    start, end = period
    return {
        "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
        "Total": {},
        "Groups": [],
        "Estimated": ledger.is_open(start, as_of),
    }


_POSITIONS = {name: number for number, name in enumerate(cost_requests.METRICS)}


def _metrics(names: tuple[str, ...], sums: Sums) -> dict[str, dict[str, str]]:
    return {name: _metric(_POSITIONS[name], sums) for name in names}


def _metric(position: int, sums: Sums) -> dict[str, str]:
    if position < 5:
        return {"Amount": decimal(sums[position]), "Unit": CURRENCY}
    # Quantities of unlike units are added up regardless, and the unit then is not applicable.
    return {"Amount": decimal(sums[5]) if position == 5 else "0", "Unit": "N/A"}


def decimal(value: int) -> str:
    """Whole 1e-10 as AWS writes decimals: no exponent, no trailing zeros, zero is "0"."""
    sign = "-" if value < 0 else ""
    whole, fraction = divmod(abs(value), UNIT)
    return f"{sign}{whole}.{fraction:0{PLACES}}".rstrip("0").rstrip(".") if fraction else f"{sign}{whole}"


def _account_names(groups: tuple[Group, ...], rows: list[Row]) -> list[dict[str, Any]]:
    positions = [number for number, group in enumerate(groups) if group.key == "LINKED_ACCOUNT"]
    found = {row.keys[position] for row in rows if row.keys for position in positions}
    return [{"Value": account, "Attributes": {"description": ACCOUNTS[account].name}} for account in sorted(found)]
