"""Bringing an account's recommendations up to date with what is known now.

Findings in places that did not answer stay as they are: not seen is not gone. Doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from accounts.models import AwsAccount
from cloudconsole import realtime
from cloudconsole.core import clock
from costs.models import HubItem, Recommendation, SavingsSource
from costs.models.recommendations import AWS, OURS
from costs.rules.findings import BY_AWS, KINDS, Confidence, Finding, Money
from costs.rules.recommendation_life import Dismissal, Status, comes_back, ended
from costs.services.recommendations.searching import search
from resources.models import Service
from resources.selectors import billed
from resources.selectors.billed import Done, Known

_BATCH = 500
_Key = tuple[str, str]
# Which place has to answer before a recommendation about something in it can end.
_PLACE_OF = {
    "stopped_instance": Service.EC2,
    "idle_instance": Service.USAGE,
    "previous_generation": Service.EC2,
    "unattached_volume": Service.EBS,
    "gp2_volume": Service.EBS,
    "old_snapshot": Service.EBS,
    "unused_address": Service.ADDRESSES,
    "empty_balancer": Service.BALANCERS,
    "endless_logs": Service.LOGS,
    "lambda_memory": Service.LAMBDA,
}
_TOLD = (
    "kind", "name", "status", "amount", "rank", "currency", "unpriced", "confidence", "why_sure", "reasoning", "evidence",
    "parameters",
    "observed_at", "sources", "aws_id", "aws_amount", "aws_currency", "aws_told", "last_seen_at", "ended_at", "mended_by",
    "first_seen_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said about one thing, by us, by AWS, or by both."""

    finding: Finding
    sources: tuple[str, ...]
    item: HubItem | None = None


@transaction.atomic
def judge(*, account: AwsAccount) -> int:
    """Look through what is known of `account`, AWS's own recommendations included; the number of those that are open."""
    up_to = clock.now()  # what becomes known meanwhile is looked through the next time
    source, _ = SavingsSource.objects.get_or_create(account=account)
    SavingsSource.objects.select_for_update().get(pk=source.pk)  # two at once: the second finds everything done
    known, now = billed.known(account), clock.now()
    regions = sorted({region for region, _ in known.complete})
    items = HubItem.objects.filter(account=account).order_by("read_at")
    told = _joined(search(known, billed.prices(regions), now), items, _names(known))
    rows = {(row.region, row.resource_id): row for row in Recommendation.objects.select_for_update().filter(account=account)}
    changed = [_seen(rows[key], one, now) for key, one in told.items() if key in rows]
    new = [_new(account, one, now) for key, one in told.items() if key not in rows]
    over = _ended(account, [row for key, row in rows.items() if key not in told], known, now)
    Recommendation.objects.bulk_create(new, batch_size=_BATCH)
    Recommendation.objects.bulk_update([*changed, *over], _TOLD, batch_size=_BATCH)
    SavingsSource.objects.filter(pk=source.pk).update(judged_at=up_to)
    if new or changed or over:
        realtime.publish("recommendation", "", account.pk)
    return Recommendation.objects.open().filter(account=account).count()


def _joined(findings: Iterable[Finding], items: Iterable[HubItem], names: Mapping[_Key, str]) -> dict[_Key, Told]:
    """One for each thing. Where AWS speaks of what we found, both are named, and its figure stays its own.

    A payer and its member may both have told the same: the newer counts.
    """
    ours = {(one.region, one.resource_id): one for one in findings}
    told = {key: Told(one, (OURS,)) for key, one in ours.items()}
    for item in items:
        key = (item.region, item.resource_id)
        if key in ours:
            told[key] = Told(ours[key], (OURS, AWS), item)
        else:
            told[key] = Told(_of_aws(item, names.get(key, "")), (AWS,), item)
    return told


def _of_aws(item: HubItem, name: str) -> Finding:
    lookback = f"{item.lookback_days} days" if item.lookback_days else "not told"
    return Finding(
        kind=BY_AWS,
        region=item.region,
        resource_id=item.resource_id,
        name=name or (item.resource_type if item.resource_id == item.aws_id else ""),
        money=Money(item.saving, item.currency),
        confidence=Confidence.MEDIUM,
        why_sure="It is AWS's own estimate, after the discounts that AWS knows of; Cloudconsole has not checked it.",
        reasoning="Told by Cost Optimization Hub, with AWS's own figure.",
        evidence=(
            ("AWS recommends", sentence(item)),
            ("In account", item.number),
            ("Now", item.current or "—"),
            ("Instead", item.recommended or "—"),
            ("Effort", item.effort or "not told"),
            ("Looked back", lookback),
            ("Restart needed", "yes" if item.restart_needed else "no"),
            ("Can be taken back", "yes" if item.rollback_possible else "no"),
            *((name, told) for name, told in item.detail),
        ),
        observed_at=item.refreshed_at or item.read_at,
    )


