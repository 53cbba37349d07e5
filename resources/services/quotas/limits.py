"""Reading what AWS allows: limits in force, defaults, and requests for higher ones, some times a day.

A place has some two hundred services, and AWS answers some five questions a second: a reading takes many turns. What each
brought is stored at its end together with what is left, so that whoever comes next goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db import transaction

from cloudconsole.aws import regions, service_quotas
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.service_quotas import IncreaseFacts, QuotaFacts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Quota, QuotaPlace
from resources.rules import quota_names
from resources.rules import quotas as rules
from resources.rules.quotas import Kind
from resources.services.quotas import figures, increases, places
from resources.services.quotas.turns import Reading

EVERY = timedelta(hours=6)
_AFTER_FAILURE = timedelta(minutes=15)
# Short: minutes of models wait for their turn meanwhile.
_TURN_S = 10.0
# So many services in succession that do not answer are not those services' fault.
_MOST_FAILURES = 3
# What most accounts look for first.
_FIRST = ("bedrock", "ec2", "lambda", "ebs", "s3", "elasticloadbalancing", "vpc", "rds", "dynamodb", "fargate", "autoscaling")
_TOLD = [
    "service_name", "name", "kind", "unit", "adjustable", "is_global", "is_listed", "default_value", "applied_value", "period_s",
    "metric", "model", "model_title", "profile", "measure", "searched", "observed_at", "gone_at",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ask:
    """`begun`: when the reading began. `left`: the services that are still to be asked; None: AWS has to list them first."""

    place: QuotaPlace
    access: Access
    begun: datetime
    left: Sequence[str] | None
    until: float


@dataclass(slots=True)
class _Limit:
    """A quota with the values that AWS told of it."""

    facts: QuotaFacts
    applied: Decimal | None = None
    default: Decimal | None = None


@dataclass(slots=True)
class _Read:
    """What one turn brought. `why`: what the last of the `failed` services said; `halted`: it asked no more after so many."""

    left: list[str]
    limits: list[_Limit] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    why: AwsError | None = None
    halted: bool = False
    increases: Sequence[IncreaseFacts] = ()


def read_due(*, within_s: float = _TURN_S) -> int:
    """Go on reading the limits of places whose time has come, for `within_s` seconds; how many turns of places that were."""
    prepare = partial(_prepared, until=time.monotonic() + within_s)
    reading = Reading(
        work="limits", prepare=prepare, ask=_ask, store=_store, lost=_lost, batch=16, within_s=within_s, deadline_s=60.0
    )
    return reading.due()


def _prepared(place: QuotaPlace, access: Access, *, until: float) -> _Ask:
    now = clock.now()
    if place.services_left and place.round_at and now - place.round_at < EVERY:
        return _Ask(place, access, place.round_at, place.services_left, until)
    return _Ask(place, access, now, None, until)


def _lost(place: QuotaPlace, error: CloudconsoleError) -> None:
    places.failed(place, "limits", error)
    QuotaPlace.objects.filter(pk=place.pk).update(next_limits_at=clock.now() + _AFTER_FAILURE)


def _ask(ask: _Ask) -> _Read:
    """One service after the other until the turn is over. One that does not answer keeps nobody from asking the next."""
    read = _Read(list(_services(ask) if ask.left is None else ask.left))
    answered = in_succession = 0
    while read.left and not read.halted and time.monotonic() < ask.until:
        service = read.left.pop(0)
        try:
            read.limits += _of_service(ask, service)
            answered, in_succession = answered + 1, 0
        except AwsError as error:
            read.failed.append(service)
            read.why, in_succession = error, in_succession + 1
            read.halted = in_succession == _MOST_FAILURES
    if read.why and ask.left is None and not answered:
        raise read.why
    if not read.left:
        read.increases = [one for page in service_quotas.increases(ask.access, ask.place.region) for one in page]
    return read


def _services(ask: _Ask) -> list[str]:
    """What there is to ask, the most usual first. QUOTA_SERVICES narrows it."""
    wanted = settings.QUOTAS.services
    listed = wanted or [code for page in service_quotas.services(ask.access, ask.place.region) for code in page]
    return [code for code in _FIRST if code in listed] + sorted(set(listed) - set(_FIRST))


def _of_service(ask: _Ask, service: str) -> list[_Limit]:
    """AWS has a default for every quota, so where no default is of use, nothing that is applied is."""
    found: dict[str, _Limit] = {}
    try:
        for facts in _wanted(ask.place, service_quotas.defaults(ask.access, ask.place.region, service)):
            found[facts.code] = _Limit(facts, default=facts.value)
        for facts in _wanted(ask.place, service_quotas.applied(ask.access, ask.place.region, service)) if found else ():
            limit = found.setdefault(facts.code, _Limit(facts))
            limit.facts, limit.applied = facts, facts.value
    except AwsError as error:
        if not service_quotas.is_not_offered(error):
            raise
    return list(found.values())


def _wanted(place: QuotaPlace, pages: Iterable[list[QuotaFacts]]) -> Iterable[QuotaFacts]:
    """Quotas of the whole account are read once, where AWS has them managed."""
    at_home = place.region == regions.home(place.region)
    for page in pages:
        for facts in page:
            here = at_home if facts.is_global else not place.only_global
            if here and _kind(facts) is not None:
                yield facts


def _kind(facts: QuotaFacts) -> Kind | None:
    """How the use of a quota is found; None for those whose use nobody tells."""
    if facts.service_code == "bedrock" and quota_names.is_about_claude(facts.name):
        return Kind.BEDROCK
    if rules.countable(facts.service_code, facts.name):
        return Kind.COUNTED
    return Kind.METRIC if facts.usage else None


def _store(ask: _Ask, read: _Read) -> None:
    place, now = ask.place, clock.now()
    with transaction.atomic():
        rows = [_row(place, limit, now) for limit in read.limits]
        Quota.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["account", "region", "service_code", "code"],
            update_fields=_TOLD,
            batch_size=200,
        )
        if not read.left:
            _end(ask, read)
        QuotaPlace.objects.filter(pk=place.pk).update(
            **{
                "round_at": ask.begun,
                "services_left": read.left + read.failed,
                "next_limits_at": now if read.left else ask.begun + EVERY,
                "next_series_at": now,  # what the new quotas are compared with is looked for at once
                "limits_code": "",
                "limits_detail": "",
                "limits_remedy": "",
                **({} if read.left else {"limits_at": ask.begun}),
                **_missing(read, now),
            }
        )
    figures.settle(place=QuotaPlace.objects.select_related("account").get(pk=place.pk))


def _end(ask: _Ask, read: _Read) -> None:
    """The end of a reading: what AWS does not list any more is gone."""
    here = Quota.objects.filter(account=ask.place.account, region=ask.place.region, is_listed=True, gone_at=None)
    here.filter(observed_at__lt=ask.begun).exclude(service_code__in=read.failed).update(gone_at=clock.now())
    increases.observe(place=ask.place, told=read.increases)


def _missing(read: _Read, now: datetime) -> dict[str, object]:
    """What is said of services that did not answer, which are asked again soon."""
    if read.why is None or (read.left and not read.halted):
        return {}
    return {
        "next_limits_at": now + _AFTER_FAILURE,
        "limits_code": read.why.code,
        "limits_detail": f"{read.why.detail} Not read: {', '.join(sorted(read.failed))}.",
        "limits_remedy": read.why.remedy,
    }


def _row(place: QuotaPlace, limit: _Limit, now: datetime) -> Quota:
    facts, kind = limit.facts, _kind(limit.facts)
    meant = quota_names.quota(facts.name) if kind is Kind.BEDROCK else None
    metric = facts.usage
    row = Quota(
        account=place.account,
        region=place.region,
        service_code=facts.service_code,
        service_name=facts.service_name[:128],
        code=facts.code,
        name=facts.name[:256],
        kind=(kind or Kind.METRIC).value,
        unit="" if facts.unit == "None" else facts.unit[:64],
        adjustable=facts.adjustable,
        is_global=facts.is_global,
        default_value=limit.default,
        applied_value=limit.applied,
        period_s=facts.period_s,
        metric=[metric.namespace, metric.metric, [list(one) for one in metric.dimensions], metric.statistic] if metric else None,
        model=meant.model.key if meant else "",
        model_title=meant.model.title if meant else "",
        profile=meant.profile.value if meant else "",
        measure=meant.measure.value if meant else "",
        observed_at=now,
    )
    row.searched = searched(row)
    return row


def searched(row: Quota) -> str:
    return "\n".join([row.name, row.code, row.service_name, row.service_code, row.model_title]).lower()
