from __future__ import annotations

from django.contrib import admin

from audit.models import AuditEvent, AuditHead
from cloudconsole.core.admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "actor_name", "sentence", "account_alias", "outcome")
    list_filter = ("outcome", "action")
    search_fields = ("actor_name", "subject", "account_alias", "account_number", "target", "request_id")


@admin.register(AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    list_display = ("seq", "hash")
