"""Who is counted by whom: the bill of a payer holds the costs of its members, so those are not added a second time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of one source. `number` is the AWS account's; `payer_number` its management account's, if known."""

    pk: int
    number: str
    payer_number: str
    connected: bool
    works: bool
    has_history: bool


def covered_by(sources: Sequence[Source], listed: Mapping[int, frozenset[str]]) -> dict[int, int | None]:
    """For each source, the payer that counts it, or None when it counts itself.

    `listed`: for each source, the numbers of other accounts that its stored facts name. A payer that works covers its
    members. One that does not keeps only those that have no figures of their own, so that nothing disappears meanwhile.
    """
    return {source.pk: _payer_of(source, sources, listed) for source in sources}


def _payer_of(source: Source, sources: Sequence[Source], listed: Mapping[int, frozenset[str]]) -> int | None:
    for payer in sources:
        if payer.pk == source.pk or not payer.connected or not _holds(payer, source, listed):
            continue
        if payer.works and payer.has_history:
            return payer.pk
        if not source.has_history:
            return payer.pk
    return None


def _holds(payer: Source, member: Source, listed: Mapping[int, frozenset[str]]) -> bool:
    if payer.payer_number and payer.payer_number != payer.number:
        return False  # a member's bill holds nobody else
    return member.payer_number == payer.number or member.number in listed.get(payer.pk, frozenset())
