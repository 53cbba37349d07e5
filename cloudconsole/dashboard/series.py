"""Which colour a service has: the same on every page, whatever else stands in the chart."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2s

SLOTS = 8
OTHER = 0

# The services most bills consist of have a colour of their own; everybody else gets one by name.
_KNOWN = {
    "Amazon Elastic Compute Cloud - Compute": 1,
    "Amazon Relational Database Service": 2,
    "Amazon Simple Storage Service": 3,
    "Amazon Bedrock": 4,
    "EC2 - Other": 5,
    "AWS Lambda": 6,
    "Amazon CloudFront": 7,
    "Amazon DynamoDB": 8,
}


def slots(names: Iterable[str]) -> dict[str, int]:
    """A colour slot (1 to 8) for each of at most eight names; the ninth and later, and "Other", get OTHER.

    A known service always has its own colour; of two others that want the same one, the first in the alphabet gets it.
    """
    wanted = {name: _KNOWN.get(name) for name in names if name != "Other"}
    taken = {slot for slot in wanted.values() if slot}
    found = {name: slot for name, slot in wanted.items() if slot}
    for name in sorted(name for name, slot in wanted.items() if slot is None):
        free = next((slot for slot in _by_preference(name) if slot not in taken), OTHER)
        found[name] = free
        taken.add(free)
    return found


def _by_preference(name: str) -> list[int]:
    start = blake2s(name.encode(), digest_size=2).digest()[0] % SLOTS
    return [(start + step) % SLOTS + 1 for step in range(SLOTS)]
