"""The pages about people, for those who manage them."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.forms.people import GrantsForm, InvitationForm, PeopleFilterForm, RoleForm
from accounts.models import Grant, User
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as account_selectors
from accounts.selectors import invitations as invitation_selectors
from accounts.selectors import people as selectors
from accounts.services import invitations, people, second_factors
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm, Role

PAGE_SIZE = 50


class PeopleList(Page):
    permission = Perm.PEOPLE_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        filters = PeopleFilterForm(request.GET)
        filters.full_clean()
        given: dict[str, str] = filters.cleaned_data
        present = Grant.objects.filter(account__deleted_at=None).select_related("account").order_by("account__alias")
        found = selectors.visible(request.user).filter(_matching(given)).prefetch_related(Prefetch("grants", present))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "filters": filters,
            "filtered": any(given.values()),
            "summary": f"{page.paginator.count} {'person' if page.paginator.count == 1 else 'people'}",
            "invitations": invitation_selectors.open_ones(request.user),
            "signup": settings.SIGNUP,
        }
        return render(request, "people/list.html", context)


class PersonDetail(Page):
    permission = Perm.PEOPLE_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return show(request, selectors.get_for(request.user, pk))


@method_decorator(never_cache, name="dispatch")
class Invite(Page):
    permission = Perm.PEOPLE_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        return self._show(request, InvitationForm())

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = InvitationForm(request.POST)
        if not form.is_valid():
            return self._show(request, form, status=400)
        given = form.cleaned_data
        try:
            made = invitations.invite(by=request.user, **{**given, "role": Role(given["role"])})
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        link = request.build_absolute_uri(reverse("join", args=[made.key]))
        sent = _send(request, made, link)
        return render(request, "people/invited.html", {"invitation": made.invitation, "link": link, "sent": sent})

    def _show(self, request: SignedInRequest, form: InvitationForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "signup": settings.SIGNUP, "mail": settings.EMAIL_CONFIGURED}
        return render(request, "people/invite.html", context, status=status)


class RevokeInvitation(Page):
    permission = Perm.PEOPLE_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        invitation = invitation_selectors.get_for(request.user, pk)
        invitations.revoke(invitation=invitation, by=request.user)
        messages.success(request, "The invitation is taken back; its link leads nowhere now.")
        return redirect("people:list")


class _Deed(Page):
    """One thing that an admin does to one person; afterwards the person's page says how it went."""

    permission = Perm.PEOPLE_MANAGE
    done = ""

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        person = selectors.get_for(request.user, pk)
        try:
            self.act(request, person)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, self.done.format(name=person.username))
        return redirect("people:detail", pk=person.pk)

    def act(self, request: SignedInRequest, person: User) -> None:
        raise NotImplementedError


class ChangeRole(_Deed):
    done = "{name} has the new role from the next request on."

    def act(self, request: SignedInRequest, person: User) -> None:
        form = RoleForm(request.POST)
        if not form.is_valid():
            raise people.InvalidPerson("Choose one of the roles.", attr="role")
        people.change_role(user=person, role=Role(form.cleaned_data["role"]), by=request.user)


class ReplaceGrants(_Deed):
    done = "What {name} may use is saved."

    def act(self, request: SignedInRequest, person: User) -> None:
        form = grants_form(request, person, request.POST)
        if not form.is_valid():
            raise people.InvalidPerson("Choose one of the roles for each account.", attr="role")
        people.replace_grants(user=person, grants=form.grants(), by=request.user)


class Deactivate(_Deed):
    done = "{name} is deactivated: every session and token is ended."

    def act(self, request: SignedInRequest, person: User) -> None:
        people.deactivate(user=person, by=request.user)


class Reactivate(_Deed):
    done = "{name} may sign in again."

    def act(self, request: SignedInRequest, person: User) -> None:
        people.activate(user=person, by=request.user)


class SignOut(_Deed):
    done = "Every session and token of {name} is ended."

    def act(self, request: SignedInRequest, person: User) -> None:
        people.sign_out_everywhere(user=person, by=request.user)


class RemoveSecondFactor(_Deed):
    done = "{name} signs in by password alone until they add a second factor again."

    def act(self, request: SignedInRequest, person: User) -> None:
        second_factors.remove_all(user=person, by=request.user)


@method_decorator(never_cache, name="dispatch")
class PasswordLink(Page):
    """A link with which one person sets a new password, for an admin to hand over. It is on this answer only."""

    permission = Perm.PEOPLE_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        person = selectors.get_for(request.user, pk)
        people.password_link_was_made(user=person, by=request.user)
        key = f"{user_pk_to_url_str(person)}-{default_token_generator.make_token(person)}"
        return show(request, person, password_link=get_adapter(request).get_reset_password_from_key_url(key))


def show(request: SignedInRequest, person: User, *, password_link: str = "") -> HttpResponse:
    context = {
        "person": person,
        "role_form": RoleForm(initial={"role": person.role}),
        "grants_form": grants_form(request, person),
        "grants": selectors.grants_of(person),
        "tokens": selectors.token_count(person),
        "has_second_factor": second_factors.is_asked_of(person),
        "is_oneself": person.pk == request.user.pk,
        "password_link": password_link,
    }
    return render(request, "people/detail.html", context)


def grants_form(request: SignedInRequest, person: User, data: Any = None) -> GrantsForm:
    accounts = list(account_selectors.visible(request.user))
    return GrantsForm(data, accounts=accounts, granted=selectors.grants_of(person))


def _matching(given: dict[str, str]) -> Q:
    found = Q()
    if text := given.get("search", ""):
        found &= (
            Q(username__icontains=text) | Q(email__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
        )
    if role := given.get("role", ""):
        found &= Q(role=role)
    if state := given.get("state", ""):
        found &= Q(is_active=state == "active")
    return found


def _send(request: SignedInRequest, made: invitations.Invited, link: str) -> bool:
    """Whether the link went out by mail; the page shows it in any case."""
    if not (settings.EMAIL_CONFIGURED and made.invitation.email):
        return False
    context = {"link": link, "invitation": made.invitation, "invited_by": request.user}
    try:
        get_adapter(request).send_mail("account/email/invitation", made.invitation.email, context)
    except CloudconsoleError as error:
        messages.error(request, f"{error.detail} Hand the link over yourself.")
        return False
    return True
