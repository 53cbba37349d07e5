"""/api/costs/tags: which cost allocation tags there are, which are fetched, and how much of the money carries them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AwsAccount
from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import DayField, ScopeParameters, check_range, reader, valid
from costs.models import CostSource, SourceTag
from costs.models.tags import KEY_LENGTH
from costs.rules.windows import DayRange, first_of_month, tomorrow
from costs.selectors import tag_choices, tag_coverage
from costs.selectors.costs import Reader
from costs.selectors.tag_choices import Choices
from costs.services import snapshots, tags
from costs.services.tags import Wanted


class SourceTagSerializer(serializers.ModelSerializer[SourceTag]):
    key = serializers.CharField(source="tag.key")
    chosen = serializers.BooleanField(source="is_chosen", help_text="Refreshes ask for its costs.")

    class Meta:
        model = SourceTag
        fields = ["key", "status", "kind", "last_updated_on", "last_used_on", "listed_at", "chosen", "by_account", "chosen_at"]
        read_only_fields = fields


class ChoicesSerializer(serializers.Serializer[Choices]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    listed_at = serializers.DateTimeField(allow_null=True, help_text="When AWS was last asked which tags there are.")
    monthly_requests = serializers.IntegerField(help_text="Of the chosen tags, if every answer has one page.")
    monthly_price = MoneyField(help_text="In USD.")
    tags = SourceTagSerializer(source="rows", many=True)


class TagParameters(serializers.Serializer[Any]):
    account = serializers.ListField(child=serializers.CharField(max_length=63), required=False, default=list)


class WantedSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=KEY_LENGTH, trim_whitespace=False)
    by_account = serializers.BooleanField(default=False, help_text="Of a payer, also by account: one more request each day.")


class OneAccountSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, help_text="Id, alias or 12-digit number.")


class ChosenSerializer(OneAccountSerializer):
    tags = WantedSerializer(many=True, help_text="Exactly these are fetched from now on.")


class ChosenAnswerSerializer(ChoicesSerializer):
    snapshot = serializers.IntegerField(allow_null=True, help_text="The run that fetches the history of what is new.")


class Tags(ApiView):
    permission = {"GET": Perm.COSTS_VIEW, "PUT": Perm.COSTS_REFRESH}
    object_decides = True

    @extend_schema(parameters=[TagParameters], responses=ChoicesSerializer(many=True), tags=["costs"])
    def get(self, request: Request) -> Response:
        """The tags of every account that is asked by itself or told by billing files, as those named them, and which are
        chosen."""
        given = TagParameters(data=request.query_params)
        given.is_valid(raise_exception=True)
        accounts = aws_accounts.accounts_in_scope(reader(request), Perm.COSTS_VIEW, given.validated_data["account"])
        found = tag_choices.choices(reader(request), accounts)
        return Response([ChoicesSerializer(one).data for one in found])

    @extend_schema(request=ChosenSerializer, responses=ChosenAnswerSerializer, tags=["costs"])
    def put(self, request: Request) -> Response:
        """Choose what is fetched. The history of what is new is asked at once; every page costs $0.01. Billing files are read by
        the chosen tags as well, those that are stored once more.

        400 `unknown_tag`, 409 `inactive_tag`, `covered_by_payer`, `request_cap_reached`.
        """
        named = OneAccountSerializer(data=request.data)
        named.is_valid(raise_exception=True)
        source = snapshots.source_called(account=named.validated_data["account"], by=reader(request))
        body = ChosenSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = [Wanted(one["key"], one["by_account"]) for one in body.validated_data["tags"]]
        run = tags.choose(source=source, wanted=wanted, by=reader(request))
        return Response({**_choices(request, source), "snapshot": run.snapshot.pk if run else None})


class TagList(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=OneAccountSerializer, responses=ChoicesSerializer, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Ask AWS which tags there are: one paid request, two for an account that may not see their activation."""
        body = OneAccountSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        source = snapshots.source_called(account=body.validated_data["account"], by=reader(request))
        tags.refresh_list(source=source, by=reader(request))
        return Response(_choices(request, source))


def _choices(request: Request, source: CostSource) -> Any:
    found: Iterable[AwsAccount] = [source.account]
    return ChoicesSerializer(tag_choices.choices(reader(request), list(found))[0]).data


# --- coverage


class CoverageParameters(ScopeParameters):
    key = serializers.CharField(max_length=KEY_LENGTH, trim_whitespace=False, help_text="The tag's key.")
    start = DayField(default=lambda: first_of_month(clock.today()), help_text="First day. Default: this month.")
    end = DayField(default=lambda: tomorrow(clock.today()), help_text="The day after the last. Default: tomorrow.")

    def validate(self, attrs: Any) -> Any:
        check_range(attrs["start"], attrs["end"])
        return attrs


class CoveredSerializer(serializers.Serializer[Any]):
    total = MoneyField()
    tagged = MoneyField()
    untagged = MoneyField(help_text="No tag, or an empty value.")
    untagged_empty = MoneyField(source="empty", help_text="Of it, known to have an empty value: billing files tell that.")
    untagged_absent = MoneyField(source="absent", help_text="Of it, known to have no tag: billing files tell that.")
    share = MoneyField(allow_null=True, help_text="Tagged, of the total; null where the total is not positive.")


class NamedCoveredSerializer(CoveredSerializer):
    key = serializers.CharField(help_text="AWS's name of the service, or the account's number.")


class CoverageSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    start = serializers.DateField(source="days.start")
    end = serializers.DateField(source="days.end", help_text="Exclusive.")
    metric = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    total = MoneyField(allow_null=True)
    residual = MoneyField(help_text="In the total, but not told by this tag. Tagged, untagged and it add up to the total.")
    complete = serializers.BooleanField(source="is_complete")
    whole = CoveredSerializer()
    by_service = NamedCoveredSerializer(many=True, help_text="What most money is untagged in comes first.")
    by_account = NamedCoveredSerializer(many=True, allow_null=True, help_text="Null where not stored by tag and account.")


class TagCoverage(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[CoverageParameters], responses=CoverageSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """How much of the money carries a tag, by service and by account. Never asks AWS."""
        given = valid(CoverageParameters, request)
        found = tag_coverage.coverage(
            Reader(reader(request), given["account"]),
            given["key"],
            DayRange(given["start"], given["end"]),
            metric=Metric(given["metric"]),
            currency=given["currency"],
        )
        return Response(CoverageSerializer(found).data)
