"""The admin of resources: everything to look at; of a source only how often it is asked may change, through its service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.models import User
from resources.models import (
    Bucket,
    Function,
    Instance,
    InstancePrice,
    InventorySource,
    InventorySync,
    Operation,
    OperationCall,
    SavedView,
    Scan,
    StateTransition,
)
from resources.services.inventory import sources


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """To look at. Nobody adds, changes or removes a row here."""

    actions = None
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class TransitionInline(TabularInline):  # type: ignore[misc]
    model = StateTransition
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(InventorySource)
class InventorySourceAdmin(ReadOnlyAdmin):
    list_display = ["account", "interval_s", "next_sync_at"]
    list_select_related = ["account"]
    search_fields = ["account__alias", "account__account_id"]
    readonly_fields = ["account", "next_sync_at"]

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return isinstance(request.user, User) and request.user.is_admin

    def save_model(self, request: HttpRequest, obj: InventorySource, form: Any, change: bool) -> None:
        if isinstance(request.user, User):
            sources.set_interval(source=obj, seconds=form.cleaned_data["interval_s"], by=request.user)


@admin.register(InventorySync)
class InventorySyncAdmin(ReadOnlyAdmin):
    list_display = ["id", "trigger", "status", "done", "total", "failed", "rows", "created_at", "finished_at"]
    list_filter = ["status", "trigger"]


@admin.register(Scan)
class ScanAdmin(ReadOnlyAdmin):
    list_display = ["account", "region", "service", "status", "code", "observed_at", "attempted_at", "rows"]
    list_filter = ["status", "service"]
    list_select_related = ["account"]
    search_fields = ["account__alias", "region", "code"]


@admin.register(Instance)
class InstanceAdmin(ReadOnlyAdmin):
    list_display = ["instance_id", "name", "account", "region", "state", "instance_type", "observed_at", "gone_at"]
    list_filter = ["state", "region"]
    list_select_related = ["account"]
    search_fields = ["instance_id", "name", "account__alias"]
    inlines = [TransitionInline]


@admin.register(Bucket)
class BucketAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "size_bytes", "object_count", "measured_on", "observed_at", "gone_at"]
    list_filter = ["region", "versioning"]
    list_select_related = ["account"]
    search_fields = ["name", "account__alias"]


@admin.register(Function)
class FunctionAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "runtime", "state", "invocations_24h", "errors_24h", "observed_at", "gone_at"]
    list_filter = ["runtime", "state", "region"]
    list_select_related = ["account"]
    search_fields = ["name", "account__alias"]


@admin.register(InstancePrice)
class InstancePriceAdmin(ReadOnlyAdmin):
    list_display = ["instance_type", "operating_system", "region", "amount", "currency", "effective_on", "fetched_at"]
    search_fields = ["instance_type", "region"]


@admin.register(SavedView)
class SavedViewAdmin(ReadOnlyAdmin):
    list_display = ["user", "page", "name", "created_at"]
    list_select_related = ["user"]


class CallInline(TabularInline):  # type: ignore[misc]
    model = OperationCall
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Operation)
class OperationAdmin(ReadOnlyAdmin):
    list_display = [
        "id",
        "action",
        "target",
        "account",
        "environment",
        "status",
        "phase",
        "requested_by",
        "approved_by",
        "created_at",
    ]
    list_filter = ["status", "action", "environment"]
    list_select_related = ["account", "requested_by", "approved_by"]
    search_fields = ["target", "target_name", "account__alias"]
    exclude = ["lease_token"]
    inlines = [CallInline]
