"""Writing down what AWS tells of Lambda functions. Their environments never come this far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import AwsAccount
from cloudconsole import realtime
from cloudconsole.aws.cloudwatch import Activity, MemoryUse
from cloudconsole.aws.lambda_ import FunctionFacts
from resources.models import Function
from resources.models.inventory import ResourceQuerySet
from resources.services.inventory import rows
from resources.services.inventory.instances import Asked
from resources.services.inventory.rows import Columns, Place

_TEXTS = (
    "arn", "runtime", "handler", "code_sha256", "state", "state_reason", "last_update_status", "role_arn", "description",
    "package_type", "version", "revision_id",
)  # fmt: skip
# ListFunctions says nothing of the state; what a closer look told stays until another one.
_COLUMNS = Columns(
    (*_TEXTS, "memory_mb", "timeout_s", "code_size", "modified_at", "architectures"),
    at_times=("state", "state_reason", "last_update_status"),
)
ACTIVITY_EVERY = timedelta(hours=1)  # CloudWatch charges for each figure


@transaction.atomic
def observe(*, account: AwsAccount, region: str, facts: Sequence[FunctionFacts], asked: Asked) -> int:
    """Store what one answer told of functions in one region; the number of those that are new or changed."""
    found = [_row(account, region, one, asked) for one in facts]
    merged = rows.merge(Function, found, Place({"account": account, "region": region}, "name"), _COLUMNS)
    if merged:
        realtime.publish("function", region, account.pk)
    return len(merged.new) + len(merged.changed)


@transaction.atomic
def mark_gone(*, account: AwsAccount, region: str, asked: Asked) -> int:
    """A complete scan that began at `asked.asked_at` no longer found these."""
    missing = Function.objects.present().filter(account=account, region=region, observed_at__lt=asked.asked_at)
    count = missing.update(gone_at=asked.answered_at)
    if count:
        realtime.publish("function", region, account.pk)
    return count


MEMORY_EVERY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Fresh:
    """Names of functions whose activity and memory are known well enough, and of those that were active when last looked at."""

    activity: frozenset[str] = frozenset()
    memory: frozenset[str] = frozenset()
    settled: frozenset[str] = frozenset()


def fresh(account: AwsAccount, now: datetime) -> dict[str, Fresh]:
    """What need not be asked again yet, by region."""
    known = Function.objects.present().filter(account=account)
    measured = _names_by_region(known.filter(activity_at__gte=now - ACTIVITY_EVERY))
    sized = _names_by_region(known.filter(memory_at__gte=now - MEMORY_EVERY))
    settled = _names_by_region(known.filter(state="Active").exclude(last_update_status="InProgress"))
    regions = measured.keys() | sized.keys() | settled.keys()
    return {region: Fresh(*(frozenset(names[region]) for names in (measured, sized, settled))) for region in regions}


def _names_by_region(found: ResourceQuerySet[Function]) -> defaultdict[str, set[str]]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for region, name in found.values_list("region", "name"):
        names[region].add(name)
    return names


@transaction.atomic
def measure(*, account: AwsAccount, region: str, activity: Mapping[str, Activity], asked: Asked) -> None:
    """Store how often functions ran and failed in the day before `asked`."""
    known = list(Function.objects.select_for_update().filter(account=account, region=region, name__in=list(activity)))
    for row in known:
        found = activity[row.name]
        row.invocations_24h, row.errors_24h, row.activity_at = found.invocations, found.errors, asked.asked_at
    Function.objects.bulk_update(known, ["invocations_24h", "errors_24h", "activity_at"], batch_size=200)
    if known:
        realtime.publish("function", region, account.pk)


@transaction.atomic
def size(*, account: AwsAccount, region: str, memory: Mapping[str, MemoryUse], asked: Asked) -> None:
    """Store what functions used of their memory; of one without figures, that there are none."""
    known = list(Function.objects.select_for_update().filter(account=account, region=region, name__in=list(memory)))
    for row in known:
        found = memory[row.name]
        row.memory_used_mb, row.memory_days, row.seconds_a_day = found.max_mb, found.days, found.seconds_a_day
        row.memory_at = asked.asked_at
    columns = ["memory_used_mb", "memory_days", "seconds_a_day", "memory_at"]
    Function.objects.bulk_update(known, columns, batch_size=200)


def _row(account: AwsAccount, region: str, facts: FunctionFacts, asked: Asked) -> Function:
    texts = {name: rows.text(Function, name, getattr(facts, name)) for name in _TEXTS}
    name = rows.text(Function, "name", facts.name)
    return Function(
        account=account,
        region=region,
        name=name,
        memory_mb=facts.memory_mb,
        timeout_s=facts.timeout_s,
        code_size=facts.code_size,
        modified_at=facts.modified_at,
        architectures=[architecture[:32] for architecture in facts.architectures],
        searched=rows.searched(name, texts["runtime"], texts["handler"], texts["description"], tags={}),
        observed_at=asked.asked_at,
        first_seen_at=asked.asked_at,
        **texts,
    )
