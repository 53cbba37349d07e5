"""What a recommendation says: about what, how much money a month is at stake, by which evidence, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

BY_AWS = "aws"  # the kind of what only AWS recommends
HOURS_A_MONTH = Decimal(730)  # as AWS's own calculator counts a month


class Confidence(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of waste. `operation` mends it here ("" for none); `clears`: once it no longer holds, it was mended.

    Of the other kinds only the end of the thing mends anything: a volume that is attached again is simply in use.
    """

    name: str
    title: str
    service: str
    fix: str
    operation: str = ""
    clears: bool = False


KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "stopped_instance",
            "Stopped instance that keeps volumes",
            "ec2",
            "Make an image of it if it may be needed again, then terminate it. Volumes that are not deleted with it remain, "
            "and show up here as unattached.",
            "ec2.terminate",
        ),
        Kind(
            "idle_instance",
            "Idle instance",
            "ec2",
            "Stop it. Its volumes stay and are billed on; it can be started again at any time.",
            "ec2.stop",
        ),
        Kind(
            "previous_generation",
            "Instance of a previous generation",
            "ec2",
            "Stop the instance, change its type, start it. Check first that its image has the ENA and NVMe drivers.",
            clears=True,
        ),
        Kind(
            "unattached_volume",
            "Unattached volume",
            "ebs",
            "Make a snapshot of it, then delete the volume. From the snapshot it can be made again.",
            "ebs.delete_volume",
        ),
        Kind(
            "gp2_volume",
            "gp2 volume that gp3 would serve for less",
            "ebs",
            "Change its type to gp3 while it is in use. It keeps at least the speed that it has.",
            "ebs.to_gp3",
            clears=True,
        ),
        Kind(
            "unused_address",
            "Elastic IP address that nothing uses",
            "addresses",
            "Release it. The same address hardly ever comes back: make sure that no DNS name or firewall counts on it.",
            "addresses.release",
        ),
        Kind(
            "old_snapshot",
            "Old snapshot",
            "ebs",
            "Delete it in AWS if nobody needs what the volume held then.",
        ),
        Kind(
            "empty_balancer",
            "Load balancer without healthy targets",
            "balancers",
            "Delete it in AWS, once it is clear that no name points to it.",
        ),
        Kind(
            "endless_logs",
            "Log group that keeps everything for ever",
            "logs",
            "Set how long events are kept. Older ones are then deleted, for good.",
            "logs.set_retention",
            clears=True,
        ),
        Kind(
            "lambda_memory",
            "Function with far more memory than it uses",
            "lambda",
            "Lower its memory on the function's page (Deploy, Settings), and see whether it then runs longer.",
            clears=True,
        ),
        Kind(
            BY_AWS,
            "Recommended by AWS",
            "hub",
            "Cost Optimization Hub in the AWS console shows how.",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Price:
    """Of one unit, by AWS's price list. `amount` None: not known, and `why` says so."""

    amount: Decimal | None
    currency: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """A month's money; `amount` None is not known, and `why` says so. Never 0 for what is not known."""

    amount: Decimal | None
    currency: str = ""
    why: str = ""

    @property
    def is_worth_telling(self) -> bool:
        """What costs less than a cent a month is noise; what is not known may be much."""
        return self.amount is None or self.amount >= Decimal("0.01")


def times(price: Price, quantity: Decimal) -> Money:
    """`quantity` units at this price."""
    if price.amount is None:
        return Money(None, "", price.why)
    return Money(price.amount * quantity, price.currency)


def added(parts: tuple[Money, ...]) -> Money:
    """The sum of parts in one currency. One that is not known, or two currencies, make it not known."""
    unknown = next((part for part in parts if part.amount is None), None)
    if unknown is not None:
        return Money(None, "", unknown.why)
    currencies = {part.currency for part in parts}
    if len(currencies) > 1:
        return Money(None, "", "Its parts are priced in several currencies.")
    return Money(sum((part.amount for part in parts if part.amount is not None), Decimal(0)), next(iter(currencies), ""))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing on which money could be saved. `why_sure` explains the confidence, `reasoning` how the money is counted.

    `parameters` go to the operation that mends it. `observed_at`: when AWS was asked for the evidence, at the earliest.
    """

    kind: str
    region: str
    resource_id: str
    name: str
    money: Money
    confidence: Confidence
    why_sure: str
    reasoning: str
    evidence: tuple[tuple[str, str], ...]
    observed_at: datetime
    parameters: Mapping[str, int | str] = field(default_factory=dict)
