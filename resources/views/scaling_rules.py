"""The pages of scaling rules: what each watches, what it saw, what it did and why."""

from __future__ import annotations

from http import HTTPStatus

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.forms.scaling_rules import ScalingRuleForm, initial_of
from resources.models import Instance, ScalingRule
from resources.rules.metrics import Kind
from resources.selectors import scaling_rules as selectors
from resources.services.automation import previews
from resources.services.automation import scaling_rules as services
from resources.services.automation.previews import Preview
from resources.views import metric_plots
from resources.views.plans import AddPlan, DeletePlan, EditPlan, PlanForm, PlanPage, SwitchPlan, operable

PAGE_SIZE = 25


class ScalingRuleList(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        page = Paginator(selectors.visible(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
        return render(request, "automation/scaling_list.html", {"page": page, "may_make": bool(operable(request))})


class ScalingRuleDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        rule = selectors.get_for(request.user, pk, self.permission)
        looks = selectors.slots(request.user, rule)
        acted = looks.filter(matched__gte=1)
        wanted = acted if request.GET.get("show") == "acted" else looks
        context = {
            "rule": rule,
            "instances": selectors.meant(request.user, rule),
            "plot": metric_plots.drawn(rule, selectors.points(rule), acted.values_list("at", "deed")[:PAGE_SIZE]),
            "page": Paginator(wanted, PAGE_SIZE).get_page(request.GET.get("page")),
            "only_acted": wanted is acted,
            "decisions": selectors.decisions(request.user, rule)[:PAGE_SIZE],
            "may_change": selectors.may_change(request.user, rule),
        }
        return render(request, "automation/scaling_detail.html", context)


class _ScalingRules(PlanPage[ScalingRule]):
    find = staticmethod(selectors.get_for)
    plans = services
    detail = "automation:scaling"
    home = "automation:scaling-list"


class _ScalingRuleForms(_ScalingRules, PlanForm[ScalingRule]):
    form = ScalingRuleForm

    def show(
        self, request: SignedInRequest, form: ScalingRuleForm, plan: ScalingRule | None, *, status: int = HTTPStatus.OK
    ) -> HttpResponse:
        return _form(request, form, plan, status=status)

    def tried(self, request: SignedInRequest, form: ScalingRuleForm, plan: ScalingRule | None) -> HttpResponse | None:
        """The form again, with what the rule would have done in the last day, where that was asked."""
        if "try" not in request.POST:
            return None
        draft = services.draft(wanted=form.wanted(), by=request.user)
        return _form(request, form, plan, tried=(draft, previews.preview(rule=draft)))


class AddScalingRule(_ScalingRuleForms, AddPlan[ScalingRule]):
    """Asked with `watch`, an instance's key in the inventory, the form begins with it."""

    def initial(self, request: SignedInRequest) -> dict[str, object]:
        copied = request.GET.get("like", "")
        return _like(request, int(copied)) if copied.isdecimal() else _watching(request)


class EditScalingRule(_ScalingRuleForms, EditPlan[ScalingRule]):
    initial_of = staticmethod(initial_of)


class SwitchScalingRule(_ScalingRules, SwitchPlan[ScalingRule]):
    pass


class DeleteScalingRule(_ScalingRules, DeletePlan[ScalingRule]):
    pass


def _like(request: SignedInRequest, pk: int) -> dict[str, object]:
    rule = selectors.get_for(request.user, pk, Perm.RESOURCES_VIEW)
    return initial_of(rule) | {"name": f"{rule.name} (copy)"[:80]}


def _watching(request: SignedInRequest) -> dict[str, object]:
    key = request.GET.get("watch", "")
    found = Instance.objects.visible_to(request.user, Perm.RESOURCES_OPERATE)
    instance = found.filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None
    initial: dict[str, object] = {"start_above": 70, "stop_below": 30}
    if instance is None:
        return initial
    watched = {"account": str(instance.account_id), "region": instance.region, "watched": instance.instance_id}
    return {**initial, **watched, "kind": Kind.INSTANCE.value}


def _form(
    request: SignedInRequest,
    form: ScalingRuleForm,
    rule: ScalingRule | None = None,
    *,
    tried: tuple[ScalingRule, Preview] | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, object] = {"form": form, "rule": rule, "watchable": selectors.suggestions(request.user)}
    if tried:
        draft, preview = tried
        marks = [(moment.at, moment.deed.value) for moment in preview.moments]
        context |= {"draft": draft, "preview": preview, "plot": metric_plots.drawn(draft, preview.points, marks)}
    return render(request, "automation/scaling_form.html", context, status=status)
