"""What automation means for one instance: to act, or why not. Which instances it means. Pure; times are UTC."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from resources.rules.schedules import Deed, Edge, Missed

OPT_OUT_TAG = "cloudconsole:automation"
_OPTED_OUT = frozenset({"off", "no", "false", "never"})
# An edge that is looked at later than this was missed: whoever expected it has given up by then.
IN_TIME = timedelta(minutes=10)
MAX_FAILURES = 3


class Outcome(StrEnum):
    """What became of an instance at an edge."""

    ASKED = "asked"  # an operation was made
    WOULD = "would"  # the schedule is being tried: nothing was done
    LEFT = "left"  # nothing was to be done
    REFUSED = "refused"  # something stood against it


class Reason(StrEnum):
    """Why an instance was left alone; the value is what people read."""

    ALREADY = "It is so already"
    MOVING = "It is just changing its state"
    OPTED_OUT = "Its tag keeps automation away"
    RETAINED = "It ran before the period began, and keeps running"
    OVERRIDDEN = "The schedule is overridden"
    OVER = "It is being terminated"
    WATCHED = "It is what is watched"
    NOT_STARTED_HERE = "The rule did not start it"
    ENOUGH = "Enough others were chosen"


@dataclass(frozen=True, slots=True)
class Machine:
    """What a schedule has to know of an instance."""

    pk: int
    account: int
    environment: str
    region: str
    instance_id: str
    state: str
    tags: Mapping[str, str]
    name: str = ""


Test = Callable[[Machine], bool]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which instances: all that fit every kind of condition. An empty condition lets everything through.

    `tags`: alternatives under one key have one pair each; a pair with an empty value means any value.
    """

    accounts: frozenset[int] = frozenset()
    environments: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    tags: frozenset[tuple[str, str]] = frozenset()

    def holds(self, machine: Machine) -> bool:
        return all(test(machine) for test in self.conditions().values())

    def conditions(self) -> dict[str, Test]:
        """What there is to fit, by name; a tag's is called after its key."""
        found: dict[str, Test] = {}
        if self.accounts:
            found["account"] = lambda machine: machine.account in self.accounts
        if self.environments:
            found["environment"] = lambda machine: machine.environment in self.environments
        if self.regions:
            found["region"] = lambda machine: machine.region in self.regions
        if self.instances:
            found["instance"] = lambda machine: machine.instance_id in self.instances
        return found | {_tag(key): partial(_has_tag, key, values) for key, values in self.values_of_tags().items()}

    def values_of_tags(self) -> dict[str, set[str]]:
        """The values that fit under each key."""
        wanted: dict[str, set[str]] = {}
        for key, value in self.tags:
            wanted.setdefault(key, set()).add(value)
        return wanted


def _tag(key: str) -> str:
    return f"tag:{key}"


def _has_tag(key: str, values: Collection[str], machine: Machine) -> bool:
    return key in machine.tags and ("" in values or machine.tags[key] in values)


class Fleet:
    """Many instances, found by what most selections name, so that a thousand schedules do not each read them all."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self._all = list(machines)
        self._by_tag: dict[tuple[str, str], list[Machine]] = {}  # with an empty value: all that have the key
        self._by_account: dict[int, list[Machine]] = {}
        self._by_id: dict[str, list[Machine]] = {}
        for machine in self._all:
            self._by_account.setdefault(machine.account, []).append(machine)
            self._by_id.setdefault(machine.instance_id, []).append(machine)
            for key, value in machine.tags.items():
                self._by_tag.setdefault((key, ""), []).append(machine)
                if value:
                    self._by_tag.setdefault((key, value), []).append(machine)

    def of(self, selection: Selection) -> list[Machine]:
        name, found = min(self._lists(selection), key=lambda one: len(one[1]))
        tests = [test for condition, test in selection.conditions().items() if condition != name]
        return [machine for machine in found if all(test(machine) for test in tests)] if tests else list(found)

    def _lists(self, selection: Selection) -> Iterator[tuple[str, Sequence[Machine]]]:
        """Lists that are sure to hold them, each with the condition that it fits already."""
        yield "", self._all
        if selection.instances:
            yield "instance", [machine for name in selection.instances for machine in self._by_id.get(name, [])]
        if selection.accounts:
            yield "account", [machine for account in selection.accounts for machine in self._by_account.get(account, [])]
        for key, values in selection.values_of_tags().items():
            fitting = {""} if "" in values else values
            yield _tag(key), [machine for value in fitting for machine in self._by_tag.get((key, value), [])]


def why_left(deed: Deed, machine: Machine, *, retained: bool) -> Reason | None:
    """Why nothing is done to the instance; None where it is to be acted on."""
    if machine.tags.get(OPT_OUT_TAG, "").strip().lower() in _OPTED_OUT:
        return Reason.OPTED_OUT
    if machine.state in {"terminated", "shutting-down"}:
        return Reason.OVER
    wanted, from_state = ("running", "stopped") if deed is Deed.START else ("stopped", "running")
    if machine.state == wanted:
        return Reason.ALREADY
    if machine.state != from_state:
        return Reason.MOVING
    return Reason.RETAINED if retained and deed is Deed.STOP else None


@dataclass(frozen=True, slots=True)
class Attended:
    """What to do with edges that have come: `acts` is the one to act on, `passed` are told as missed."""

    acts: Edge | None
    passed: tuple[Edge, ...]


def attend(found: Sequence[Edge], now: datetime, missed: Missed) -> Attended:
    """Of several edges only the newest says how things are to be; a late one counts where the schedule makes up for it."""
    if not found:
        return Attended(None, ())
    *before, newest = sorted(found)
    if now - newest.at > IN_TIME and missed is Missed.SKIP:
        return Attended(None, (*before, newest))
    return Attended(newest, tuple(before))
