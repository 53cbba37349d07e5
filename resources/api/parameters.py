"""What the query string of a list of resources may say. Whatever is not known here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import AwsAccount
from accounts.selectors import aws_accounts
from cloudconsole.api.parameters import PAGING, check_known
from cloudconsole.core.permissions import Perm
from resources.api.requests import reader
from resources.selectors.lists import BUCKETS, FUNCTIONS, INSTANCES, Kind, Question


def _several(help_text: str) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=256), required=False, default=list, max_length=100, help_text=help_text
    )


class ListParameters(serializers.Serializer[Any]):
    """Refuses what it does not know. `kind` is the list that is asked."""

    kind: Kind[Any]

    account = _several("Id, alias or 12-digit number; repeatable. None: all that you may see.")
    region = _several("Repeatable.")
    search = serializers.CharField(
        default="",
        max_length=256,
        allow_blank=True,
        help_text="Words that all occur in names, ids, addresses or tags (key=value).",
    )
    gone = serializers.BooleanField(default=False, help_text="Those that are there no more, instead of those that are.")
    ordering = serializers.CharField(default="name", max_length=64, help_text="A field, with a minus sign for descending.")
    refresh = serializers.BooleanField(
        default=False, help_text="Ask AWS now; 202 with an operation to follow when that takes longer."
    )

    def to_internal_value(self, data: QueryDict) -> Any:
        check_known(data, {*self.fields, *PAGING})
        return super().to_internal_value(data)

    def validate_ordering(self, value: str) -> str:
        if value.removeprefix("-") not in self.kind.orders:
            names = ", ".join(sorted(self.kind.orders))
            raise serializers.ValidationError(f"One of: {names}; with a minus sign for descending.")
        return value


class InstanceParameters(ListParameters):
    kind = INSTANCES
    state = _several("pending, running, stopping, stopped, shutting-down, terminated; repeatable.")
    instance_type = _several("Repeatable.")
    vpc = _several("Repeatable.")
    image = _several("Repeatable.")


class BucketParameters(ListParameters):
    kind = BUCKETS
    versioning = _several("enabled, suspended or disabled; repeatable.")


class FunctionParameters(ListParameters):
    kind = FUNCTIONS
    runtime = _several("Repeatable.")
    state = _several("Pending, Active, Inactive or Failed; repeatable.")


def accounts_of(request: Request, given: Mapping[str, Any], permission: Perm) -> list[AwsAccount]:
    """The accounts that the request names, or all. Raises UnknownAccount, NotAllowedHere."""
    return aws_accounts.accounts_in_scope(reader(request), permission, given["account"])


def question_of(kind: Kind[Any], given: Mapping[str, Any], accounts: list[AwsAccount]) -> Question:
    filters = {name: given[name] for name in kind.filters if given.get(name)}
    return Question(accounts, filters, given["search"], given["gone"], given["ordering"])
