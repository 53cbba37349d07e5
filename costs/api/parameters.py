"""What the query string of a cost question may say. Whatever is not known here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from accounts.models import User
from cloudconsole.api.fields import ChoiceField
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month, tomorrow
from costs.selectors.questions import NAMES, Granularity, NotStored, Question

# `blended` is stored, but it is an average over accounts that bills nobody: the contract leaves it out.
METRICS = [metric.value for metric in Metric if metric is not Metric.BLENDED]
GRANULARITIES = [Granularity.DAILY.value, Granularity.MONTHLY.value]
LONGEST_DAYS = 1_200
_DIMENSIONS: Mapping[str, Dimension] = {name: dimension for dimension, name in NAMES.items()}


def _list(child: serializers.Field[Any, Any, Any, Any], help_text: str) -> serializers.ListField:
    return serializers.ListField(child=child, required=False, default=list, max_length=100, help_text=help_text)


class Parameters(serializers.Serializer[Any]):
    """Refuses what it does not know."""

    def to_internal_value(self, data: QueryDict) -> Any:
        if unknown := sorted(set(data) - set(self.fields) - {"format"}):
            raise serializers.ValidationError(
                {name: ["There is no such parameter."] for name in unknown}, code="unknown_parameter"
            )
        return super().to_internal_value(data)


class ScopeParameters(Parameters):
    account = _list(serializers.CharField(max_length=63), "Id, alias or 12-digit number; repeatable. None: all that you may see.")
    metric = ChoiceField(choices=METRICS, default=Metric.UNBLENDED.value)
    currency = serializers.RegexField(
        r"^[A-Z]{3}$", default=None, allow_null=True, help_text="Needed only where costs are in several currencies."
    )


class CostParameters(ScopeParameters):
    start = serializers.DateField(default=lambda: first_of_month(clock.today()), help_text="First day. Default: this month.")
    end = serializers.DateField(default=lambda: tomorrow(clock.today()), help_text="The day after the last. Default: tomorrow.")
    granularity = ChoiceField(choices=GRANULARITIES, default=Granularity.DAILY.value)
    group_by = _list(
        serializers.CharField(max_length=200),
        "Up to two of service, account, region, record_type, usage_type; repeated or with a comma.",
    )
    charge_type = _list(ChoiceField(choices=[kind.value for kind in ChargeType]), "Kinds of charges; repeatable.")
    service = _list(serializers.CharField(max_length=1024), "AWS's name of a service; repeatable.")
    region = _list(serializers.CharField(max_length=1024), "Region, also `global` and `NoRegion`; repeatable.")
    record_type = _list(serializers.CharField(max_length=1024), "AWS's record type; repeatable.")
    usage_type = _list(serializers.CharField(max_length=1024), "AWS's usage type; repeatable.")

    def validate_group_by(self, values: list[str]) -> list[str]:
        names = [name.strip() for value in values for name in value.split(",")]
        if len(names) > 2 or len(set(names)) < len(names):
            raise serializers.ValidationError("Group by at most two different dimensions.")
        for name in names:
            if name not in _DIMENSIONS and not name.startswith("tag:"):
                raise serializers.ValidationError(f"One of: {', '.join(_DIMENSIONS)}; or two of them.", code="invalid_choice")
        return names

    def validate(self, attrs: Any) -> Any:
        check_range(attrs["start"], attrs["end"])
        return attrs


def check_range(start: date, end: date, *, attr: str = "end") -> None:
    """Raises ValidationError for what is no range of days, or too long a one."""
    if end <= start:
        raise serializers.ValidationError({attr: ["Must be after start: the range is half-open."]})
    if (end - start).days > LONGEST_DAYS:
        raise serializers.ValidationError({attr: [f"A range has at most {LONGEST_DAYS} days."]})


def dimensions(names: Sequence[str]) -> tuple[Dimension, ...]:
    """The dimensions of a `group_by`. Raises NotStored for those that AWS knows and nobody fetched."""
    for name in names:
        if name not in _DIMENSIONS:
            raise NotStored(f"Costs by {name} are not fetched. Group by {', '.join(_DIMENSIONS)}.", attr="group_by")
    return tuple(_DIMENSIONS[name] for name in names)


def question(given: Mapping[str, Any]) -> Question:
    """Valid parameters as a question. Raises NotStored for dimensions that AWS knows and nobody fetched."""
    return Question(
        days=DayRange(given["start"], given["end"]),
        granularity=Granularity(given["granularity"]),
        group_by=dimensions(given["group_by"]),
        metric=Metric(given["metric"]),
        charge_types=frozenset(ChargeType(value) for value in given["charge_type"]),
        services=frozenset(given["service"]),
        regions=frozenset(given["region"]),
        record_types=frozenset(given["record_type"]),
        usage_types=frozenset(given["usage_type"]),
        currency=given["currency"],
    )


def valid(serializer: type[Parameters], request: Request) -> Any:
    """The query string as `serializer` reads it. Raises ValidationError."""
    parameters = serializer(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    return parameters.validated_data


def reader(request: Request) -> User:
    """Who asks; `DeclaredPermission` has let nobody else through."""
    if not isinstance(request.user, User):
        raise serializers.ValidationError("Sign in first.")
    return request.user
