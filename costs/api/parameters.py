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
from cloudconsole.api.parameters import check_known
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from costs.models.tags import KEY_LENGTH
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import DIMENSIONS, Dimension
from costs.rules.tags import LABELS
from costs.rules.windows import DayRange, first_of_month, tomorrow
from costs.selectors.questions import Granularity, Question

# `blended` is stored, but it is an average over accounts that bills nobody: the contract leaves it out.
METRICS = [metric.value for metric in Metric if metric is not Metric.BLENDED]
GRANULARITIES = [Granularity.DAILY.value, Granularity.MONTHLY.value]
LONGEST_DAYS = 1_200
TAG = "tag:"
# AWS has billed nobody before, and from any of these days as many can be counted back and ahead as a range may have.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)


def _list(child: serializers.Field[Any, Any, Any, Any], help_text: str) -> serializers.ListField:
    return serializers.ListField(child=child, required=False, default=list, max_length=100, help_text=help_text)


class DayField(serializers.DateField):
    """A day that a question can be about."""

    default_error_messages = {"no_day_of_costs": f"Days lie between {FIRST_DAY} and {LAST_DAY}."}

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not FIRST_DAY <= day <= LAST_DAY:
            self.fail("no_day_of_costs")
        return day


class Parameters(serializers.Serializer[Any]):
    """Refuses what it does not know."""

    def to_internal_value(self, data: QueryDict) -> Any:
        check_known(data, self.fields)
        return super().to_internal_value(data)


class ScopeParameters(Parameters):
    account = _list(serializers.CharField(max_length=63), "Id, alias or 12-digit number; repeatable. None: all that you may see.")
    metric = ChoiceField(choices=METRICS, default=Metric.UNBLENDED.value)
    currency = serializers.RegexField(
        r"^[A-Z]{3}$", default=None, allow_null=True, help_text="Needed only where costs are in several currencies."
    )


class FilterParameters(Parameters):
    charge_type = _list(ChoiceField(choices=[kind.value for kind in ChargeType]), "Kinds of charges; repeatable.")
    service = _list(serializers.CharField(max_length=1024), "AWS's name of a service; repeatable.")
    region = _list(serializers.CharField(max_length=1024), "Region, also `global` and `NoRegion`; repeatable.")
    record_type = _list(serializers.CharField(max_length=1024), "AWS's record type; repeatable.")
    usage_type = _list(serializers.CharField(max_length=1024), "AWS's usage type; repeatable.")

    def to_internal_value(self, data: QueryDict) -> Any:
        """Tags are named by their keys, so they are read apart: `tag:team=web`, repeatable."""
        named = [name for name in data if name.startswith(TAG)]
        found = super().to_internal_value(_without(data, named))
        found["tags"] = {name: _tag_values(name, data.getlist(name)) for name in named}
        return found


class CostParameters(ScopeParameters, FilterParameters):
    start = DayField(default=lambda: first_of_month(clock.today()), help_text="First day. Default: this month.")
    end = DayField(default=lambda: tomorrow(clock.today()), help_text="The day after the last. Default: tomorrow.")
    granularity = ChoiceField(choices=GRANULARITIES, default=Granularity.DAILY.value)
    group_by = _list(
        serializers.CharField(max_length=200),
        "Up to two of service, account, region, record_type, usage_type, tag:<Key>; repeated or with a comma (not in a key).",
    )

    def validate_group_by(self, values: list[str]) -> list[str]:
        names = [name for value in values for name in _split(value)]
        if len(names) > 2 or len(set(names)) < len(names):
            raise serializers.ValidationError("Group by at most two different dimensions.")
        for name in names:
            _check_dimension(name)
        return names

    def validate(self, attrs: Any) -> Any:
        check_range(attrs["start"], attrs["end"])
        return attrs


def _without(data: QueryDict, names: Sequence[str]) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name, values in data.lists():
        if name not in names:
            kept.setlist(name, values)
    return kept


def _tag_values(name: str, values: list[str]) -> list[str]:
    """Raises ValidationError. AWS allows keys of 128 characters and values of 256."""
    if not 1 <= len(name.removeprefix(TAG)) <= KEY_LENGTH:
        raise serializers.ValidationError({name: [f"A tag's key has 1 to {KEY_LENGTH} characters."]})
    if len(values) > 100 or any(not value or len(value) > 1024 for value in values):
        raise serializers.ValidationError({name: [f"Up to 100 values; of those without one: {', '.join(LABELS)}."]})
    return values


def _split(value: str) -> list[str]:
    """Several dimensions in one parameter; a tag's key may hold a comma itself, so it stands alone or last."""
    first, comma, rest = value.partition(",")
    if value.startswith(TAG) or not comma:
        return [value.strip()]
    return [first.strip(), *_split(rest.strip())]


def _check_dimension(name: str) -> None:
    try:
        Dimension.called(name)
    except ValueError as error:
        choices = ", ".join(one.word for one in DIMENSIONS)
        raise serializers.ValidationError(f"One of: {choices}, tag:<Key>; or two of them.", code="invalid_choice") from error


def check_range(start: date, end: date, *, attr: str = "end") -> None:
    """Raises ValidationError for what is no range of days, or too long a one."""
    if end <= start:
        raise serializers.ValidationError({attr: ["Must be after start: the range is half-open."]})
    if (end - start).days > LONGEST_DAYS:
        raise serializers.ValidationError({attr: [f"A range has at most {LONGEST_DAYS} days."]})


def dimensions(names: Sequence[str]) -> tuple[Dimension, ...]:
    """The dimensions of a valid `group_by`."""
    return tuple(Dimension.called(name) for name in names)


def question(given: Mapping[str, Any]) -> Question:
    """Valid parameters as a question."""
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
        tags=frozenset((name.removeprefix(TAG), value) for name, values in given["tags"].items() for value in values),
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
