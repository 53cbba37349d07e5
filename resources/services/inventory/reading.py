"""Asking many places at once. Threads ask and hand over; the one that stores takes, so that memory stays bounded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, Full, Queue
from threading import Event, Thread

from cloudconsole.aws import addresses, cloudwatch, ebs, ec2, fanout, lambda_, load_balancers, log_groups, s3
from cloudconsole.aws.addresses import AddressFacts
from cloudconsole.aws.cloudwatch import Activity, BucketMeasure, InstanceUsage, MemoryUse
from cloudconsole.aws.ebs import SnapshotFacts, VolumeFacts
from cloudconsole.aws.ec2 import InstanceFacts
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.fanout import DEFAULT_RATE, Budget, Failed
from cloudconsole.aws.lambda_ import FunctionFacts
from cloudconsole.aws.load_balancers import BalancerFacts
from cloudconsole.aws.log_groups import LogGroupFacts
from cloudconsole.aws.rates import bucket_for
from cloudconsole.aws.s3 import BucketFacts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Service
from resources.services.inventory.buckets import Look
from resources.services.inventory.cells import Cell
from resources.services.inventory.instances import Asked

CONCURRENCY = 32
DEADLINE_S = 240.0
_WAITING = 64  # pages that may wait to be stored before those who ask have to wait themselves
_PAUSE_S = 0.5
_LOOKS_AT_ONCE = 200
_ACTIVITIES_AT_ONCE = 1000
_LOOKS_IN_A_PAGE = 25


@dataclass(frozen=True, slots=True)
class InstancePage:
    facts: list[InstanceFacts]


@dataclass(frozen=True, slots=True)
class BucketPage:
    facts: list[BucketFacts]


@dataclass(frozen=True, slots=True)
class LookPage:
    """What was found of single buckets beyond their being there."""

    looks: list[Look]


@dataclass(frozen=True, slots=True)
class FunctionPage:
    facts: list[FunctionFacts]


@dataclass(frozen=True, slots=True)
class ActivityPage:
    activity: dict[str, Activity]


@dataclass(frozen=True, slots=True)
class MemoryPage:
    memory: dict[str, MemoryUse]


@dataclass(frozen=True, slots=True)
class VolumePage:
    facts: list[VolumeFacts]


@dataclass(frozen=True, slots=True)
class SnapshotPage:
    """`images`: which own image needs which snapshot."""

    facts: list[SnapshotFacts]
    images: dict[str, str]


@dataclass(frozen=True, slots=True)
class AddressPage:
    facts: list[AddressFacts]


@dataclass(frozen=True, slots=True)
class BalancerPage:
    facts: list[BalancerFacts]


@dataclass(frozen=True, slots=True)
class LogGroupPage:
    facts: list[LogGroupFacts]


@dataclass(frozen=True, slots=True)
class UsagePage:
    usage: dict[str, InstanceUsage]


Billed = VolumePage | SnapshotPage | AddressPage | BalancerPage | LogGroupPage | UsagePage
Content = InstancePage | BucketPage | LookPage | FunctionPage | ActivityPage | MemoryPage | Billed


@dataclass(frozen=True, slots=True)
class Told:
    """A part of what a place answered."""

    cell: Cell
    content: Content
    asked: Asked


@dataclass(frozen=True, slots=True)
class Ended:
    """A place has told everything since `asked.asked_at`, or failed with `error`."""

    cell: Cell
    asked: Asked
    error: CloudconsoleError | None


News = Told | Ended


@contextmanager
def asking(cells: Sequence[Cell], *, deadline_s: float = DEADLINE_S) -> Iterator[Iterator[News | None]]:
    """The news of all cells as they come; None from time to time while there is none. Each cell ends exactly once.

    What is not answered `deadline_s` seconds from now ends with DeadlineExceeded.
    """
    reading = _Reading(cells, deadline_s)
    reading.thread.start()
    try:
        yield reading.news()
    finally:
        reading.closed.set()  # those who still ask find nobody to hand over to, and stop


class _Closed(Exception):
    """Whoever stored has gone."""


class _Reading:
    """One fan-out in a thread of its own, and the queue between it and whoever stores."""

    def __init__(self, cells: Sequence[Cell], deadline_s: float) -> None:
        self._cells = cells
        self._deadline_s = deadline_s
        self._queue: Queue[News | None] = Queue(_WAITING)
        self._ended: set[int] = set()
        self.closed = Event()
        context = copy_context()
        self.thread = Thread(target=context.run, args=(self._ask_all,), name="inventory-fanout", daemon=True)

    def news(self) -> Iterator[News | None]:
        while True:
            try:
                found = self._queue.get(timeout=_PAUSE_S)
            except Empty:
                yield None
                continue
            if found is None:
                return
            yield found

    def _ask_all(self) -> None:
        started_at = clock.now()
        budget = Budget[int](key_of=lambda index: (self._cells[index].access.key, self._cells[index].spot.region))
        outcomes = fanout.run(
            range(len(self._cells)), self._ask, concurrency=CONCURRENCY, deadline_s=self._deadline_s, rate=budget
        )
        try:
            for index, outcome in enumerate(outcomes):
                if isinstance(outcome, Failed) and index not in self._ended:
                    self._put(Ended(self._cells[index], Asked(started_at, clock.now()), outcome.error))
            self._put(None)
        except _Closed:
            return

    def _ask(self, index: int) -> None:
        cell, started_at = self._cells[index], clock.now()
        try:
            for told in read(cell):
                self._put(told)
            error = None
        except AwsError as failure:
            error = failure
        except _Closed:
            return
        self._ended.add(index)
        self._put(Ended(cell, Asked(started_at, clock.now()), error))

    def _put(self, found: News | None) -> None:
        while not self.closed.is_set():
            try:
                return self._queue.put(found, timeout=_PAUSE_S)
            except Full:
                continue
        raise _Closed


def read(cell: Cell) -> Iterator[Told]:
    """Everything that one place tells, a page at a time. Raises AwsError."""
    match cell.spot.service:
        case Service.EC2:
            yield from _pages(cell, (InstancePage(page) for page in ec2.instances(cell.access, cell.spot.region)))
        case Service.LAMBDA:
            yield from _functions(cell)
        case Service.S3:
            yield from _buckets(cell)
        case Service.EBS:
            yield from _volumes_and_snapshots(cell)
        case Service.ADDRESSES:
            yield from _pages(cell, iter([AddressPage(addresses.addresses(cell.access, cell.spot.region))]))
        case Service.BALANCERS:
            yield from _pages(cell, (BalancerPage(page) for page in load_balancers.balancers(cell.access, cell.spot.region)))
        case Service.LOGS:
            yield from _pages(cell, (LogGroupPage(page) for page in log_groups.log_groups(cell.access, cell.spot.region)))
        case Service.USAGE:
            yield from _usage(cell)


def _volumes_and_snapshots(cell: Cell) -> Iterator[Told]:
    access, region = cell.access, cell.spot.region
    yield from _pages(cell, (VolumePage(page) for page in ebs.volumes(access, region)))
    images = ebs.snapshots_of_images(access, region)
    yield from _pages(cell, (SnapshotPage(page, images) for page in ebs.snapshots(access, region)))


def _usage(cell: Cell) -> Iterator[Told]:
    """Of what runs now, and was not measured a short while ago. Without the figures the place has not answered."""
    access, region = cell.access, cell.spot.region
    for told in _pages(cell, (InstancePage(page) for page in ec2.instances(access, region))):
        yield told
        if isinstance(told.content, InstancePage):
            running = [facts.instance_id for facts in told.content.facts if facts.state == "running"]
            unmeasured = [one for one in running if one not in cell.measured]
            if unmeasured:
                asked_at = clock.now()
                usage = cloudwatch.instance_usage(access, region, unmeasured)
                yield Told(cell, UsagePage(usage), Asked(asked_at, clock.now()))


def _pages(cell: Cell, pages: Iterator[Content]) -> Iterator[Told]:
    """Each page with the moments between which it was asked for and answered."""
    asked_at = clock.now()
    for page in pages:
        yield Told(cell, page, Asked(asked_at, clock.now()))
        asked_at = clock.now()


def _functions(cell: Cell) -> Iterator[Told]:
    region, unmeasured, unsized = cell.spot.region, list[str](), list[str]()
    for told in _pages(cell, (FunctionPage(page) for page in lambda_.functions(cell.access, region))):
        if isinstance(told.content, FunctionPage):
            page = told.content.facts
            unmeasured += [facts.name for facts in page if facts.name not in cell.functions.activity]
            unsized += [facts.name for facts in page if facts.name not in cell.functions.memory]
            yield Told(cell, FunctionPage([_with_state(cell, facts) for facts in page]), told.asked)
    try:
        if unmeasured:
            asked_at = clock.now()
            activity = cloudwatch.function_activity(cell.access, region, unmeasured[:_ACTIVITIES_AT_ONCE])
            yield Told(cell, ActivityPage(activity), Asked(asked_at, clock.now()))
        if unsized:
            asked_at = clock.now()
            memory = cloudwatch.function_memory(cell.access, region, unsized[:_ACTIVITIES_AT_ONCE])
            yield Told(cell, MemoryPage(memory), Asked(asked_at, clock.now()))
    except AwsError:
        return  # how often they run stays as old as it says; that they are there is known all the same


def _with_state(cell: Cell, facts: FunctionFacts) -> FunctionFacts:
    """The function with its state, which lists leave out; one that was active is not asked about again."""
    if facts.state or facts.name in cell.functions.settled:
        return facts
    bucket_for(("lambda", cell.access.key, cell.spot.region), DEFAULT_RATE).wait()
    try:
        return lambda_.configuration(cell.access, cell.spot.region, facts.name)
    except AwsError:
        return facts  # deleted since, or closed to these credentials: then its state is not known


def _buckets(cell: Cell) -> Iterator[Told]:
    asked_at = clock.now()
    found = s3.buckets(cell.access)
    yield Told(cell, BucketPage(found), Asked(asked_at, clock.now()))
    figures = _figures(cell, [facts for facts in found if facts.name not in cell.buckets.figures])
    wanted = [facts for facts in found if facts.name not in cell.buckets.details][:_LOOKS_AT_ONCE]
    for start in range(0, len(wanted), _LOOKS_IN_A_PAGE):
        asked_at = clock.now()
        looks = [
            Look(facts.name, _details(cell, facts), figures.pop(facts.name, None))
            for facts in wanted[start : start + _LOOKS_IN_A_PAGE]
        ]
        yield Told(cell, LookPage(looks), Asked(asked_at, clock.now()))
    if figures:
        looks = [Look(name, measure=measure) for name, measure in figures.items()]
        yield Told(cell, LookPage(looks), Asked(asked_at, clock.now()))


def _details(cell: Cell, facts: BucketFacts) -> s3.BucketDetails | CloudconsoleError:
    bucket_for(("s3", cell.access.key, facts.region), DEFAULT_RATE).wait()
    try:
        return s3.bucket_details(cell.access, facts.region, facts.name)
    except AwsError as error:
        return error


def _figures(cell: Cell, wanted: Sequence[BucketFacts]) -> dict[str, BucketMeasure]:
    """CloudWatch keeps a bucket's figures in the bucket's own region. A region that refuses leaves them unknown."""
    by_region: defaultdict[str, list[str]] = defaultdict(list)
    for facts in wanted[:_ACTIVITIES_AT_ONCE]:
        by_region[facts.region].append(facts.name)
    found: dict[str, BucketMeasure] = {}
    for region, names in by_region.items():
        try:
            found |= cloudwatch.bucket_sizes(cell.access, region, names)
        except AwsError:
            continue
    return found
