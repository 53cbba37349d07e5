"""EBS volumes, snapshots and Elastic IP addresses of all accounts (EC2 API reference): some in use, and some forgotten."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.ec2 import storage_answers
from cloudconsole.simulator.ec2.instances import Instance, State
from cloudconsole.simulator.ec2.requests import Form
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING
from cloudconsole.simulator.wire import AwsError, element

OPERATIONS = frozenset(
    (
        "DescribeVolumes", "DescribeSnapshots", "DescribeImages", "DescribeAddresses", "CreateSnapshot", "DeleteVolume",
        "ModifyVolume", "ReleaseAddress",
    )
)  # fmt: skip
US, EU, IE = "us-east-1", "eu-central-1", "eu-west-1"
_RESTS = timedelta(hours=6)
_TYPES = {"gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"}


Instances = Callable[[str, str], Iterable[Instance]]


@dataclass(frozen=True, slots=True)
class Row:
    """A volume that nothing holds any more; `days` since it was made."""

    name: str
    region: str
    size: int
    kind: str
    days: int


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """A snapshot; `of` is the name of its volume ("" is one deleted long ago), `image` whether one's own image uses it."""

    name: str
    region: str
    size: int
    days: int
    image: bool = False


_LOST: dict[str, tuple[Row, ...]] = {
    PRODUCTION: (
        Row("ledger-db-before-upgrade", EU, 1200, "gp2", 210),
        Row("web-old-root", US, 100, "gp3", 44),
        Row("search-index-2025", US, 800, "io1", 390),
    ),
    STAGING: (Row("restore-test", EU, 500, "gp3", 95),),
    DEVELOPMENT: (
        Row("build-cache", EU, 400, "gp2", 160),
        Row("dana-workstation", EU, 200, "gp3", 71),
        Row("dataset-copy", IE, 2000, "st1", 240),
    ),
    SANDBOX: (Row("try-out-0", US, 30, "gp3", 12),),
}
_SNAPSHOTS: dict[str, tuple[SnapshotRow, ...]] = {
    PRODUCTION: (
        SnapshotRow("ledger-db 2024 year end", EU, 900, 690),
        SnapshotRow("web golden image", US, 60, 180, image=True),
        SnapshotRow("search-index before move", US, 800, 410),
    ),
    DEVELOPMENT: (SnapshotRow("build-cache nightly", EU, 400, 300), SnapshotRow("workstation image", EU, 80, 120, image=True)),
}
_ADDRESSES: dict[str, tuple[tuple[str, str], ...]] = {
    MANAGEMENT: (("old-bastion", US),),
    PRODUCTION: (("sftp-2023", EU), ("partner-vpn", US)),
    DEVELOPMENT: (("demo", EU), ("demo-2", EU), ("training", IE)),
}


@dataclass(frozen=True, slots=True)
class Volume:
    volume_id: str
    name: str
    size: int
    kind: str
    zone: str
    created_at: datetime
    instance_id: str = ""
    iops: int | None = None
    throughput: int | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    snapshot_id: str
    name: str
    description: str
    volume_id: str
    size: int
    started_at: datetime
    image_id: str = ""


