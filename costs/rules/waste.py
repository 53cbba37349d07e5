"""When something is waste, and how much a month: one function for each kind. None: it is not, or nobody can tell.

All money is a list price of AWS, before discounts, Savings Plans and tax: what could be saved at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from cloudconsole.core import figures
from costs.rules.findings import HOURS_A_MONTH, Confidence, Finding, Money, Price, added, times

STOPPED_FOR = timedelta(days=7)
LARGE_GIB = 50
UNATTACHED_FOR = timedelta(days=1)
SNAPSHOT_AGE = timedelta(days=90)
NEWER_SNAPSHOTS = 5
LOGS_KEPT_DAYS = 90
LOGS_FROM_BYTES = 2**30
_GIB = Decimal(2**30)
# Busy is what AWS's own checks call so: Compute Optimizer's idle instances, Trusted Advisor's low use.
IDLE_PEAK, IDLE_MEAN, IDLE_PEAK_SOMETIMES, IDLE_BYTES_A_DAY = 5.0, 2.0, 20.0, 5_000_000.0
USAGE_HOURS, ENOUGH_HOURS = 14 * 24, 7 * 24
# Snapshots of these are made and deleted by a plan of their own.
_PLANNED = ("aws:backup:source-resource", "aws:dlm:lifecycle-policy-id")


@dataclass(frozen=True, slots=True)
class Thing:
    """Where it is and what it is called."""

    region: str
    resource_id: str
    name: str
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume. `price` is of a GiB a month."""

    thing: Thing
    kind: str
    size_gib: int
    attached_to: str
    created_at: datetime | None
    price: Price

    @property
    def money(self) -> Money:
        return times(self.price, Decimal(self.size_gib))


@dataclass(frozen=True, slots=True)
class Machine:
    """An instance. `price` is of an hour; `usage_hours` None: never measured."""

    thing: Thing
    state: str
    instance_type: str
    lifecycle: str
    price: Price
    stopped_since: datetime | None = None
    cpu_mean: float | None = None
    cpu_max: float | None = None
    network_bytes_a_day: float | None = None
    usage_hours: int | None = None
    usage_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gp3Prices:
    """Of a GiB, of one of the IOPS beyond 3000, of one MiB/s beyond 125; each a month."""

    storage: Price
    iops: Price
    throughput: Price


@dataclass(frozen=True, slots=True)
class Copy:
    """A snapshot. `newer`: later ones of the same volume; `source_exists`: whether the volume is still there."""

    thing: Thing
    volume_gib: int
    full_bytes: int | None
    started_at: datetime | None
    image_id: str
    state: str
    tags: Mapping[str, str]
    newer: int
    source_exists: bool
    is_only_one: bool
    price: Price


@dataclass(frozen=True, slots=True)
class Balancer:
    """A load balancer. `price` is of an hour, without what passes through it."""

    thing: Thing
    kind: str
    state: str
    groups: int
    targets: int
    healthy: int
    price: Price


@dataclass(frozen=True, slots=True)
class Logs:
    """A log group. `price` is of a GiB a month."""

    thing: Thing
    stored_bytes: int
    retention_days: int | None
    storage_class: str
    created_at: datetime | None
    price: Price


def stopped_instance(machine: Machine, disks: Sequence[Disk], now: datetime) -> Finding | None:
    """A week stopped, and its volumes are billed on."""
    size, since = sum(disk.size_gib for disk in disks), machine.stopped_since
    if machine.state != "stopped" or since is None or now - since < STOPPED_FOR or size < LARGE_GIB:
        return None
    money = added(tuple(disk.money for disk in disks))
    days = (now - since).days
    sure = Confidence.HIGH if days >= 30 else Confidence.MEDIUM
    return _told(
        "stopped_instance",
        machine.thing,
        money,
        sure,
        f"It has been stopped for at least {days} days; whether it is kept for later, nothing tells.",
        f"{_volumes(len(disks))}{size} GiB at AWS's list price for a month. A stopped instance itself costs nothing.",
        (
            ("State", f"stopped since {figures.day(since)} or before"),
            ("Type", machine.instance_type),
            *((f"Volume {disk.thing.resource_id}", f"{disk.size_gib} GiB {disk.kind}") for disk in disks),
        ),
        min([machine.thing.observed_at, *(disk.thing.observed_at for disk in disks)]),
    )


