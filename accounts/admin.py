"""Django's admin for people, grants and AWS accounts. Whatever matters goes through the services; secrets never show."""

from __future__ import annotations

from typing import Any, cast

import rest_framework_simplejwt.token_blacklist.admin  # noqa: F401 - registered there, taken out again below
from allauth.account.admin import EmailAddressAdmin  # noqa: F401 - the same
from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin  # noqa: F401 - the same
from allauth.mfa.models import Authenticator
from allauth.socialaccount import admin as _socialaccount_admin  # noqa: F401 - and these
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.admin import UserSessionAdmin  # noqa: F401 - the same
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from accounts.models import (
    Adoption,
    Alert,
    AwsAccount,
    CapabilityCheck,
    Delivery,
    Discovery,
    Grant,
    Invitation,
    KeyRotation,
    NotificationChannel,
    PersonalToken,
    User,
)
from accounts.services import aws_accounts, inputs, people
from cloudconsole.core.admin import ReadOnlyAdmin
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Role

# Groups have no meaning here, addresses are a field of the person, second factors and sessions are changed on pages that
# write it down, and tokens are nothing to read.
admin.site.unregister([Group, EmailAddress, Authenticator, UserSession, OutstandingToken, BlacklistedToken])
# Providers are named by the settings, secrets of theirs belong in no database, and people are joined to them by signing in.
admin.site.unregister([SocialApp, SocialToken, SocialAccount])

# One door: the sign-in page counts failures and writes them down.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


def _own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """One's own password is changed where everybody's is, so that it is written down once and in one way."""
    return redirect("admin:auth_user_password_change", _reader(request).pk)


admin.site.password_change = _own_password  # type: ignore[method-assign,assignment]


class _ServedAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows a service's refusal above the form instead of failing."""

    actions = None
    list_filter_submit = True

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return cast(HttpResponse, super().changeform_view(request, object_id, form_url, extra_context))
        except CloudconsoleError as refusal:
            messages.error(request, refusal.detail)
            return redirect(request.get_full_path())


@admin.register(User)
class PersonAdmin(UserAdmin, _ServedAdmin):  # type: ignore[misc,type-arg]
    """People are deactivated, not deleted: what they did keeps their name."""

    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "email", "role", "is_active", "last_login"]
    list_filter = ["role", "is_active"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "email", "first_name", "last_name"]}),
        ("What they may do", {"fields": ["role", "is_active"]}),
        ("When", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "email", "password1", "password2", "role"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        # The name is what the audit trail knows people by.
        return [*self.readonly_fields, "username"] if obj else list(self.readonly_fields)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm[User], change: bool) -> None:
        if change:
            changes = people.PersonChanges(obj.email, obj.first_name, obj.last_name, obj.role, obj.is_active)
            people.change(user=obj, changes=changes, by=_reader(request))
            return
        password = form.cleaned_data.get("password1") or ""
        new = people.NewUser(obj.username, obj.email, password, Role(obj.role))
        obj.pk = people.create_user(new=new, by=_reader(request)).pk

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            person = User.objects.get(pk=id)
            people.password_was_set(user=person, by=_reader(request))
            if person.pk == _reader(request).pk:
                update_session_auth_hash(request, person)  # one's own session goes on
        return response


@admin.register(Grant)
class GrantAdmin(_ServedAdmin):
    list_display = ["user", "account", "role"]
    list_filter = ["role"]
    autocomplete_fields = ["user"]
    search_fields = ["user__username", "account__alias"]

    def get_readonly_fields(self, request: HttpRequest, obj: Grant | None = None) -> list[str]:
        return ["user", "account"] if obj else []

    def save_model(self, request: HttpRequest, obj: Grant, form: ModelForm[Grant], change: bool) -> None:
        granted = people.give_grant(user=obj.user, account=obj.account, role=Role(obj.role), by=_reader(request))
        obj.pk = granted.pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        people.take_grant(grant=obj, by=_reader(request))


@admin.register(AwsAccount)
class AwsAccountAdmin(_ServedAdmin):
    """Accounts are connected and removed on their own pages, where credentials are proven. Here they are looked at."""

    list_display = ["alias", "account_id", "auth_method", "environment", "status", "verified_at"]
    list_filter = ["status", "environment", "auth_method"]
    search_fields = ["alias", "account_id"]
    readonly_fields = [
        "uuid", "account_id", "auth_method", "access_key_hint", "role_arn", "hub", "external_id", "identity_arn", "status",
        "status_code", "status_detail", "status_remedy", "verified_at", "credentials_expire_at", "created_by", "created_at",
    ]  # fmt: skip
    fields = ["alias", "environment", *readonly_fields]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AwsAccount]:
        return cast("QuerySet[AwsAccount]", super().get_queryset(request)).filter(deleted_at=None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AwsAccount | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AwsAccount, form: ModelForm[AwsAccount], change: bool) -> None:
        changes = inputs.AccountChanges(alias=obj.alias, environment=obj.environment)
        aws_accounts.change(account=obj, changes=changes, by=_reader(request))


@admin.register(CapabilityCheck)
class CapabilityCheckAdmin(ReadOnlyAdmin):
    list_display = ["account", "capability", "status", "aws_code", "checked_at"]
    list_filter = ["status", "capability"]
    search_fields = ["account__alias"]


@admin.register(PersonalToken)
class PersonalTokenAdmin(ReadOnlyAdmin):
    """Whose programs have access. Ending them all is on the person's own page under People."""

    list_display = ["name", "user", "hint", "scope", "created_at", "expires_at", "last_used_at"]
    list_filter = ["scope"]
    search_fields = ["name", "user__username"]
    fields = list_display


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited, by whom, and what became of it. They are made and taken back under People."""

    list_display = ["email", "role", "everywhere", "invited_by", "created_at", "expires_at", "accepted_by", "revoked_at"]
    list_filter = ["role"]
    search_fields = ["email"]
    fields = list_display


@admin.register(Adoption)
class AdoptionAdmin(ReadOnlyAdmin):
    list_display = ["name", "number", "batch", "status", "error_aws_code", "finished_at"]
    list_filter = ["status"]
    search_fields = ["name", "number"]


@admin.register(Discovery)
class DiscoveryAdmin(ReadOnlyAdmin):
    list_display = ["account", "organization_id", "management_number", "observed_at"]


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["title", "kind", "severity", "everywhere", "created_at"]
    list_filter = ["severity", "kind"]
    search_fields = ["title", "key"]


@admin.register(NotificationChannel)
class NotificationChannelAdmin(ReadOnlyAdmin):
    """Where alerts are sent. Channels are made and changed under Settings, which seals their addresses."""

    list_display = ["name", "kind", "enabled", "hint", "digest", "quiet_from", "quiet_until", "time_zone"]
    list_filter = ["kind", "enabled"]
    search_fields = ["name"]
    fields = [*list_display, "created_by", "created_at"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Every message, with what became of it. Sending again is under Settings, Notifications."""

    list_display = ["channel_name", "channel_kind", "is_test", "status", "attempts", "http_status", "error_code", "created_at"]
    list_filter = ["status", "channel_kind", "is_test"]
    search_fields = ["channel_name"]
    fields = [*list_display, "answer", "error_detail", "not_before", "finished_at"]


@admin.register(KeyRotation)
class KeyRotationAdmin(ReadOnlyAdmin):
    list_display = ["account", "status", "old_key_hint", "new_key_hint", "changed_at"]
    list_filter = ["status"]


def _reader(request: HttpRequest) -> User:
    return cast(User, request.user)
