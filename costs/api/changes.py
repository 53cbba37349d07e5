"""/api/costs/changes: what made costs differ between two spans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import DaysSerializer, MoneyField
from costs.api.parameters import DayField, ScopeParameters, check_range, reader, valid
from costs.models.tags import KEY_LENGTH
from costs.rules import settle, spans
from costs.rules.cubes import Dimension
from costs.rules.drivers import Driver, Part
from costs.rules.spans import Comparison, Pair
from costs.rules.windows import DayRange
from costs.selectors import changes as selectors
from costs.selectors.changes import Changes
from costs.selectors.costs import Reader


class ChangesParameters(ScopeParameters):
    span = ChoiceField(
        choices=[one.value for one in Comparison], required=False, help_text="Two usual spans, unless days are given."
    )
    start = DayField(required=False, help_text="The first day of the later span.")
    end = DayField(required=False, help_text="Exclusive.")
    before_start = DayField(required=False, help_text="The first day of the earlier span; default: the span before.")
    before_end = DayField(required=False, help_text="Exclusive.")

    by = serializers.CharField(
        default=Dimension.ACCOUNT.word,
        max_length=KEY_LENGTH + len("tag:"),
        trim_whitespace=False,
        help_text="What is told beside services: `account`, or `tag:<Key>` of a tag that costs are stored by.",
    )

    def validate_by(self, word: str) -> Dimension:
        if word != Dimension.ACCOUNT.word and not word.removeprefix("tag:"):
            raise serializers.ValidationError("A tag has a key.", code="invalid_choice")
        if word != Dimension.ACCOUNT.word and not word.startswith("tag:"):
            raise serializers.ValidationError("One of: account, tag:<Key>.", code="invalid_choice")
        return Dimension.called(word)

    def validate(self, attrs: Any) -> Any:
        for first, last in (("start", "end"), ("before_start", "before_end")):
            if (first in attrs) != (last in attrs):
                raise serializers.ValidationError({last if first in attrs else first: ["A span has a start and an end."]})
            if first in attrs:
                check_range(attrs[first], attrs[last], attr=last)
        if "before_start" in attrs and "start" not in attrs:
            raise serializers.ValidationError({"start": ["Name the later span as well."]})
        return attrs


def pair(given: Mapping[str, Any]) -> Pair:
    """The two spans of valid parameters."""
    if "start" not in given:
        return spans.pair_of(Comparison(given.get("span", Comparison.WEEKS)), settle.last_complete_day(clock.today()))
    after = DayRange(given["start"], given["end"])
    if "before_start" in given:
        return Pair(DayRange(given["before_start"], given["before_end"]), after)
    return Pair(spans.previous(after), after)


class PartSerializer(serializers.Serializer[Part]):
    name = serializers.CharField()
    before = MoneyField(source="cell.before", allow_null=True)
    after = MoneyField(source="cell.after", allow_null=True)
    change = MoneyField(source="cell.change")


class DriverSerializer(serializers.Serializer[Driver]):
    service = serializers.CharField()
    account = serializers.CharField(allow_null=True, help_text="Its 12-digit number; null where told by a tag.")
    tag_value = serializers.CharField(
        allow_null=True, help_text="Of the tag that is told by: `$none`, `$untagged` and `$empty` are no values; else null."
    )
    region = serializers.CharField(allow_null=True, help_text="Null where AWS does not tell it for this account; see `regions`.")
    kind = serializers.CharField(source="cell.kind", help_text="new, gone, more or less")
    before = MoneyField(source="cell.before", allow_null=True)
    after = MoneyField(source="cell.after", allow_null=True)
    change = MoneyField(source="cell.change")
    regions = PartSerializer(many=True, help_text="Of the service over all accounts, those that moved most.")
    usage_types = PartSerializer(many=True, help_text="Of the service over all accounts, those that moved most.")


class ChangesSerializer(serializers.Serializer[Changes]):
    by = serializers.CharField(source="by.word", help_text="`account`, or `tag:<Key>`.")
    before = DaysSerializer(source="compared.before")
    after = DaysSerializer(source="compared.after")
    currency = serializers.CharField(allow_null=True)
    total_before = MoneyField(source="total.before", default=None, allow_null=True)
    total_after = MoneyField(source="total.after", default=None, allow_null=True)
    change = MoneyField(source="total.change", default=None, allow_null=True)
    residual = MoneyField(
        allow_null=True, help_text="The change that no driver tells: drivers, others and it add up to `change`."
    )
    complete = serializers.BooleanField(source="is_whole", help_text="Both spans are known for every account.")
    cut = serializers.BooleanField(source="is_cut", help_text="Days that are not complete yet were left out.")
    drivers = DriverSerializer(many=True, source="first_drivers")
    others = MoneyField(help_text=f"The change of the drivers beyond the first {selectors.SHOWN}.")


class CostChanges(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ChangesParameters], responses=ChangesSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """What made the later span cost more or less than the earlier one, by service and account or tag, of complete days only.

        400 `not_stored` where costs are not stored by the tag.
        """
        given = valid(ChangesParameters, request)
        found = selectors.changes(
            Reader(reader(request), given["account"]),
            pair(given),
            clock.today(),
            metric=Metric(given["metric"]),
            currency=given["currency"],
            by=given["by"],
        )
        return Response(ChangesSerializer(found).data)
