"""Requests for higher limits, as AWS tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from cloudconsole.aws.service_quotas import IncreaseFacts
from resources.models import Operation, Quota, QuotaIncrease, QuotaPlace
from resources.rules.actions import TargetType

_FOUND = ["case_id", "desired", "status", "requester", "created_at", "updated_at"]


def observe(*, place: QuotaPlace, told: Sequence[IncreaseFacts]) -> None:
    """Store the requests for quotas that are known here; one made by an operation keeps it. In the caller's transaction."""
    known = {
        (service, code): pk
        for pk, service, code in Quota.objects.filter(account=place.account, region=place.region).values_list(
            "pk", "service_code", "code"
        )
    }
    rows = [
        _row(known[one.service_code, one.code], one) for one in told if (one.service_code, one.code) in known and one.request_id
    ]
    QuotaIncrease.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["quota", "aws_id"], update_fields=_FOUND, batch_size=200
    )


def accepted(*, quota: Quota, facts: IncreaseFacts) -> None:
    """AWS took a request that was made here: it is shown at once, with the operation that made it."""
    asked = Operation.objects.filter(
        target_type=TargetType.QUOTA.value,
        account=quota.account,
        region=quota.region,
        target=f"{quota.service_code}/{quota.code}",
    )
    row, _ = QuotaIncrease.objects.get_or_create(
        quota=quota,
        aws_id=facts.request_id,
        defaults={
            "case_id": facts.case_id,
            "desired": facts.desired,
            "status": facts.status,
            "requester": facts.requester,
            "created_at": facts.created_at,
            "updated_at": facts.updated_at,
        },
    )
    if row.operation is None:
        QuotaIncrease.objects.filter(pk=row.pk).update(operation=asked.order_by("-pk").first())


def _row(quota: int, one: IncreaseFacts) -> QuotaIncrease:
    return QuotaIncrease(
        quota_id=quota,
        aws_id=one.request_id[:128],
        case_id=one.case_id[:128],
        desired=one.desired,
        status=one.status[:32],
        requester=one.requester,
        created_at=one.created_at,
        updated_at=one.updated_at,
    )
