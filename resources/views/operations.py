"""The pages that show operations, and where a second person decides."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.forms.operations import OperationFilterForm
from resources.models import Operation
from resources.rules import results
from resources.rules.actions import TargetType
from resources.selectors import operations as selectors
from resources.selectors.operations import GROUPS, Question
from resources.services import operations as services

PAGE_SIZE = 50
MOST_RUNNING = 8  # as a part of another page


class OperationList(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        form = OperationFilterForm(request.GET)
        form.full_clean()
        question = _question(form, shown)
        page = Paginator(selectors.found(request.user, question), PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "form": form,
            "page": page,
            "summary": f"{page.paginator.count} operation{'' if page.paginator.count == 1 else 's'}",
            "waiting": _waiting_for(request, shown),
            "filtered": bool(any(form.cleaned_data.values()) or shown.narrowed),
            "moving": any(operation.is_open for operation in page.object_list),
        }
        return render(request, "operations/list.html", context)


class Running(Page):
    """What is under way, as a part of other pages; fetched again whenever something happens."""

    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        return render(
            request, "operations/_running.html", {"operations": selectors.open_on(request.user, shown.accounts)[:MOST_RUNNING]}
        )


class OperationDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        operation = selectors.get_for(request.user, pk)
        ended = operation.finished_at or clock.now()
        context = {
            "operation": operation,
            "kind": operation.kind,
            "calls": selectors.calls_of(operation),
            "call_count": operation.calls.count(),
            "rights": selectors.rights(request.user, operation),
            "took": ended - operation.started_at if operation.started_at else None,
            "result": results.told(operation.result),
            "page_of_target": page_of_target(operation),
        }
        return render(request, "operations/detail.html", context)


class _Decision(Page):
    """A form's button on the operation's page."""

    done: str

    def decide(self, request: SignedInRequest, operation: Operation) -> None:
        raise NotImplementedError

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        operation = selectors.get_for(request.user, pk)
        try:
            self.decide(request, operation)
        except CloudconsoleError as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, self.done)
        return redirect(reverse("operations:detail", args=[pk]) + query_of(request))


class Approve(_Decision):
    permission = Perm.RESOURCES_APPROVE
    done = "Approved. It is carried out now."

    def decide(self, request: SignedInRequest, operation: Operation) -> None:
        services.approve(operation=operation, by=request.user, reason=_reason(request))


class Reject(_Decision):
    permission = Perm.RESOURCES_APPROVE
    done = "Rejected. Nothing was changed."

    def decide(self, request: SignedInRequest, operation: Operation) -> None:
        services.reject(operation=operation, by=request.user, reason=_reason(request))


class Cancel(_Decision):
    permission = Perm.RESOURCES_OPERATE
    done = "Cancelled."

    def decide(self, request: SignedInRequest, operation: Operation) -> None:
        services.cancel(operation=operation, by=request.user)


def query_of(request: SignedInRequest) -> str:
    """The scope that the form was sent with."""
    return f"?{request.GET.urlencode()}" if request.GET else ""


def page_of_target(operation: Operation) -> str:
    """The address of the page about what it acts on."""
    account, region, target = operation.account_id, operation.region, operation.target
    pages: dict[TargetType, tuple[str, tuple[int | str, ...]]] = {
        TargetType.EC2: ("instance", (account, region, target)),
        TargetType.S3: ("bucket", (account, target)),
        TargetType.LAMBDA: ("function", (account, region, target)),
    }
    if operation.target_type == TargetType.QUOTA and (quota := selectors.quota_of(operation)) is not None:
        return reverse("quotas:detail", args=[quota])
    if TargetType(operation.target_type) not in pages:  # it has no page of its own: what was done to it is all there is
        return f"{reverse('operations:list')}?{urlencode({'target': target})}"
    page, place = pages[TargetType(operation.target_type)]
    return reverse(f"resources:{page}", args=place)


def _reason(request: SignedInRequest) -> str:
    return request.POST.get("reason", "").strip()[:500]


def _question(form: OperationFilterForm, shown: scope.Scope) -> Question:
    given = form.cleaned_data
    return Question(
        accounts=shown.accounts if shown.narrowed else None,
        statuses=[status.value for status in GROUPS.get(given.get("show", ""), ())],
        actions=[given["action"]] if given.get("action") else (),
        target=given.get("target", "").strip(),
        batch=given.get("batch"),
        mine=given.get("by") == "me",
    )


def _waiting_for(request: SignedInRequest, shown: scope.Scope) -> int:
    """How many wait for a decision that the reader may take."""
    waiting = Operation.objects.visible_to(request.user, Perm.RESOURCES_APPROVE).filter(
        status__in=GROUPS["approval"], account__in=shown.accounts
    )
    return waiting.exclude(requested_by=request.user).count()
