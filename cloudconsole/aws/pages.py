"""Lists that AWS tells page by page, each page a call of its own that takes a token from its owner's budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from cloudconsole.aws import calls, translation
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.fanout import DEFAULT_RATE
from cloudconsole.aws.rates import Rate, bucket_for

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """Which operation of which service is asked, as whom and where. `rate` counts per service, account and region."""

    access: Access
    service: str
    operation: str
    region: str
    rate: Rate = DEFAULT_RATE


def pages(listing: Listing, ask: Callable[[str], tuple[list[T], str]]) -> Iterator[list[T]]:
    """All pages. `ask` takes a page token ("" at first) and brings a page with the next token, "" at the end.

    Raises AwsError; a token that comes twice is one, because such a list would never end.
    """
    token, seen = "", set[str]()
    while True:
        bucket_for((listing.service, listing.access.key, listing.region), listing.rate).wait()
        page, token = _page(listing, ask, token)
        yield page
        if not token:
            return
        if token in seen:
            raise translation.garbled(listing.service, listing.operation, "It repeats a page token, so it would never end.")
        seen.add(token)


def _page(listing: Listing, ask: Callable[[str], tuple[list[T], str]], token: str) -> tuple[list[T], str]:
    return calls.call(listing.access, listing.service, listing.operation, listing.region, lambda: ask(token))
