"""The pages of automation: what will start or stop next, and why something did or did not."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.forms.automation import OverrideForm, ScheduleForm, initial_of
from resources.models import Schedule
from resources.rules.schedules import Deed
from resources.selectors import automation as selectors
from resources.services import automation as services
from resources.services.automation import schedules
from resources.views.plans import AddPlan, DeletePlan, EditPlan, PlanForm, PlanPage, SwitchPlan, operable

PAGE_SIZE = 25


class ScheduleList(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        page = Paginator(selectors.visible(request.user).prefetch_related("accounts"), PAGE_SIZE).get_page(
            request.GET.get("page")
        )
        rows = [(schedule, selectors.next_edge(schedule)) for schedule in page.object_list]
        context = {"page": page, "rows": rows, "may_make": bool(operable(request))}
        return render(request, "automation/list.html", context)


class DecisionList(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        page = Paginator(selectors.decisions(request.user), PAGE_SIZE * 2).get_page(request.GET.get("page"))
        return render(request, "automation/decisions.html", {"page": page})


class ScheduleDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        schedule = selectors.get_for(request.user, pk, self.permission)
        return render(request, "automation/detail.html", _about(request, schedule) | {"override": OverrideForm()})


def _about(request: SignedInRequest, schedule: Schedule) -> dict[str, object]:
    return {
        "schedule": schedule,
        "accounts": schedule.accounts.order_by("alias"),
        "days": selectors.ahead(schedule),
        "next": selectors.next_edge(schedule),
        "instances": selectors.meant(request.user, schedule),
        "slots": selectors.slots_of(request.user, schedule),
        "decisions": selectors.decisions(request.user).filter(slot__schedule=schedule)[:PAGE_SIZE],
        "may_change": selectors.may_change(request.user, schedule),
        "now": clock.now(),
    }


class _Schedules(PlanPage[Schedule]):
    find = staticmethod(selectors.get_for)
    plans = schedules
    detail = "automation:detail"
    home = "automation:list"


class _ScheduleForms(_Schedules, PlanForm[Schedule]):
    form = ScheduleForm

    def show(
        self, request: SignedInRequest, form: ScheduleForm, plan: Schedule | None, *, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        return render(request, "automation/form.html", {"form": form, "schedule": plan}, status=status)


class AddSchedule(_ScheduleForms, AddPlan[Schedule]):
    def initial(self, request: SignedInRequest) -> dict[str, object]:
        weekdays = ["mon", "tue", "wed", "thu", "fri"]
        given = {"instances": request.GET.get("instance", ""), "zone": "UTC"}
        return {"weekdays": weekdays, "begin": "08:00", "end": "18:00", **given}


class EditSchedule(_ScheduleForms, EditPlan[Schedule]):
    initial_of = staticmethod(initial_of)


class SwitchSchedule(_Schedules, SwitchPlan[Schedule]):
    pass


class DeleteSchedule(_Schedules, DeletePlan[Schedule]):
    pass


class Override(Page):
    permission = Perm.RESOURCES_OPERATE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        schedule = selectors.get_for(request.user, pk, self.permission)
        if "back" in request.POST:
            services.override(schedule=schedule, deed=None, until=None, by=request.user)
            messages.success(request, "Back to its hours.")
            return redirect(reverse("automation:detail", args=[pk]))
        form = OverrideForm(request.POST)
        if not form.is_valid():
            context = _about(request, schedule) | {"override": form}
            return render(request, "automation/detail.html", context, status=HTTPStatus.BAD_REQUEST)
        until = clock.now() + timedelta(hours=form.cleaned_data["hours"])
        services.override(schedule=schedule, deed=Deed(form.cleaned_data["what"]), until=until, by=request.user)
        messages.success(request, "Overridden. Its hours count again afterwards.")
        return redirect(reverse("automation:detail", args=[pk]))
