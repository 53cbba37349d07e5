"""Which of the expenses, workspaces and accounts that a reader sees a request is about."""

from __future__ import annotations

import uuid
from typing import Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.requests import person
from accounts.models import AwsAccount
from cloudconsole.api.parameters import check_known, invalid
from cloudconsole.core.permissions import Perm
from expenses.models import Expense, Workspace
from expenses.selectors import expenses, filters, workspaces
from expenses.selectors.expenses import ExpenseFilter
from expenses.services import workspaces as services

WORKSPACE: Final = OpenApiParameter("workspace", OpenApiTypes.INT, description="None: your personal one.")


def workspace_of(request: Request, given: int | None = None) -> Workspace:
    """The one that the body or the address names, or the reader's own. Raises NoSuchWorkspace."""
    named = request.query_params.get("workspace", "") if given is None else str(given)
    if not named:
        return services.personal(person(request))
    if not (named.isascii() and named.isdecimal() and len(named) < 16):
        raise invalid("workspace", "A number.")
    return workspaces.get_for(person(request), int(named))


def wanted(request: Request, *more: str) -> ExpenseFilter:
    """What the address asks for; without a workspace, of all that the reader is in. `more` are its other parameters.

    Raises FilterRefused, and ValidationError for a parameter that nobody reads: it would have narrowed nothing.
    """
    check_known(request.query_params, {*filters.NAMES, *more})
    user = person(request)
    return filters.read(request._request.GET, user, workspaces=filters.own_workspaces(user) or (0,))


def expense_for(request: Request, expense_id: uuid.UUID) -> Expense:
    return expenses.get_for(person(request), expense_id)


def account_for(request: Request, given: int | None) -> AwsAccount | None:
    """An AWS account that the reader sees. Others do not exist for them."""
    if given is None:
        return None
    found = AwsAccount.objects.visible_to(person(request), Perm.ACCOUNTS_VIEW).filter(pk=given).first()
    if found is None:
        raise serializers.ValidationError({"account": ["There is no AWS account with this id."]})
    return found
