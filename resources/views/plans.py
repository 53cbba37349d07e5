"""The pages that schedules and scaling rules have in common: making, editing, switching and deleting a plan."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Generic, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.models import AwsAccount, User
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.automation import DeletionForm
from resources.services import capabilities
from resources.services.automation.plans import P, Plans
from resources.services.operations.refusals import NotConfirmed


class WantedForm(Protocol):
    """A form that says what plan somebody wants."""

    def is_valid(self) -> bool: ...

    def wanted(self) -> Any: ...

    def refuse(self, error: CloudconsoleError) -> None: ...


class PlanPage(Page, Generic[P]):
    """`detail` and `home`: the names of a plan's page and of their list; `find` raises where a plan may not be changed."""

    permission = Perm.RESOURCES_OPERATE
    find: Callable[[User, int, Perm], P]
    plans: Plans[P, Any]
    detail = ""
    home = ""

    def at(self, plan: P) -> HttpResponse:
        return redirect(reverse(self.detail, args=[plan.pk]))


class PlanForm(PlanPage[P]):
    form: Callable[..., Any]

    def show(self, request: SignedInRequest, form: Any, plan: P | None, *, status: int = HTTPStatus.OK) -> HttpResponse:
        raise NotImplementedError

    def tried(self, request: SignedInRequest, form: Any, plan: P | None) -> HttpResponse | None:
        """An answer to what was asked instead of keeping the plan."""
        return None

    def keep(self, request: SignedInRequest, plan: P | None) -> HttpResponse:
        """Make the plan that was sent, or change `plan` into it."""
        form: WantedForm = self.form(request.POST, accounts=operable(request))
        if not form.is_valid():
            return self.show(request, form, plan, status=HTTPStatus.BAD_REQUEST)
        try:
            if (answer := self.tried(request, form, plan)) is not None:
                return answer
            kept = (
                self.plans.edit(plan=plan, wanted=form.wanted(), by=request.user)
                if plan
                else self.plans.create(wanted=form.wanted(), by=request.user)
            )
        except CloudconsoleError as error:
            form.refuse(error)
            return self.show(request, form, plan, status=STATUS_OF[error.kind])
        made = f"“{kept.name}” is on trial for a week: it tells what it would do. Arm it when that is right."
        messages.success(request, "Changed. It acts with your rights from now on." if plan else made)
        return self.at(kept)


class AddPlan(PlanForm[P]):
    def initial(self, request: SignedInRequest) -> dict[str, object]:
        """What the form begins with."""
        raise NotImplementedError

    def get(self, request: SignedInRequest) -> HttpResponse:
        return self.show(request, self.form(accounts=operable(request), initial=self.initial(request)), None)

    def post(self, request: SignedInRequest) -> HttpResponse:
        return self.keep(request, None)


class EditPlan(PlanForm[P]):
    initial_of: Callable[[P], dict[str, Any]]

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        plan = self.find(request.user, pk, self.permission)
        return self.show(request, self.form(accounts=operable(request), initial=self.initial_of(plan)), plan)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return self.keep(request, self.find(request.user, pk, self.permission))


class SwitchPlan(PlanPage[P]):
    how = ""  # arm | try | pause

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        plan = self.find(request.user, pk, self.permission)
        if self.how == "arm":
            self.plans.arm(plan=plan, by=request.user)
            messages.success(request, "Armed. It acts with your rights from now on.")
        elif self.how == "try":
            self.plans.try_out(plan=plan, by=request.user)
            messages.success(request, "On trial for a week: it tells what it would do, and does nothing.")
        else:
            self.plans.pause(plan=plan, by=request.user)
            messages.success(request, "Paused. What runs or is stopped stays as it is.")
        return self.at(plan)


class DeletePlan(PlanPage[P]):
    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return self._show(request, self.find(request.user, pk, self.permission), DeletionForm())

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        plan = self.find(request.user, pk, self.permission)
        form = DeletionForm(request.POST)
        form.full_clean()
        try:
            self.plans.delete(plan=plan, confirm=form.cleaned_data.get("confirm", ""), by=request.user)
        except NotConfirmed as error:
            form.refuse(error)
            return self._show(request, plan, form, status=STATUS_OF[error.kind])
        messages.success(request, f"Deleted “{plan.name}”. What it asked for stays among the operations.")
        return redirect(self.home)

    def _show(self, request: SignedInRequest, plan: P, form: DeletionForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
        return render(request, "automation/delete.html", {"plan": plan, "form": form}, status=status)


def operable(request: SignedInRequest) -> list[AwsAccount]:
    """The accounts whose instances a plan of this person may start and stop."""
    return capabilities.operable(request.user, "ec2.operate")
