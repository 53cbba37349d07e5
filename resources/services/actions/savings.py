"""What saves money: a snapshot before a volume is deleted, gp3 for gp2, giving back an address, an end for logs."""

from __future__ import annotations

from datetime import timedelta

from cloudconsole.aws import addresses, ebs, log_groups
from cloudconsole.aws.addresses import AddressFacts
from cloudconsole.aws.ebs import SnapshotFacts, VolumeFacts
from cloudconsole.aws.log_groups import LogGroupFacts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Address, Volume
from resources.services.actions.handlers import (
    Accepted,
    Handler,
    Missed,
    NotYet,
    Reached,
    Sight,
    SoFar,
    Unclear,
    Work,
    register,
)
from resources.services.inventory import billed
from resources.services.inventory.instances import Asked

# So long after the call, what describing still shows is no longer old news.
SETTLED = timedelta(seconds=30)
# A volume is deleted only where somebody could have it back as it is: of a snapshot this young.
SNAPSHOT_HOLDS = timedelta(days=7)


class ThingGone(CloudconsoleError):
    """The inventory knows it, AWS does not any more."""

    kind = Kind.CONFLICT
    code = "resource_gone"
    title = "AWS does not know it any more"


class InUse(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "in_use"
    title = "It is in use"
    remedy = "What is in use stays. Refresh the inventory to see it as it is now."


class NoSnapshot(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_snapshot"
    title = "There is no fresh snapshot of the volume"
    remedy = "Ask for a snapshot first. It may take minutes to hours until AWS calls it completed."


class NothingToDo(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "nothing_to_do"
    title = "It is so already"


class _SnapshotVolume(Handler):
    """Its parameter `mark` stands in the description, so that a lost answer is found again."""

    name = "ebs.snapshot_volume"

    def look_before(self, work: Work) -> str:
        return _volume(work).state

    def dry_run(self, work: Work) -> Accepted:
        return Accepted(self._send(work, dry_run=True).request_id, is_done=True)

    def mutate(self, work: Work) -> Accepted:
        sent = self._send(work, dry_run=False)
        return Accepted(sent.request_id, result={"snapshot": sent.made})

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        mark = str(work.parameters["mark"])
        found = [one for one in ebs.snapshots_of(work.access, work.region, work.target) if mark in one.description]
        if not found:
            return _not_yet(so_far, "no such snapshot is shown")
        [made, *_] = found
        if made.state == "error":
            return Missed("snapshot_failed", f"AWS could not make the snapshot {made.snapshot_id}.", "Ask for another one.")
        _note_snapshot(work, made)
        detail = "" if made.state == "completed" else "AWS has begun it; it is complete in minutes to hours."
        return Reached(made.state, detail, {"snapshot": made.snapshot_id})

    @staticmethod
    def _send(work: Work, *, dry_run: bool) -> ebs.Changed:
        words = f"Made by Cloudconsole before {work.target} is deleted ({work.parameters['mark']})"
        return ebs.create_snapshot(
            work.access, work.region, work.target, description=words, dry_run=dry_run, observer=work.observer
        )


class _DeleteVolume(Handler):
    name = "ebs.delete_volume"

    def look_before(self, work: Work) -> str:
        volume = _volume(work)
        if volume.attached_to:
            raise InUse(f"The volume is attached to {volume.attached_to}.")
        since = clock.now() - SNAPSHOT_HOLDS
        copies = ebs.snapshots_of(work.access, work.region, work.target)
        if not any(one.state == "completed" and one.started_at and one.started_at >= since for one in copies):
            raise NoSnapshot(f"No completed snapshot of {work.target} is younger than {SNAPSHOT_HOLDS.days} days.")
        return volume.state

    def dry_run(self, work: Work) -> Accepted:
        sent = ebs.delete_volume(work.access, work.region, work.target, dry_run=True, observer=work.observer)
        return Accepted(sent.request_id, is_done=True)

    def mutate(self, work: Work) -> Accepted:
        sent = ebs.delete_volume(work.access, work.region, work.target, dry_run=False, observer=work.observer)
        return Accepted(sent.request_id)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        volume = ebs.volume(work.access, work.region, work.target)
        if volume is None:
            key = {"volume_id": work.target}
            billed.forget(account=work.account, region=work.region, model=Volume, key=key, at=clock.now())
            return Reached("deleted")
        return NotYet(volume.state) if volume.state == "deleting" else _not_yet(so_far, f"the volume is {volume.state}")


class _ToGp3(Handler):
    """Its parameters `iops` and `throughput` are what the rule of the recommendation found to be no slower."""

    name = "ebs.to_gp3"

    def look_before(self, work: Work) -> str:
        volume = _volume(work)
        if volume.volume_type == "gp3":
            raise NothingToDo("The volume is of type gp3 already.")
        return volume.volume_type

    def dry_run(self, work: Work) -> Accepted:
        return Accepted(self._send(work, dry_run=True).request_id, is_done=True)

    def mutate(self, work: Work) -> Accepted:
        return Accepted(self._send(work, dry_run=False).request_id)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        volume = _volume(work)
        if volume.volume_type == "gp3":
            return Reached("gp3")
        return _not_yet(so_far, f"the volume is {volume.volume_type}")

    @staticmethod
    def _send(work: Work, *, dry_run: bool) -> ebs.Changed:
        iops, throughput = int(work.parameters["iops"]), int(work.parameters["throughput"])
        return ebs.to_gp3(
            work.access, work.region, work.target, iops=iops, throughput=throughput, dry_run=dry_run, observer=work.observer
        )


class _Release(Handler):
    name = "addresses.release"

    def look_before(self, work: Work) -> str:
        address = addresses.address(work.access, work.region, work.target)
        if address is None:
            raise ThingGone(f"AWS shows no address {work.target} in {work.region}.")
        _note_address(work, address)
        if address.associated_with:
            raise InUse(f"{address.public_ip} is used by {address.associated_with}.")
        return "unassociated"

    def dry_run(self, work: Work) -> Accepted:
        sent = addresses.release(work.access, work.region, work.target, dry_run=True, observer=work.observer)
        return Accepted(sent.request_id, is_done=True)

    def mutate(self, work: Work) -> Accepted:
        sent = addresses.release(work.access, work.region, work.target, dry_run=False, observer=work.observer)
        return Accepted(sent.request_id)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        if addresses.address(work.access, work.region, work.target) is None:
            key = {"allocation_id": work.target}
            billed.forget(account=work.account, region=work.region, model=Address, key=key, at=clock.now())
            return Reached("released")
        return _not_yet(so_far, "the address is still there")


class _SetRetention(Handler):
    """Its parameter `days` is one of the numbers that CloudWatch Logs takes."""

    name = "logs.set_retention"

    def look_before(self, work: Work) -> str:
        return _kept(_group(work))

    def mutate(self, work: Work) -> Accepted:
        days = int(work.parameters["days"])
        sent = log_groups.set_retention(work.access, work.region, work.target, days, observer=work.observer)
        return Accepted(sent.request_id)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        group = _group(work)
        if group.retention_days == int(work.parameters["days"]):
            return Reached(_kept(group))
        return _not_yet(so_far, f"the log group is kept {_kept(group)}")


for _handler in (_SnapshotVolume(), _DeleteVolume(), _ToGp3(), _Release(), _SetRetention()):
    register(_handler)


def _not_yet(so_far: SoFar, shown: str) -> Sight:
    """Not as wanted: old news at first, and after that nobody knows whether the call arrived."""
    if so_far.accepted or so_far.age <= SETTLED:
        return NotYet(so_far.last_state)
    return Unclear(f"No answer came from AWS, and {shown}.", state=so_far.last_state)


def _volume(work: Work) -> VolumeFacts:
    """As AWS shows it now; what it shows goes into the inventory as well. Raises ThingGone, AwsError."""
    asked_at = clock.now()
    found = ebs.volume(work.access, work.region, work.target)
    if found is None:
        raise ThingGone(f"AWS shows no volume {work.target} in {work.region}.")
    asked = Asked(asked_at, clock.now())
    billed.observe_volumes(account=work.account, region=work.region, facts=[found], asked=asked)
    return found


def _note_snapshot(work: Work, made: SnapshotFacts) -> None:
    asked = Asked(clock.now(), clock.now())
    billed.observe_snapshots(account=work.account, region=work.region, facts=[made], images={}, asked=asked)


def _note_address(work: Work, address: AddressFacts) -> None:
    asked = Asked(clock.now(), clock.now())
    billed.observe_addresses(account=work.account, region=work.region, facts=[address], asked=asked)


def _group(work: Work) -> LogGroupFacts:
    """As AWS shows it now; what it shows goes into the inventory as well. Raises ThingGone, AwsError."""
    asked_at = clock.now()
    found = log_groups.log_group(work.access, work.region, work.target)
    if found is None:
        raise ThingGone(f"AWS shows no log group {work.target} in {work.region}.")
    asked = Asked(asked_at, clock.now())
    billed.observe_log_groups(account=work.account, region=work.region, facts=[found], asked=asked)
    return found


def _kept(group: LogGroupFacts) -> str:
    return f"for {group.retention_days} days" if group.retention_days else "for ever"
