"""From when on a quota warns."""

from __future__ import annotations

from django.db import transaction

import audit.services
from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources import verbs
from resources.models import Quota
from resources.rules import quotas as rules
from resources.rules.quotas import Level

_MOST = 1000


class InvalidThresholds(CloudconsoleError):
    code = "invalid_thresholds"
    title = "These thresholds cannot be kept"


@transaction.atomic
def set_thresholds(*, quota: Quota, warning: int, critical: int, by: User) -> Quota:
    """Warn from `warning` percent of the limit on, and say from `critical` on that it is critical. Tells nobody by itself:
    what is above a new threshold already is known to who sets it. Raises InvalidThresholds, NotAllowedHere.
    """
    aws_accounts.require(by, quota.account, Perm.RESOURCES_OPERATE)
    if not 1 <= warning < critical <= _MOST:
        raise InvalidThresholds(f"Both are percentages from 1 to {_MOST}, and the warning comes first.", attr="warning_percent")
    row = Quota.objects.select_for_update(of=("self",)).select_related("account").get(pk=quota.pk)
    row.warning_percent, row.critical_percent = warning, critical
    row.state = rules.state(row.limits, row.pressure, row.thresholds).value
    row.level = rules.level(row.limits, row.pressure, row.thresholds, Level(row.level)).value
    row.save(update_fields=["warning_percent", "critical_percent", "state", "level"])
    audit.services.record(
        verbs.QUOTA_THRESHOLDS_SET,
        actor=by,
        subject=str(row.pk),
        account=row.account,
        detail={"name": row.name, "region": row.region, "warning": warning, "critical": critical},
    )
    return row
