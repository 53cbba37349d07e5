"""Stored minutes of Bedrock's models, as the quotas count them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db.models import F, Min, Sum
from django.db.models.functions import TruncDate

from resources.models import ModelMinute, Quota
from resources.rules import quota_names
from resources.rules import quotas as rules
from resources.rules.quota_names import Called, Measure, Profile
from resources.rules.quotas import Minute, Use

Minutes = Mapping[datetime, Sequence[tuple[Called, Minute]]]


def between(account: int, region: str, start: datetime, end: datetime) -> Minutes:
    """The stored minutes of models that are understood, by moment."""
    rows = ModelMinute.objects.filter(account=account, region=region, at__gte=start, at__lt=end).values_list(
        "at", "model_id", "input_tokens", "output_tokens", "cache_write_tokens", "invocations", "throttles", "estimate_sum",
        "estimate_max",
    )  # fmt: skip
    known: dict[str, Called | None] = {}
    found: dict[datetime, list[tuple[Called, Minute]]] = defaultdict(list)
    for at, model_id, entered, output, written, asked, refused, estimate_sum, estimate_max in rows.order_by("at", "model_id"):
        if model_id not in known:
            known[model_id] = quota_names.called(model_id)
        called = known[model_id]
        if called is not None:
            found[at].append((called, Minute(entered, output, written, asked, refused, estimate_sum, estimate_max)))
    return found


def uses_of(quota: Quota, minutes: Minutes) -> dict[datetime, Use]:
    """The quota's measure in each minute in which its model was called."""
    model, factor = quota_names.model_of(quota.name, quota.code), factor_of(quota)
    profile, measure = Profile(quota.profile), Measure(quota.measure)
    found = {}
    for at, told in minutes.items():
        mine = [(one.profile, minute) for one, minute in told if one.model == model and rules.covers(profile, one.profile)]
        if mine:
            found[at] = rules.use(measure, profile, mine, factor)
    return found


def factor_of(quota: Quota) -> int:
    return rules.burndown(quota_names.model_of(quota.name, quota.code), dict(settings.QUOTAS.burndown))


def tokens_by_day(account: int, start: date, end: date) -> dict[date, dict[str, int]]:
    """Tokens in, out and written to the cache in each whole day (UTC) of the half-open range, by the model's key.

    A day counts from the one after the first that was ever seen: of that one there may be more than is stored.
    """
    seen = ModelMinute.objects.filter(account=account)
    first = seen.aggregate(at=Min("at"))["at"]
    if first is None:
        return {}
    begin = max(start, first.date() + timedelta(days=1))
    rows = seen.filter(at__gte=_midnight(begin), at__lt=_midnight(end)).annotate(day=TruncDate("at", tzinfo=UTC)).order_by()
    tokens = Sum(F("input_tokens") + F("output_tokens") + F("cache_write_tokens"))
    found: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for day, model_id, count in rows.values_list("day", "model_id").annotate(tokens=tokens):
        called = quota_names.called(model_id)
        found[day][called.model.key if called else model_id] += count
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
