"""Looking through what is known of an account for waste: rows of the inventory in, findings of the rules out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from costs.rules import lambda_memory, waste
from costs.rules.findings import Finding, Price
from costs.rules.lambda_memory import Sized
from costs.rules.waste import Balancer, Copy, Disk, Gp3Prices, Logs, Machine, Thing
from resources.models import Function, Instance, Snapshot, Volume
from resources.models.inventory import Resource
from resources.selectors.billed import Known, ListedPrice, Prices, newer_type

_USAGE_HOLDS = timedelta(days=3)
_NOT_ASKED = "AWS's price list was not asked for it yet; it is within the hour, if the account may ask."
_NOT_LISTED = "AWS's price list names no price for it, or several."


def search(known: Known, prices: Prices, now: datetime) -> list[Finding]:
    """At most one finding for each thing, so that no money is counted twice."""
    return list(_Search(known, prices, now).findings())


@dataclass
class _Search:
    known: Known
    prices: Prices
    now: datetime

    def findings(self) -> Iterator[Finding]:
        kept: set[str] = set()
        disks = self._disks()
        for instance in self.known.instances:
            found = self._of_instance(instance, disks.get((instance.region, instance.instance_id), []))
            if found is not None:
                kept |= {instance.instance_id} if found.kind == "stopped_instance" else set()
                yield found
        for volume in self.known.volumes:
            found = self._of_volume(volume) if volume.attached_to not in kept else None
            if found is not None:
                yield found
        yield from self._of_snapshots()
        yield from self._of_the_rest()

    def _of_instance(self, row: Instance, disks: list[Disk]) -> Finding | None:
        machine = self._machine(row)
        newer = newer_type(row)
        return (
            waste.stopped_instance(machine, disks, self.now)
            or waste.idle_instance(machine)
            or waste.previous_generation(machine, newer, self._hourly(row.region, newer, row.platform))
        )

    def _of_volume(self, row: Volume) -> Finding | None:
        disk = self._disk(row)
        names = ("ebs.gp3", "ebs.gp3.iops", "ebs.gp3.throughput")
        storage, iops, throughput = (self._product(row.region, name) for name in names)
        return waste.unattached_volume(disk, self.now) or waste.gp2_volume(disk, Gp3Prices(storage, iops, throughput))

    def _of_snapshots(self) -> Iterator[Finding]:
        """Newer ones are counted among those of the same volume. Without the volumes nobody knows which are gone."""
        volumes = {(row.region, row.volume_id) for row in self.known.volumes}
        of_volume: defaultdict[tuple[str, str], list[Snapshot]] = defaultdict(list)
        for row in self.known.snapshots:
            of_volume[row.region, row.volume_id].append(row)
        for place, rows in of_volume.items():
            rows.sort(key=lambda row: row.started_at or self.now, reverse=True)
            for newer, row in enumerate(rows):
                copy = Copy(
                    _thing(row, row.snapshot_id), row.volume_gib, row.full_bytes, row.started_at, row.image_id, row.state,
                    row.tags, newer, place in volumes, len(rows) == 1, self._product(row.region, f"snapshot.{row.tier}"),
                )  # fmt: skip
                if (found := waste.old_snapshot(copy, self.now)) is not None:
                    yield found

    def _of_the_rest(self) -> Iterator[Finding]:
        for address in self.known.addresses:
            price = self._product(address.region, "address.idle")
            thing = _thing(address, address.allocation_id)
            found = waste.unused_address(thing, address.public_ip, address.associated_with, address.managed_by, price)
            yield from [found] if found else []
        for one in self.known.balancers:
            price = self._product(one.region, f"balancer.{one.kind}")
            counts = (one.groups, one.targets, one.healthy)
            found = waste.empty_balancer(Balancer(_thing(one, one.balancer_id), one.kind, one.state, *counts, price))
            yield from [found] if found else []
        for group in self.known.log_groups:
            price = self._product(group.region, "logs.storage")
            facts = (group.stored_bytes, group.retention_days, group.storage_class, group.created_at)
            found = waste.endless_logs(Logs(_thing(group, group.name), *facts, price), self.now)
            yield from [found] if found else []

        for function in self.known.functions:
            found = lambda_memory.oversized(self._sized(function))
            yield from [found] if found else []

    def _sized(self, row: Function) -> Sized:
        is_fresh = row.memory_at is not None and self.now - row.memory_at < _USAGE_HOLDS
        architecture = next(iter(row.architectures), "x86_64")
        return Sized(
            Thing(row.region, row.arn, row.name, row.memory_at or row.observed_at),
            row.memory_mb,
            row.memory_used_mb if is_fresh else None,
            row.memory_days or 0,
            row.seconds_a_day,
            self._product(row.region, f"lambda.gb_second.{architecture}"),
        )

    def _machine(self, row: Instance) -> Machine:
        is_fresh = row.usage_at is not None and self.now - row.usage_at < _USAGE_HOLDS
        return Machine(
            _thing(row, row.instance_id),
            row.state,
            row.instance_type,
            row.lifecycle,
            self._hourly(row.region, row.instance_type, row.platform),
            self.known.stopped_since.get(row.pk),
            row.cpu_mean,
            row.cpu_max,
            row.network_bytes_a_day,
            row.usage_hours if is_fresh else None,
            row.usage_at,
        )

    def _disks(self) -> dict[tuple[str, str], list[Disk]]:
        held: defaultdict[tuple[str, str], list[Disk]] = defaultdict(list)
        for row in self.known.volumes:
            if row.attached_to:
                held[row.region, row.attached_to].append(self._disk(row))
        return held

    def _disk(self, row: Volume) -> Disk:
        price = self._product(row.region, f"ebs.{row.volume_type}")
        return Disk(_thing(row, row.volume_id), row.volume_type, row.size_gib, row.attached_to, row.created_at, price)

    def _product(self, region: str, name: str) -> Price:
        return _price(self.prices.products.get((region, name)))

    def _hourly(self, region: str, instance_type: str, platform: str) -> Price:
        return _price(self.prices.instances.get((region, instance_type, platform)))


def _price(listed: ListedPrice | None) -> Price:
    if listed is None:
        return Price(None, "", _NOT_ASKED)
    return Price(listed.amount, listed.currency, "" if listed.amount is not None else _NOT_LISTED)


def _thing(row: Resource, resource_id: str) -> Thing:
    return Thing(row.region, resource_id, row.name, row.observed_at)
