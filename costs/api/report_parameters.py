"""The address of a report, which the page, its CSV and saved reports understand: the API's words, and a few more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from accounts.models import Environment
from cloudconsole.api.fields import ChoiceField
from cloudconsole.aws.cost_explorer import Metric
from costs.api.parameters import CostParameters, DayField, check_range, dimensions
from costs.rules.charge_types import ChargeType
from costs.rules.spans import Preset
from costs.rules.windows import DayRange
from costs.selectors.questions import Granularity
from costs.selectors.reports import CUSTOM, DEFAULT_TOP, ENVIRONMENT, FILTERS, TOPS, Report

NONE = "none"


class ReportParameters(CostParameters):
    """`range=custom` is meant where there are days; `group_by=none` is not the same as none given, which means by service.

    `last` is the last day itself, as people choose it; `end` is the day after it, as in the API.
    """

    range = ChoiceField(choices=[*(preset.value for preset in Preset), CUSTOM], required=False)
    start = DayField(required=False)
    end = DayField(required=False)
    last = DayField(required=False)
    environment = serializers.ListField(
        child=ChoiceField(choices=Environment.choices), required=False, default=list, max_length=len(Environment)
    )
    compare = ChoiceField(choices=["previous", NONE], default="previous")
    top = ChoiceField(choices=TOPS, default=DEFAULT_TOP)

    def validate_group_by(self, values: list[str]) -> list[str]:
        named = list(dict.fromkeys(value for value in values if value != NONE))
        return [] if NONE in values and not named else super().validate_group_by(named or ["service"])

    def validate(self, attrs: Any) -> Any:
        if "last" in attrs:
            attrs["end"] = attrs.pop("last") + timedelta(days=1)
        if attrs.setdefault("range", CUSTOM if {"start", "end"} & set(attrs) else Preset.DAYS_30.value) != CUSTOM:
            return attrs
        for name in ("start", "end"):
            if name not in attrs:
                raise serializers.ValidationError({name: ["A range has a first and a last day."]})
        check_range(attrs["start"], attrs["end"])
        return attrs


def read(query: QueryDict, *, besides: tuple[str, ...] = ()) -> Report:
    """The report that `query` describes; fields left empty in a form are as if they were not there.

    Raises ValidationError, NotStored. `besides`: parameters of the page that are none of the report's.
    """
    given = QueryDict(mutable=True)
    for name, values in query.lists():
        if name not in besides and (filled := [value for value in values if value]):
            given.setlist(name, filled)
    parameters = ReportParameters(data=given)
    parameters.is_valid(raise_exception=True)
    return _report(parameters.validated_data)


def read_text(text: str) -> Report:
    """The report of an address within a body. Raises ValidationError that names the parameters, NotStored."""
    try:
        return read(QueryDict(text.lstrip("?")))
    except serializers.ValidationError as error:
        told = "; ".join(f"{name}: {_first(found)}" for name, found in dict(error.detail).items())  # type: ignore[arg-type]
        raise serializers.ValidationError(told) from error


def _first(found: Any) -> str:
    while isinstance(found, list | dict):
        found = next(iter(found.values() if isinstance(found, dict) else found), "")
    return str(found)


def _report(given: Mapping[str, Any]) -> Report:
    is_custom = given["range"] == CUSTOM
    types = set(given["charge_type"])
    report = Report(
        preset=Preset.DAYS_30 if is_custom else Preset(given["range"]),
        days=DayRange(given["start"], given["end"]) if is_custom else None,
        granularity=Granularity(given["granularity"]),
        group_by=dimensions(given["group_by"]),
        metric=Metric(given["metric"]),
        # All of them switched on is the same as none named.
        charge_types=() if len(types) == len(ChargeType) else tuple(one for one in ChargeType if one.value in types),
        currency=given["currency"],
        compare=given["compare"] != NONE,
        top=int(given["top"]),
    )
    for name in (*FILTERS, ENVIRONMENT):
        report = report.with_values(name, given[name])
    for name, values in given["tags"].items():
        report = report.with_values(name, values)
    return report
