"""How much of the money carries a tag: sums of costs with and without a value, exact to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudconsole.core.money import EXACT, ZERO
from costs.rules.tags import EMPTY, NO_VALUE, UNTAGGED, WITHOUT_VALUE


@dataclass(frozen=True, slots=True)
class Covered:
    """One service or account. `untagged` has no value; of it, `empty` is known to have an empty one, and `absent` to have no tag
    at all: Cost Explorer does not tell these two apart, billing files do.
    """

    key: str
    tagged: Decimal = ZERO
    untagged: Decimal = ZERO
    empty: Decimal = ZERO
    absent: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return EXACT.add(self.tagged, self.untagged)

    @property
    def share(self) -> Decimal | None:
        """Tagged, of all; None where credits leave nothing that a share could be of."""
        if self.total <= ZERO or self.tagged < ZERO or self.untagged < ZERO:
            return None
        return EXACT.divide(self.tagged, self.total)

    @property
    def without_value(self) -> list[str]:
        """The words that stand in costs for having no value, as far as any money is under them."""
        untold = EXACT.subtract(self.untagged, EXACT.add(self.empty, self.absent))
        amounts = ((NO_VALUE, untold), (UNTAGGED, self.absent), (EMPTY, self.empty))
        return [word for word, amount in amounts if amount]

    def plus(self, value: str, amount: Decimal) -> Covered:
        """With costs under `value` of the tag."""
        if value not in WITHOUT_VALUE:
            return Covered(self.key, EXACT.add(self.tagged, amount), self.untagged, self.empty, self.absent)
        empty = EXACT.add(self.empty, amount) if value == EMPTY else self.empty
        absent = EXACT.add(self.absent, amount) if value == UNTAGGED else self.absent
        return Covered(self.key, self.tagged, EXACT.add(self.untagged, amount), empty, absent)


def covered(amounts: Mapping[tuple[str, str], Decimal]) -> list[Covered]:
    """`amounts` by value of the tag and something else, told by the latter: what most money is untagged in comes first."""
    found: dict[str, Covered] = {}
    for (value, key), amount in amounts.items():
        found[key] = found.get(key, Covered(key)).plus(value, amount)
    return sorted(found.values(), key=lambda one: (-one.untagged, -one.tagged, one.key))


def whole(amounts: Mapping[tuple[str, str], Decimal]) -> Covered:
    """All of it as one."""
    found = Covered("")
    for (value, _), amount in amounts.items():
        found = found.plus(value, amount)
    return found
