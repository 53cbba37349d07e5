"""Keys in Django's admin: one's own, as everywhere. Those of others are in no admin page, and no secret is."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from cloudconsole.core.admin import ReadOnlyAdmin
from cloudconsole.core.permissions import Perm
from gateway.models import ApiKey, RateWindow, RequestLog


class OwnAdmin(ReadOnlyAdmin):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return cast("QuerySet[Any]", self.model._default_manager.visible_to(request.user, Perm.SELF))


@admin.register(ApiKey)
class ApiKeyAdmin(OwnAdmin):
    list_display = ["api_name", "owner", "base_url", "auth_scheme", "enabled", "expires_at", "last_used_at"]
    list_filter = ["enabled", "auth_scheme"]
    search_fields = ["api_name", "owner__username", "base_url"]
    list_select_related = ["owner"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.list_display, "allowed_methods", "allowed_paths", "rotated_at", "created_at", "updated_at"]


@admin.register(RequestLog)
class RequestLogAdmin(OwnAdmin):
    list_display = ["at", "user", "api_name", "method", "host", "status", "error", "duration_ms"]
    list_filter = ["via", "method", "error"]
    search_fields = ["api_name", "host"]
    list_select_related = ["user"]


@admin.register(RateWindow)
class RateWindowAdmin(OwnAdmin):
    list_display = ["key", "policy", "unit", "limit", "remaining", "reset_at", "is_manual", "source", "observed_at"]
    list_filter = ["is_manual", "dialect"]
    list_select_related = ["key"]
    search_fields = ["key__api_name"]