def sentence(item: HubItem) -> str:
    """What AWS recommends: “Rightsize m6i.2xlarge to m6i.xlarge”, “Purchase savings plans: Compute Savings Plan, 1 year”."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in item.action).strip().capitalize()
    to = f" to {item.recommended}" if item.current and item.recommended else f": {item.recommended}" if item.recommended else ""
    return f"{words}{f' {item.current}' if item.current else ''}{to}"


def _new(account: AwsAccount, told: Told, now: datetime) -> Recommendation:
    one = told.finding
    row = Recommendation(account=account, region=one.region, resource_id=one.resource_id, first_seen_at=now)
    return _write(row, told, now)


def _seen(row: Recommendation, told: Told, now: datetime) -> Recommendation:
    money = told.finding.money
    if row.status == Status.DISMISSED:
        dismissed = Dismissal(row.kind, row.dismissed_amount, row.currency, row.dismissed_until)
        if comes_back(dismissed, told.finding.kind, money.amount, money.currency, now):
            row.status = Status.OPEN.value
    elif row.status != Status.OPEN:
        row.status, row.first_seen_at, row.ended_at, row.mended_by = Status.OPEN.value, now, None, None
    return _write(row, told, now)


def _write(row: Recommendation, told: Told, now: datetime) -> Recommendation:
    one, item = told.finding, told.item
    row.kind, row.name, row.last_seen_at, row.observed_at = one.kind, one.name[:512], now, one.observed_at
    row.amount, row.currency, row.unpriced = _kept(one.money.amount), one.money.currency, one.money.why
    row.rank = rank(row.amount)
    row.confidence, row.why_sure, row.reasoning = one.confidence.value, one.why_sure, one.reasoning
    by_aws = [[f"AWS: {name.lower()}", what] for name, what in item.detail] if item and one.kind != BY_AWS else []
    row.evidence = [*(list(pair) for pair in one.evidence), *by_aws]
    row.parameters, row.sources = dict(one.parameters), list(told.sources)
    row.aws_id, row.aws_amount = (item.aws_id, item.saving) if item else ("", None)
    row.aws_currency, row.aws_told = (item.currency, sentence(item)) if item else ("", "")
    return row


def rank(amount: Decimal | None) -> int:
    """Where a list sorts it: by millionths, which every database can compare; what is not known comes last."""
    return -1 if amount is None else int(amount * 1_000_000)


def _kept(amount: Decimal | None) -> Decimal | None:
    """As the column keeps it: twelve places."""
    return None if amount is None else amount.quantize(Decimal("1E-12"))


def _ended(account: AwsAccount, rows: list[Recommendation], known: Known, now: datetime) -> list[Recommendation]:
    """Those that no longer hold, as a complete answer or an operation of this console shows. Dismissed ones end as well."""
    mended = billed.fixed_by(account) if rows else {}
    there = _still_there(known)
    over = []
    for row in rows:
        if row.status not in (Status.OPEN, Status.DISMISSED):
            continue
        row.mended_by = _mending(row, mended.get((row.region, row.resource_id)))
        if row.mended_by or _was_looked_for(row, known):
            still_there = (row.region, row.resource_id) in there
            row.status = (Status.FIXED if row.mended_by else ended(row.kind, still_there=still_there)).value
            row.ended_at = now
            over.append(row)
    return over


def _was_looked_for(row: Recommendation, known: Known) -> bool:
    """Whether its place answered completely when last asked. What AWS recommends stays known until AWS answers without it."""
    service = _PLACE_OF.get(row.kind)
    return service is None or (row.region, service.value) in known.complete


def _mending(row: Recommendation, done: Done | None) -> int | None:
    """The operation that did what was recommended, if one of this console did since it was found."""
    kind = KINDS.get(row.kind)
    if done is None or kind is None or kind.operation != done.action or done.finished_at < row.first_seen_at:
        return None
    return done.operation


def _names(known: Known) -> dict[_Key, str]:
    """What people call the things that AWS's hub names by their ids."""
    return {
        **{(row.region, row.instance_id): row.name for row in known.instances},
        **{(row.region, row.volume_id): row.name for row in known.volumes},
        **{(row.region, row.arn): row.name for row in known.functions},
    }


def _still_there(known: Known) -> set[_Key]:
    return {
        *((row.region, row.instance_id) for row in known.instances),
        *((row.region, row.volume_id) for row in known.volumes),
        *((row.region, row.snapshot_id) for row in known.snapshots),
        *((row.region, row.allocation_id) for row in known.addresses),
        *((row.region, row.balancer_id) for row in known.balancers),
        *((row.region, row.name) for row in known.log_groups),
        *((row.region, row.arn) for row in known.functions),
    }
