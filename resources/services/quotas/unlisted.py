"""Models that were called and for which AWS lists no quota: they are shown, without a limit."""

from __future__ import annotations

from datetime import datetime

from resources.models import Quota, QuotaPlace
from resources.rules import quota_names
from resources.rules.quota_names import Called, Measure, Profile
from resources.rules.quotas import Kind


def ensure(*, place: QuotaPlace, now: datetime) -> None:
    """A row for each model and profile that was called here lately and has no quota of tokens per minute. In a transaction."""
    if place.limits_at is None:
        return  # nobody knows yet what is listed
    called = {found for model_id in place.model_series if (found := quota_names.called(model_id))}
    listed = Quota.objects.present().filter(
        account=place.account_id, region=place.region, is_listed=True, measure=Measure.TOKENS_PER_MINUTE.value
    )
    known = set(listed.values_list("model", "profile"))
    missing = sorted(one for one in called if (one.model.key, one.profile.value) not in known)
    Quota.objects.bulk_create(
        [_row(place, one) for one in missing],
        update_conflicts=True,
        unique_fields=["account", "region", "service_code", "code"],
        update_fields=["gone_at"],
    )
    shown = Quota.objects.present().filter(account=place.account_id, region=place.region, is_listed=False)
    for quota in shown:
        if (quota.model, quota.profile) in known:
            Quota.objects.filter(pk=quota.pk).update(gone_at=now)


def _row(place: QuotaPlace, called: Called) -> Quota:
    model = called.model
    return Quota(
        account_id=place.account_id,
        region=place.region,
        service_code="bedrock",
        service_name="Amazon Bedrock",
        code=quota_names.unlisted_code(called),
        name=f"Tokens per minute of {model.title}",
        kind=Kind.BEDROCK.value,
        is_listed=False,
        model=model.key,
        model_title=model.title,
        profile=called.profile.value,
        measure=Measure.TOKENS_PER_MINUTE.value,
        searched=f"{model.title} {Profile(called.profile).value} bedrock".lower(),
    )
