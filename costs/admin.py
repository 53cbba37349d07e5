"""The admin of costs: facts and runs are read only, of a source only its cap may change, through its service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import TabularInline

from accounts.models import User
from cloudconsole.core.admin import ReadOnlyAdmin
from costs.models import (
    METRICS,
    AnomalyFeedback,
    AnomalyMute,
    AnomalyRule,
    AnomalyWatch,
    AwsAnomaly,
    AwsAnomalyAnswer,
    AwsForecast,
    AwsForecastPoint,
    BillingBucket,
    Budget,
    BudgetAlert,
    BudgetEvaluation,
    BudgetThreshold,
    CostAnomaly,
    CostAnomalyDay,
    CostExplorerRequest,
    CostFact,
    CostImport,
    CostMonth,
    CostMonthSlice,
    CostRestatement,
    CostRollup,
    CostRollupSlice,
    CostSlice,
    CostSnapshot,
    CostSource,
    DimensionValue,
    HubItem,
    ImportedPeriod,
    ImportRejection,
    MonthClose,
    MonthDifference,
    MonthFigure,
    MonthRestatement,
    Recommendation,
    RolledMonth,
    RollupMark,
    SavedReport,
    SavingsSource,
    SnapshotWindow,
    SourceTag,
    TagKey,
)
from costs.services import sources


@admin.register(CostSource)
class CostSourceAdmin(ReadOnlyAdmin):
    list_display = ["account", "scope", "status", "covered_by", "fresh_at", "next_refresh_at", "monthly_request_cap"]
    list_filter = ["status", "scope"]
    list_select_related = ["account", "covered_by__account"]
    search_fields = ["account__alias", "account__account_id"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return isinstance(request.user, User) and request.user.is_admin

    def get_readonly_fields(self, request: HttpRequest, obj: CostSource | None = None) -> list[str]:
        return [field.name for field in CostSource._meta.fields if field.name != "monthly_request_cap"]

    def save_model(self, request: HttpRequest, obj: CostSource, form: Any, change: bool) -> None:
        if isinstance(request.user, User):
            sources.set_cap(source=obj, cap=obj.monthly_request_cap, by=request.user)


class _ReadOnlyInline(TabularInline):  # type: ignore[misc]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _WindowInline(_ReadOnlyInline):
    model = SnapshotWindow


@admin.register(CostSnapshot)
class CostSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "trigger", "status", "start", "end", "requests", "rows", "restated", "created_at"]
    list_filter = ["status", "trigger"]
    list_select_related = ["source__account"]
    exclude = ["lease_token"]
    inlines = [_WindowInline]


@admin.register(SnapshotWindow)
class SnapshotWindowAdmin(ReadOnlyAdmin):
    list_display = ["snapshot", "cube", "start", "end", "status", "pages", "rows", "error_code"]
    list_filter = ["status", "cube"]
    list_select_related = ["snapshot__source__account"]


@admin.register(CostExplorerRequest)
class CostExplorerRequestAdmin(ReadOnlyAdmin):
    list_display = ["at", "account", "operation", "page", "outcome", "charged", "aws_request_id", "duration_ms"]
    list_filter = ["outcome", "charged"]
    list_select_related = ["account"]


@admin.register(CostRestatement)
class CostRestatementAdmin(ReadOnlyAdmin):
    list_display = ["source", "day", "currency", "unblended_before", "unblended_after", "detected_at"]
    list_select_related = ["source__account"]


@admin.register(DimensionValue)
class DimensionValueAdmin(ReadOnlyAdmin):
    list_display = ["dimension", "value", "label"]
    list_filter = ["dimension"]
    search_fields = ["value", "label"]


@admin.register(CostFact)
class CostFactAdmin(ReadOnlyAdmin):
    list_display = ["day", "source", "cube", "first", "second", "currency", "unblended", "amortized"]
    list_filter = ["cube"]
    list_select_related = ["source__account", "first", "second"]


@admin.register(CostMonth)
class CostMonthAdmin(ReadOnlyAdmin):
    list_display = ["month", "source", "cube", "first", "second", "currency", "unblended", "amortized"]
    list_filter = ["cube"]
    list_select_related = ["source__account", "first", "second"]


@admin.register(CostSlice)
class CostSliceAdmin(ReadOnlyAdmin):
    list_display = ["day", "source", "cube", "rows", "estimated", "complete", "unblended", "fetched_at"]
    list_filter = ["cube", "complete"]
    list_select_related = ["source__account"]


@admin.register(CostMonthSlice)
class CostMonthSliceAdmin(ReadOnlyAdmin):
    list_display = ["month", "source", "cube", "days", "complete_days", "estimated_days", "unblended"]
    list_filter = ["cube"]
    list_select_related = ["source__account"]


@admin.register(CostRollup)
class CostRollupAdmin(ReadOnlyAdmin):
    list_display = ["day", "is_month", "cube", "kept", "first_id", "second_id", "facts", "currency", "unblended", "amortized"]
    list_filter = ["cube", "kept", "is_month"]


@admin.register(CostRollupSlice)
class CostRollupSliceAdmin(ReadOnlyAdmin):
    list_display = ["day", "is_month", "cube", "days", "complete_days", "estimated_days", "unblended"]
    list_filter = ["cube", "is_month"]


@admin.register(RolledMonth)
class RolledMonthAdmin(ReadOnlyAdmin):
    list_display = ["month", "cube", "builds"]
    list_filter = ["cube"]


@admin.register(RollupMark)
class RollupMarkAdmin(ReadOnlyAdmin):
    list_display = ["start", "end", "cube"]
    list_filter = ["cube"]


@admin.register(SavedReport)
class SavedReportAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "query", "updated_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]


@admin.register(BillingBucket)
class BillingBucketAdmin(ReadOnlyAdmin):
    list_display = ["bucket", "prefix", "account", "engine", "by_itself", "checked_at", "error_code"]
    list_filter = ["engine"]
    list_select_related = ["account"]


@admin.register(CostImport)
class CostImportAdmin(ReadOnlyAdmin):
    list_display = ["id", "name", "format", "status", "lines", "faulty", "facts", "requested_by", "created_at"]
    list_filter = ["status", "format"]
    list_select_related = ["requested_by"]
    exclude = ["lease_token"]


@admin.register(ImportedPeriod)
class ImportedPeriodAdmin(ReadOnlyAdmin):
    list_display = ["month", "number", "currency", "unblended", "amortized", "owner", "cost_import"]
    list_filter = ["owner"]
    list_select_related = ["cost_import"]


@admin.register(ImportRejection)
class ImportRejectionAdmin(ReadOnlyAdmin):
    list_display = ["cost_import", "line", "column", "value", "reason"]
    list_select_related = ["cost_import"]


@admin.register(CostAnomaly)
class CostAnomalyAdmin(ReadOnlyAdmin):
    list_display = ["service", "account_number", "region", "status", "found_by", "started_on", "last_day", "impact", "currency"]
    list_filter = ["status", "kind", "found_by", "assessment"]
    list_select_related = ["source__account"]
    search_fields = ["service", "account_number", "region"]


@admin.register(CostAnomalyDay)
class CostAnomalyDayAdmin(ReadOnlyAdmin):
    list_display = ["anomaly", "day", "actual", "expected", "limit", "is_unusual"]
    list_filter = ["is_unusual"]
    list_select_related = ["anomaly"]


@admin.register(AnomalyFeedback)
class AnomalyFeedbackAdmin(ReadOnlyAdmin):
    list_display = ["anomaly", "assessment", "note", "by", "at"]
    list_filter = ["assessment"]
    list_select_related = ["anomaly", "by"]


@admin.register(AnomalyMute)
class AnomalyMuteAdmin(ReadOnlyAdmin):
    list_display = ["service", "account_number", "region", "until", "created_by", "created_at", "lifted_at"]
    list_select_related = ["created_by"]
    search_fields = ["service", "account_number", "region"]


@admin.register(AnomalyRule)
class AnomalyRuleAdmin(ReadOnlyAdmin):
    list_display = ["account_number", "currency", "floor", "percent", "sensitivity", "updated_by", "updated_at"]
    list_select_related = ["updated_by"]


@admin.register(AnomalyWatch)
class AnomalyWatchAdmin(ReadOnlyAdmin):
    list_display = ["source", "judged_through", "judged_at", "asked", "answered"]
    list_select_related = ["source__account"]


class _FigureInline(_ReadOnlyInline):
    model = MonthFigure
    fields = ["cube", "service", "currency", "rows", *METRICS]


@admin.register(MonthClose)
class MonthCloseAdmin(ReadOnlyAdmin):
    list_display = ["source", "month", "facts", "frozen_at", "is_checked", "digest"]
    list_filter = ["month"]
    list_select_related = ["source__account"]
    inlines = [_FigureInline]


class _DifferenceInline(_ReadOnlyInline):
    model = MonthDifference
    fields = ["service", "currency", "unblended_before", "unblended_after"]


@admin.register(MonthRestatement)
class MonthRestatementAdmin(ReadOnlyAdmin):
    list_display = ["close", "detected_at", "snapshot", "digest"]
    list_select_related = ["close__source__account"]
    inlines = [_DifferenceInline]


@admin.register(TagKey)
class TagKeyAdmin(ReadOnlyAdmin):
    list_display = ["key", "id"]
    search_fields = ["key"]


@admin.register(SourceTag)
class SourceTagAdmin(ReadOnlyAdmin):
    list_display = ["source", "tag", "status", "kind", "is_chosen", "by_account", "chosen_by", "chosen_at", "listed_at"]
    list_filter = ["status", "kind", "is_chosen"]
    list_select_related = ["source__account", "tag", "chosen_by"]
    search_fields = ["tag__key"]


@admin.register(Recommendation)
class RecommendationAdmin(ReadOnlyAdmin):
    list_display = ["kind", "account", "region", "resource_id", "status", "amount", "currency", "confidence", "last_seen_at"]
    list_filter = ["status", "kind", "confidence"]
    list_select_related = ["account"]
    search_fields = ["resource_id", "name"]


@admin.register(SavingsSource)
class SavingsSourceAdmin(ReadOnlyAdmin):
    list_display = ["account", "judged_at", "hub_status", "hub_read_at", "next_hub_at"]
    list_filter = ["hub_status"]
    list_select_related = ["account"]


@admin.register(HubItem)
class HubItemAdmin(ReadOnlyAdmin):
    list_display = ["account", "number", "action", "resource_type", "resource_id", "saving", "currency", "read_at"]
    list_filter = ["action"]
    list_select_related = ["account"]


@admin.register(AwsAnomaly)
class AwsAnomalyAdmin(ReadOnlyAdmin):
    list_display = ["aws_id", "source", "service", "account_number", "started_on", "last_day", "impact", "feedback"]
    list_select_related = ["source__account"]
    search_fields = ["aws_id", "service", "account_number"]


@admin.register(AwsAnomalyAnswer)
class AwsAnomalyAnswerAdmin(ReadOnlyAdmin):
    list_display = ["source", "asked_at", "next_at", "monitors", "error_code"]
    list_select_related = ["source__account"]


class _ForecastPointInline(_ReadOnlyInline):
    model = AwsForecastPoint
    fields = ["start", "end", "amount", "low", "high"]


@admin.register(AwsForecast)
class AwsForecastAdmin(ReadOnlyAdmin):
    list_display = ["source", "metric", "start", "end", "status", "amount", "currency", "requested_by", "requested_at"]
    list_filter = ["status", "metric"]
    list_select_related = ["source__account", "requested_by"]
    inlines = [_ForecastPointInline]


class _ThresholdInline(TabularInline):  # type: ignore[misc]
    model = BudgetThreshold
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner_name", "every", "amount", "currency", "standing", "share", "evaluated_at", "archived_at"]
    list_filter = ["standing", "every"]
    search_fields = ["name", "owner_name"]
    exclude = ["claim"]
    inlines = [_ThresholdInline]


@admin.register(BudgetEvaluation)
class BudgetEvaluationAdmin(ReadOnlyAdmin):
    list_display = ["budget", "period_start", "day", "revision", "amount", "actual", "forecast", "standing"]
    list_filter = ["standing"]
    list_select_related = ["budget"]


@admin.register(BudgetAlert)
class BudgetAlertAdmin(ReadOnlyAdmin):
    list_display = ["budget", "period_start", "threshold", "severity", "figure", "amount", "reached_at", "below_since"]
    list_filter = ["severity", "kind"]
    list_select_related = ["budget"]
