from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from audit.models import AuditEvent, AuditHead


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]
    """To look at. Nobody adds, changes or removes a row here."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "actor_name", "sentence", "account_alias", "outcome")
    list_filter = ("outcome", "action")
    search_fields = ("actor_name", "subject", "account_alias", "account_number", "target", "request_id")
    show_full_result_count = False


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    list_display = ("seq", "hash")