def idle_instance(machine: Machine) -> Finding | None:
    """It runs, and neither processor nor network says that anybody uses it. Without data nobody can tell."""
    hours, mean, peak, traffic = machine.usage_hours, machine.cpu_mean, machine.cpu_max, machine.network_bytes_a_day
    if machine.state != "running" or machine.usage_at is None or hours is None or hours < ENOUGH_HOURS:
        return None
    if mean is None or peak is None or traffic is None or traffic > IDLE_BYTES_A_DAY:
        return None
    if peak > IDLE_PEAK and (mean > IDLE_MEAN or peak > IDLE_PEAK_SOMETIMES):
        return None
    whole = hours >= USAGE_HOURS and peak <= IDLE_PEAK
    why = (
        "Fourteen whole days of figures, and not one busy minute in them."
        if whole
        else f"{hours} of {USAGE_HOURS} hours have figures, and its processor was at {peak:.1f} % once: a rare job is possible."
    )
    return _told(
        "idle_instance",
        machine.thing,
        _hourly(machine.price) if machine.lifecycle in ("", "on-demand") else Money(None, "", "Spot prices move all the time."),
        Confidence.HIGH if whole else Confidence.MEDIUM,
        why,
        "The on-demand list price of its type for 730 hours. Its volumes are billed on while it is stopped.",
        (
            ("Type", machine.instance_type),
            ("Processor, mean of 14 days", f"{mean:.2f} %"),
            ("Processor, busiest moment", f"{peak:.2f} %"),
            ("Network, in and out", f"{traffic / 1_000_000:.2f} MB a day"),
            ("Hours with figures", f"{hours} of {USAGE_HOURS}"),
        ),
        machine.usage_at,
    )


def previous_generation(machine: Machine, newer: str, newer_price: Price) -> Finding | None:
    """There is a newer type of the same size that costs less. Without both prices nobody can tell."""
    if machine.state != "running" or machine.lifecycle not in ("", "on-demand") or not newer:
        return None
    now, then = machine.price, newer_price
    if now.amount is None or then.amount is None or now.currency != then.currency or then.amount >= now.amount:
        return None
    return _told(
        "previous_generation",
        machine.thing,
        Money((now.amount - then.amount) * HOURS_A_MONTH, now.currency),
        Confidence.MEDIUM,
        "The prices are AWS's own; whether its software runs on the newer type, only a try tells.",
        f"The list price of {machine.instance_type} less that of {newer}, for 730 hours.",
        (
            (machine.instance_type, f"{now.amount.normalize():f} {now.currency} an hour"),
            (newer, f"{then.amount.normalize():f} {then.currency} an hour"),
        ),
        machine.thing.observed_at,
    )


def unattached_volume(disk: Disk, now: datetime) -> Finding | None:
    """Nothing holds it, and it is no new one that is about to be attached."""
    if disk.attached_to or disk.created_at is None or now - disk.created_at < UNATTACHED_FOR:
        return None
    days = (now - disk.created_at).days
    return _told(
        "unattached_volume",
        disk.thing,
        disk.money,
        Confidence.HIGH if days >= 30 else Confidence.MEDIUM,
        f"AWS says that nothing holds it. It was made {_days(days)} ago; since when it lies idle, AWS does not tell.",
        f"{disk.size_gib} GiB at the list price of {disk.kind} for a month, without IOPS paid for apart. A snapshot of it, "
        "made before it is deleted, costs about half as much or less.",
        (
            ("Size", f"{disk.size_gib} GiB"),
            ("Type", disk.kind),
            ("Attached to", "nothing"),
            ("Made", figures.day(disk.created_at)),
        ),
        disk.thing.observed_at,
    )


def gp3_settings(size_gib: int) -> tuple[int, int]:
    """IOPS and MiB/s with which gp3 is never slower than gp2 of this size (EBS user guide, "General Purpose SSD volumes")."""
    return max(3000, min(16_000, 3 * size_gib)), 125 if size_gib <= 170 else 250


def gp2_volume(disk: Disk, prices: Gp3Prices) -> Finding | None:
    """gp3 with at least the same speed costs less."""
    if disk.kind != "gp2" or not disk.attached_to:
        return None
    iops, throughput = gp3_settings(disk.size_gib)
    wanted = (
        times(prices.storage, Decimal(disk.size_gib)),
        *((times(prices.iops, Decimal(iops - 3000)),) if iops > 3000 else ()),
        *((times(prices.throughput, Decimal(throughput - 125)),) if throughput > 125 else ()),
    )
    money = _less(disk.money, added(wanted))
    if money.amount is not None and money.amount <= 0:
        return None
    return _told(
        "gp2_volume",
        disk.thing,
        money,
        Confidence.HIGH,
        "Type and size are AWS's own words, and the change is made while the volume is in use.",
        f"{disk.size_gib} GiB at the list price of gp2, less gp3 with {iops} IOPS and {throughput} MiB/s, so that nothing gets "
        "slower. Baseline gp2 may burst to 3000 IOPS; gp3 has them always.",
        (
            ("Size", f"{disk.size_gib} GiB"),
            ("Type", "gp2"),
            ("As gp3", f"{iops} IOPS, {throughput} MiB/s"),
            ("Attached to", disk.attached_to),
        ),
        disk.thing.observed_at,
        {"iops": iops, "throughput": throughput},
    )


def unused_address(thing: Thing, public_ip: str, associated_with: str, managed_by: str, price: Price) -> Finding | None:
    """It is billed by the hour, and leads nowhere."""
    if associated_with or managed_by:
        return None
    return _told(
        "unused_address",
        thing,
        _hourly(price),
        Confidence.HIGH,
        "AWS says that no instance and no network interface uses it.",
        "The list price of an idle public IPv4 address for 730 hours.",
        (("Address", public_ip), ("Associated with", "nothing")),
        thing.observed_at,
    )


