"""Parts of other apps on the pages of accounts, which cannot know them: the app above draws them where the template asks."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from accounts.models import AwsAccount
from cloudconsole.dashboard import account_costs
from resources.selectors import operations

register = template.Library()


@register.inclusion_tag("dashboard/_account_costs.html", takes_context=True)
def costs_card(context: Context, account: AwsAccount) -> dict[str, Any]:
    """Whether the account's costs can be read, how fresh they are and what they are this month."""
    request = context["request"]
    return {"request": request, "costs": account_costs.costs_of(request.user, account)}


@register.simple_tag
def operations_waiting(account: AwsAccount) -> int:
    """How many operations in it wait, and are cancelled when it is disconnected."""
    return operations.waiting_in(account)


@register.simple_tag(takes_context=True)
def accounts_read_from(context: Context, account: AwsAccount) -> list[AwsAccount]:
    """The other accounts whose costs come with this one's bill."""
    return account_costs.read_from(context["request"].user, account)
