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
    CostExplorerRequest,
    CostFact,
    CostMonth,
    CostMonthSlice,
    CostRestatement,
    CostSlice,
    CostSnapshot,
    CostSource,
    DimensionValue,
    SavedReport,
    SnapshotWindow,
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


class _WindowInline(TabularInline):  # type: ignore[misc]
    model = SnapshotWindow
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


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


@admin.register(SavedReport)
class SavedReportAdmin(ReadOnlyAdmin):
    list_display = ["name", "user", "query", "updated_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__username"]
