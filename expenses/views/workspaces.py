"""Workspaces: making a shared one, and saying who is in it as what."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.models.workspaces import ROLES
from expenses.rules.statuses import MemberRole
from expenses.selectors import memberships
from expenses.selectors import workspaces as selectors
from expenses.services import workspaces as services
from expenses.views.place import back, place_in, place_of


class Workspaces(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        context = {
            "place": place,
            "tab": "workspace",
            "mine": memberships.mine(request.user),
            "members": memberships.members(request.user, place.workspace),
            "roles": ROLES,
        }
        return render(request, "expenses/workspaces.html", context)

    def post(self, request: SignedInRequest) -> HttpResponse:
        given = request.POST
        try:
            made = services.create(
                name=given.get("name", ""),
                currency=given.get("currency", "").strip().upper(),
                needs_approval="needs_approval" in given,
                by=request.user,
            )
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return back(place_of(request), "workspaces")
        messages.success(request, f"Made the workspace “{made.name}”. Let others in below.")
        return back(place_in(request.user, made), "workspaces")


class ChangeWorkspace(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        workspace, given = selectors.get_for(request.user, pk), request.POST
        try:
            services.change(
                workspace=workspace,
                name=given.get("name", ""),
                currency=given.get("currency", "").strip().upper(),
                needs_approval="needs_approval" in given,
                by=request.user,
            )
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, "Saved.")
        return back(place_in(request.user, selectors.get_for(request.user, pk)), "workspaces")


class ChangeMember(Page):
    """Let somebody in by name, change their role, or take them out."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        workspace, given = selectors.get_for(request.user, pk), request.POST
        person = memberships.person_by_name(given.get("username", ""))
        role = given.get("role", "")
        try:
            selectors.require(request.user, workspace, MemberRole.MANAGER)
            if person is None:
                messages.error(request, "Nobody has this name.")
            elif role in list(MemberRole):
                services.put_member(workspace=workspace, user=person, role=MemberRole(role), by=request.user)
            else:
                services.remove_member(workspace=workspace, user=person, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return back(place_in(request.user, workspace), "workspaces")
