"""What the API does with schedules and scaling rules alike: one plan, and switching it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.requests import named, reader
from resources.services.automation.plans import P, Plans

TAGS = ["automation"]
LIST_PERMISSIONS: Mapping[str, Perm] = {"GET": Perm.RESOURCES_VIEW, "POST": Perm.RESOURCES_OPERATE}


class PlanView(ApiView, Generic[P]):
    """`key`: what the address calls a plan's id; `find` raises for what may not be seen, or not be changed."""

    object_decides = True
    find: Callable[[User, int, Perm], P]
    plans: Plans[P, Any]
    shown: type[serializers.ModelSerializer[P]]
    key = ""

    def plan(self, request: Request, permission: Perm) -> P:
        return self.find(reader(request), self.kwargs[self.key], permission)


class OnePlan(PlanView[P]):
    permission: ClassVar[Mapping[str, Perm]] = {
        "GET": Perm.RESOURCES_VIEW,
        "PUT": Perm.RESOURCES_OPERATE,
        "DELETE": Perm.RESOURCES_OPERATE,
    }
    wanted: Callable[[Request], Any]

    def get(self, request: Request, **ids: int) -> Response:
        """One of them."""
        return Response(self.shown(self.plan(request, Perm.RESOURCES_VIEW)).data)

    def put(self, request: Request, **ids: int) -> Response:
        """Another plan from now on. Whoever changes it owns it from then on: it acts as they may."""
        plan = self.plan(request, Perm.RESOURCES_OPERATE)
        return Response(self.shown(self.plans.edit(plan=plan, wanted=self.wanted(request), by=reader(request))).data)

    def delete(self, request: Request, **ids: int) -> Response:
        """It acts no more, and its decisions go with it. `confirm` is its name."""
        plan = self.plan(request, Perm.RESOURCES_OPERATE)
        self.plans.delete(plan=plan, confirm=named(request, "confirm"), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SwitchPlan(PlanView[P]):
    permission = Perm.RESOURCES_OPERATE
    how = ""  # arm | try | pause

    def post(self, request: Request, **ids: int) -> Response:
        """Arm it, put it on trial again, or pause it."""
        plan, by = self.plan(request, Perm.RESOURCES_OPERATE), reader(request)
        switch = {"arm": self.plans.arm, "try": self.plans.try_out, "pause": self.plans.pause}[self.how]
        return Response(self.shown(switch(plan=plan, by=by)).data)


def documented(wanted: type[serializers.Serializer[Any]], shown: type[serializers.Serializer[Any]]) -> Callable[..., Any]:
    """What the document says of a subclass of OnePlan."""
    return extend_schema_view(
        get=extend_schema(responses=shown, tags=TAGS),
        put=extend_schema(request=wanted, responses=shown, tags=TAGS),
        delete=extend_schema(responses={204: None}, tags=TAGS, parameters=[OpenApiParameter("confirm", required=True)]),
    )


def documented_switch(shown: type[serializers.Serializer[Any]]) -> Callable[..., Any]:
    """What the document says of a subclass of SwitchPlan."""
    return extend_schema_view(post=extend_schema(request=None, responses=shown, tags=TAGS))
