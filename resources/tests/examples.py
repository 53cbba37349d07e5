"""Things of somebody else, for the table of who may open what."""

from __future__ import annotations

from collections.abc import Mapping

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from resources.models import Quota, ScalingRule


def examples(account: AwsAccount, owner: User) -> Mapping[str, object]:
    """What stands in the place of a placeholder, by a part of the path. `owner` is nobody who tries."""
    rule = ScalingRule.objects.create(
        name="Spare", owner=owner, account=account, region="eu-central-1", kind="instance", watched="i-0123456789abcdef0",
        metric="cpu", statistic="Average", period_s=300, start_above=70, needed=3, window=3, cooldown_s=900, starts_per_hour=1,
        instances=["i-0123456789abcdef1"], since=clock.now(),
    )  # fmt: skip
    quota = Quota.objects.create(
        account=account, region="us-east-1", service_code="ec2", code="L-1", name="theirs", kind="metric"
    )
    return {"automation/scaling/<": rule.pk, "automation/scaling-rules/<": rule.pk, "quotas/<": quota.pk}