@dataclass(slots=True)
class _Kept:
    """What was done to a region of an account since the start."""

    deleted: set[str] = field(default_factory=set)
    changed: dict[str, tuple[Volume, datetime]] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    snapshots: list[Snapshot] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: by whom, what it says, and when."""

    identity: Identity
    form: Form
    now: datetime

    @property
    def account(self) -> str:
        return self.identity.account_id

    @property
    def region(self) -> str:
        return self.identity.region

    def refuse_dry_run(self) -> None:
        if self.form.get("DryRun", "").lower() == "true":
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


class Storage:
    """`instances` tells which there are in an account and region: each has a root volume. Safe to use from many threads."""

    def __init__(self, seed: int, origin: date, clock: SimulatedClock, instances: Instances) -> None:
        self._seed = seed
        self._morning = datetime.combine(origin, time(6, 15), tzinfo=UTC)
        self._clock = clock
        self._instances = instances
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._kept: dict[tuple[str, str], _Kept] = {}

    def answer(self, operation: str, identity: Identity, form: Form) -> str:
        """The inside of an answer. Raises AwsError; permission was decided before."""
        asked = _Asked(identity, form, self._clock.now())
        serve: dict[str, Callable[[_Asked, _Kept], str]] = {
            "DescribeVolumes": self._describe_volumes,
            "DescribeSnapshots": self._describe_snapshots,
            "DescribeImages": self._describe_images,
            "DescribeAddresses": self._describe_addresses,
            "CreateSnapshot": self._create_snapshot,
            "DeleteVolume": self._delete_volume,
            "ModifyVolume": self._modify_volume,
            "ReleaseAddress": self._release,
        }
        with self._lock:
            return serve[operation](asked, self._kept.setdefault((asked.account, asked.region), _Kept()))

    # --- what there is

    def volumes(self, account: str, region: str) -> list[Volume]:
        with self._lock:
            return self._volumes(account, region, self._kept.setdefault((account, region), _Kept()))

    def _volumes(self, account: str, region: str, kept: _Kept) -> list[Volume]:
        found = [volume for instance in self._instances(account, region) for volume in self._of(instance)]
        found += [self._lost(account, row) for row in _LOST.get(account, ()) if row.region == region]
        current = (kept.changed[one.volume_id][0] if one.volume_id in kept.changed else one for one in found)
        return [volume for volume in current if volume.volume_id not in kept.deleted]

    def _of(self, instance: Instance) -> list[Volume]:
        """A root volume, and for what is stopped or remembers something a large one for data."""
        if instance.state in (State.TERMINATED, State.SHUTTING_DOWN):
            return []
        kind, name = instance.kind, instance.tags.get("Name", "")
        found = self._digest(f"volumes:{kind.instance_id}")
        root = _volume(f"vol-0{found.hex()[:16]}", f"{name} root", 30, "gp3" if found[20] % 3 else "gp2", instance)
        if instance.state is not State.STOPPED and "db" not in name and found[21] % 4:
            return [root]
        size = 100 + found[22] % 8 * 100
        return [root, _volume(f"vol-0{found.hex()[24:40]}", f"{name} data", size, "gp2" if found[23] % 2 else "gp3", instance)]

    def _lost(self, account: str, row: Row) -> Volume:
        found = self._digest(f"lost:{account}:{row.region}:{row.name}")
        made = self._morning - timedelta(days=row.days, minutes=found[0])
        return Volume(
            f"vol-0{found.hex()[:16]}", row.name, row.size, row.kind, f"{row.region}a", made, "", _iops(row.kind, row.size),
            125 if row.kind == "gp3" else None,
        )  # fmt: skip

    def _snapshots(self, account: str, region: str, kept: _Kept) -> list[Snapshot]:
        rows = [row for row in _SNAPSHOTS.get(account, ()) if row.region == region]
        return [*(self._old(account, row) for row in rows), *kept.snapshots]

    def _old(self, account: str, row: SnapshotRow) -> Snapshot:
        found = self._digest(f"snapshot:{account}:{row.region}:{row.name}").hex()
        return Snapshot(
            f"snap-0{found[:16]}", row.name, row.name, f"vol-0{found[16:32]}", row.size,
            self._morning - timedelta(days=row.days), f"ami-0{found[32:48]}" if row.image else "",
        )  # fmt: skip

    def _addresses(self, account: str, region: str, kept: _Kept) -> list[tuple[str, str, str, str]]:
        """Allocation id, address, name and the instance that uses it."""
        found = [
            (f"eipalloc-0{self._digest(f'eip:{one.kind.instance_id}').hex()[:16]}", one.public_ip, one.tags.get("Name", ""),
             one.kind.instance_id)
            for one in self._instances(account, region)
            if one.public_ip and self._digest(f"eip:{one.kind.instance_id}")[30] % 2
        ]  # fmt: skip
        for name, place in _ADDRESSES.get(account, ()):
            if place == region:
                drawn = self._digest(f"eip:{account}:{region}:{name}")
                found.append((f"eipalloc-0{drawn.hex()[:16]}", f"198.51.100.{drawn[17] % 250 + 1}", name, ""))
        return [one for one in found if one[0] not in kept.released]

    # --- describing

    def _describe_volumes(self, asked: _Asked, kept: _Kept) -> str:
        everything = self._volumes(asked.account, asked.region, kept)
        wanted = _filtered(asked.form, everything, {"volume-id": lambda one: one.volume_id, "status": storage_answers.status})
        return _listed("volumeSet", asked.form, [storage_answers.volume(volume) for volume in wanted])

    def _describe_snapshots(self, asked: _Asked, kept: _Kept) -> str:
        if asked.form.get("Owner.1") != "self":
            raise AwsError("InvalidParameterValue", "Snapshots of others are not simulated; ask for Owner.1=self.")
        everything = self._snapshots(asked.account, asked.region, kept)
        readers = {"volume-id": lambda one: one.volume_id, "snapshot-id": lambda one: one.snapshot_id}
        wanted = _filtered(asked.form, everything, readers)
        return _listed(
            "snapshotSet",
            asked.form,
            [f"<item>{storage_answers.snapshot(one, asked.account, asked.now)}</item>" for one in wanted],
        )

    def _describe_images(self, asked: _Asked, kept: _Kept) -> str:
        if asked.form.get("Owner.1") != "self":
            raise AwsError("InvalidParameterValue", "Images of others are not simulated; ask for Owner.1=self.")
        images = [one for one in self._snapshots(asked.account, asked.region, kept) if one.image_id]
        return _listed("imagesSet", asked.form, [storage_answers.image(one, asked.account) for one in images])

    def _describe_addresses(self, asked: _Asked, kept: _Kept) -> str:
        everything = self._addresses(asked.account, asked.region, kept)
        wanted = _filtered(asked.form, everything, {"allocation-id": lambda one: one[0], "public-ip": lambda one: one[1]})
        return f"<addressesSet>{''.join(storage_answers.address(one) for one in wanted)}</addressesSet>"

    # --- changing

    def _create_snapshot(self, asked: _Asked, kept: _Kept) -> str:
        volume = self._found(asked, kept)
        asked.refuse_dry_run()
        drawn = self._digest(f"made:{volume.volume_id}:{len(kept.snapshots)}:{asked.now.isoformat()}").hex()
        description = asked.form.get("Description", "")
        made = Snapshot(f"snap-0{drawn[:16]}", "", description, volume.volume_id, volume.size, asked.now)
        kept.snapshots.append(made)
        return storage_answers.snapshot(made, asked.account, asked.now)

    def _delete_volume(self, asked: _Asked, kept: _Kept) -> str:
        volume = self._found(asked, kept)
        if volume.instance_id:
            raise AwsError("VolumeInUse", f"Volume {volume.volume_id} is currently attached to {volume.instance_id}")
        asked.refuse_dry_run()
        kept.deleted.add(volume.volume_id)
        return "<return>true</return>"

    def _modify_volume(self, asked: _Asked, kept: _Kept) -> str:
        volume, kind = self._found(asked, kept), asked.form.get("VolumeType", "")
        if kind not in _TYPES:
            raise AwsError("InvalidParameterValue", f"The volume type '{kind}' is not valid.")
        last = kept.changed.get(volume.volume_id)
        if last is not None and asked.now < last[1] + _RESTS:
            message = (
                "You've reached the maximum modification rate per volume limit. Wait at least 6 hours between modifications "
                "per EBS volume."
            )
            raise AwsError("VolumeModificationRateExceeded", message)
        asked.refuse_dry_run()
        iops, throughput = (int(asked.form[name]) if name in asked.form else None for name in ("Iops", "Throughput"))
        kept.changed[volume.volume_id] = replace(volume, kind=kind, iops=iops, throughput=throughput), asked.now
        return (
            f"<volumeModification>{element('volumeId', volume.volume_id)}<modificationState>modifying</modificationState>"
            f"{element('targetVolumeType', kind)}{element('originalVolumeType', volume.kind)}<progress>0</progress>"
            f"{element('startTime', storage_answers.moment(asked.now))}</volumeModification>"
        )

    def _release(self, asked: _Asked, kept: _Kept) -> str:
        wanted = asked.form.get("AllocationId", "")
        found = next((one for one in self._addresses(asked.account, asked.region, kept) if one[0] == wanted), None)
        if found is None:
            raise AwsError("InvalidAllocationID.NotFound", f"The allocation ID '{wanted}' does not exist")
        if found[3]:
            raise AwsError("InvalidIPAddress.InUse", f"Address {found[1]} is in use.")
        asked.refuse_dry_run()
        kept.released.add(wanted)
        return "<return>true</return>"

    def _found(self, asked: _Asked, kept: _Kept) -> Volume:
        wanted = asked.form.get("VolumeId", "")
        for volume in self._volumes(asked.account, asked.region, kept):
            if volume.volume_id == wanted:
                return volume
        raise AwsError("InvalidVolume.NotFound", f"The volume '{wanted}' does not exist.")

    def _digest(self, name: str) -> bytes:
        return hmac.digest(f"cloudconsole-simulator-storage-{self._seed}".encode(), name.encode(), hashlib.sha256)


def _volume(volume_id: str, name: str, size: int, kind: str, instance: Instance) -> Volume:
    made, throughput = instance.kind.first_launched_at, 125 if kind == "gp3" else None
    return Volume(volume_id, name, size, kind, instance.kind.zone, made, instance.kind.instance_id, _iops(kind, size), throughput)


def _iops(kind: str, size: int) -> int | None:
    """What AWS tells: gp2's follow from the size, gp3 includes 3000."""
    return {"gp2": max(100, min(16_000, 3 * size)), "gp3": 3000, "io1": 4000}.get(kind)


def _filtered(form: Form, everything: list, readers: dict[str, Callable]) -> list:  # type: ignore[type-arg]
    found, number = everything, 1
    while (name := form.get(f"Filter.{number}.Name")) is not None:
        if name not in readers:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")
        values = {value for key, value in form.items() if key.startswith(f"Filter.{number}.Value.")}
        found = [one for one in found if readers[name](one) in values]
        number += 1
    return found


def _listed(name: str, form: Form, items: list[str]) -> str:
    start = int(form.get("NextToken", "0"))
    end = start + int(form.get("MaxResults", len(items) or 1))
    more = element("nextToken", end) if end < len(items) else ""
    return f"<{name}>{''.join(items[start:end])}</{name}>{more}"
