"""The admin of resources: everything to look at; of a source only how often it is asked may change, through its service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from accounts.models import User
from resources.models import (
    Address,
    Bucket,
    Decision,
    Function,
    Instance,
    InstancePrice,
    InventorySource,
    InventorySync,
    ListPrice,
    LoadBalancer,
    LogGroup,
    ModelMinute,
    Operation,
    OperationCall,
    Quota,
    QuotaIncrease,
    QuotaPlace,
    SavedView,
    ScalingRule,
    Scan,
    Schedule,
    Slot,
    Snapshot,
    StateTransition,
    Volume,
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
    readonly_fields = ["account", "next_sync_at", "next_billed_at"]

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


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    list_display = ["name", "state", "owner", "zone", "next_at"]
    list_filter = ["state", "mode"]
    list_select_related = ["owner"]


@admin.register(Slot)
class SlotAdmin(ReadOnlyAdmin):
    list_display = ["plan_name", "at", "deed", "trial", "status", "matched", "detail"]
    list_filter = ["status", "deed", "trial"]
    list_select_related = ["schedule", "rule"]


@admin.register(ScalingRule)
class ScalingRuleAdmin(ReadOnlyAdmin):
    list_display = ["name", "owner", "state", "account", "region", "watched", "metric", "value", "read_at", "next_at", "failures"]
    list_filter = ["state", "metric", "kind"]
    list_select_related = ["owner", "account"]
    search_fields = ["name", "watched", "account__alias"]


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ["slot", "account", "instance_id", "outcome", "reason", "at"]
    list_filter = ["outcome"]
    list_select_related = ["slot__schedule", "slot__rule", "account"]
    search_fields = ["instance_id", "instance_name"]


@admin.register(Volume)
class VolumeAdmin(ReadOnlyAdmin):
    list_display = ["volume_id", "name", "account", "region", "volume_type", "size_gib", "attached_to", "observed_at", "gone_at"]
    list_filter = ["region", "volume_type"]
    list_select_related = ["account"]
    search_fields = ["volume_id", "name", "account__alias"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ["snapshot_id", "name", "account", "region", "volume_id", "volume_gib", "started_at", "image_id", "gone_at"]
    list_filter = ["region", "state"]
    list_select_related = ["account"]
    search_fields = ["snapshot_id", "volume_id", "account__alias"]


@admin.register(Address)
class AddressAdmin(ReadOnlyAdmin):
    list_display = ["public_ip", "name", "account", "region", "associated_with", "managed_by", "observed_at", "gone_at"]
    list_filter = ["region"]
    list_select_related = ["account"]
    search_fields = ["public_ip", "allocation_id", "account__alias"]


@admin.register(LoadBalancer)
class LoadBalancerAdmin(ReadOnlyAdmin):
    list_display = ["name", "kind", "account", "region", "groups", "targets", "healthy", "observed_at", "gone_at"]
    list_filter = ["region", "kind"]
    list_select_related = ["account"]
    search_fields = ["name", "account__alias"]


@admin.register(LogGroup)
class LogGroupAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "stored_bytes", "retention_days", "observed_at", "gone_at"]
    list_filter = ["region"]
    list_select_related = ["account"]
    search_fields = ["name", "account__alias"]


@admin.register(ListPrice)
class ListPriceAdmin(ReadOnlyAdmin):
    list_display = ["product", "region", "amount", "currency", "effective_on", "fetched_at"]
    list_filter = ["product"]


@admin.register(Quota)
class QuotaAdmin(ReadOnlyAdmin):
    list_display = ["name", "account", "region", "state", "pressure", "usage_at"]
    list_filter = ["state", "kind", "region"]
    list_select_related = ["account"]
    search_fields = ["name", "code", "account__alias"]


@admin.register(QuotaPlace)
class QuotaPlaceAdmin(ReadOnlyAdmin):
    list_display = ["account", "region", "limits_at", "limits_code", "usage_at", "usage_code"]
    list_select_related = ["account"]
    search_fields = ["account__alias", "region"]


@admin.register(QuotaIncrease)
class QuotaIncreaseAdmin(ReadOnlyAdmin):
    list_display = ["quota", "desired", "status", "created_at"]
    list_select_related = ["quota"]
    search_fields = ["quota__name", "aws_id"]


@admin.register(ModelMinute)
class ModelMinuteAdmin(ReadOnlyAdmin):
    list_display = ["model_id", "account", "region", "at", "input_tokens", "output_tokens", "throttles"]
    list_select_related = ["account"]
    search_fields = ["model_id"]
