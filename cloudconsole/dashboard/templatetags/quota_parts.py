"""What other apps know of a quota, for its page: what stands below the costs cannot read them itself."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from cloudconsole.dashboard import quota_costs as costs
from resources.models import Quota

register = template.Library()


@register.inclusion_tag("dashboard/_quota_costs.html", takes_context=True)
def quota_costs(context: Context, quota: Quota) -> dict[str, Any]:
    """What a million tokens of the quota's model cost in the account lately."""
    request = context["request"]
    return {"request": request, "costs": costs.of(request.user, quota), "quota": quota}