def old_snapshot(copy: Copy, now: datetime) -> Finding | None:
    """Old, no image needs it, no plan keeps it, and its volume is gone or has newer ones."""
    if copy.state != "completed" or copy.started_at is None or now - copy.started_at < SNAPSHOT_AGE or copy.image_id:
        return None
    if any(tag in copy.tags for tag in _PLANNED) or (copy.source_exists and copy.newer < NEWER_SNAPSHOTS):
        return None
    size = Decimal(copy.full_bytes) / _GIB if copy.full_bytes is not None else Decimal(copy.volume_gib)
    is_whole = copy.is_only_one and copy.full_bytes is not None
    why = (
        "It is the only snapshot of its volume, so that all its blocks are its own. Whether anybody counts on it, nothing tells."
        if is_whole
        else "Only blocks that no other snapshot holds are freed: often far less than its size, which is what is counted here."
    )
    return _told(
        "old_snapshot",
        copy.thing,
        times(copy.price, size),
        Confidence.MEDIUM if is_whole else Confidence.LOW,
        why,
        f"{size.quantize(Decimal('0.1'))} GiB, at most, at the list price of snapshots for a month.",
        (
            ("Made", figures.day(copy.started_at)),
            ("Volume", f"{copy.volume_gib} GiB, {'still there' if copy.source_exists else 'gone'}"),
            ("Newer ones of it", str(copy.newer)),
            ("Images that need it", "none of this account's own"),
        ),
        copy.thing.observed_at,
    )


def empty_balancer(balancer: Balancer) -> Finding | None:
    """It is billed by the hour, and has nobody to send requests to."""
    if balancer.healthy or balancer.state not in ("active", ""):
        return None
    sure, why = _sure_of_balancer(balancer)
    return _told(
        "empty_balancer",
        balancer.thing,
        _hourly(balancer.price),
        sure,
        why,
        "The list price of its hours for a month, without what passes through it: at least so much.",
        (
            ("Kind", balancer.kind),
            ("Target groups", str(balancer.groups)),
            ("Targets", str(balancer.targets)),
            ("Healthy targets", "0"),
        ),
        balancer.thing.observed_at,
    )


def endless_logs(logs: Logs, now: datetime) -> Finding | None:
    """It grows for ever. Counted is what is older than LOGS_KEPT_DAYS, as if as much had been written every day."""
    if logs.retention_days is not None or logs.stored_bytes < LOGS_FROM_BYTES or logs.created_at is None:
        return None
    age = (now - logs.created_at).days
    if age <= LOGS_KEPT_DAYS:
        return None
    share = 1 - Decimal(LOGS_KEPT_DAYS) / Decimal(age)
    stored = Decimal(logs.stored_bytes) / _GIB
    return _told(
        "endless_logs",
        logs.thing,
        times(logs.price, (stored * share).quantize(Decimal("0.000001"))),
        Confidence.MEDIUM if logs.storage_class == "STANDARD" else Confidence.LOW,
        "What is stored is AWS's figure; how much of it is old is reckoned as if as much was written every day.",
        f"{stored.quantize(Decimal('0.1'))} GiB written over {age} days, of which {LOGS_KEPT_DAYS} would be kept, at the list "
        "price of stored logs for a month.",
        (("Stored", f"{stored.quantize(Decimal('0.1'))} GiB"), ("Kept", "for ever"), ("Since", figures.day(logs.created_at))),
        logs.thing.observed_at,
        {"days": LOGS_KEPT_DAYS},
    )


def _sure_of_balancer(balancer: Balancer) -> tuple[Confidence, str]:
    if not balancer.groups:
        return Confidence.LOW, "It has no target group at all: it may only redirect or answer by itself, which needs none."
    if balancer.targets:
        return Confidence.MEDIUM, "It has targets, and all are unhealthy: an outage looks the same."
    return Confidence.HIGH, "No target is registered with it: whatever it gets, it can pass on to nobody."


def _hourly(price: Price) -> Money:
    return times(price, HOURS_A_MONTH)


def _less(now: Money, then: Money) -> Money:
    if now.amount is None or then.amount is None:
        return Money(None, "", now.why if now.amount is None else then.why)
    if now.currency != then.currency:
        return Money(None, "", "The two are priced in different currencies.")
    return Money(now.amount - then.amount, now.currency)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"


def _volumes(count: int) -> str:
    return "One volume of " if count == 1 else f"{count} volumes of together "


def _told(  # noqa: PLR0917 - the parts of a finding, in the order in which a reader asks for them
    kind: str,
    thing: Thing,
    money: Money,
    confidence: Confidence,
    why_sure: str,
    reasoning: str,
    evidence: tuple[tuple[str, str], ...],
    observed_at: datetime,
    parameters: Mapping[str, int | str] | None = None,
) -> Finding | None:
    if not money.is_worth_telling:
        return None
    return Finding(
        kind, thing.region, thing.resource_id, thing.name, money, confidence, why_sure, reasoning, evidence, observed_at,
        parameters or {},
    )  # fmt: skip
