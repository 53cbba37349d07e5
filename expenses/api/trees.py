"""/api/expenses/categories, /payment-methods and /workspaces: what expenses are sorted by, and whose they are."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.parameters import invalid
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from expenses.api.reading import WORKSPACE, workspace_of
from expenses.api.serializers import currency
from expenses.models import Category, PaymentMethod, Workspace, WorkspaceMember
from expenses.models.workspaces import METHOD_KINDS
from expenses.rules.statuses import MemberRole, MethodKind
from expenses.selectors import memberships, trees, workspaces
from expenses.services import categories, payment_methods
from expenses.services import workspaces as workspace_services


class CategorySerializer(serializers.ModelSerializer[Category]):
    parent = serializers.IntegerField(source="parent_id", allow_null=True)  # type: ignore[assignment]  # a name of the contract
    workspace = serializers.IntegerField(source="workspace_id")

    class Meta:
        model = Category
        fields = ["id", "workspace", "name", "parent", "created_at"]
        read_only_fields = fields


class CategoryUseSerializer(serializers.Serializer[Any]):
    """What hangs on a category and what is below it: all of that follows a change, and goes to another one in a merge."""

    expenses = serializers.IntegerField()
    subcategories = serializers.IntegerField()
    series = serializers.IntegerField()
    budgets = serializers.IntegerField(help_text="Those end with a merge.")


class CategoryDetailSerializer(CategorySerializer):
    used_by = serializers.SerializerMethodField()

    class Meta(CategorySerializer.Meta):
        fields = [*CategorySerializer.Meta.fields, "used_by"]
        read_only_fields = fields

    @extend_schema_field(CategoryUseSerializer)
    def get_used_by(self, category: Category) -> dict[str, int]:
        return dict(CategoryUseSerializer(trees.reach(category)).data)


class NewCategorySerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    parent = serializers.IntegerField(default=None, allow_null=True)  # type: ignore[assignment]
    workspace = serializers.IntegerField(default=None, allow_null=True)


class ChangedCategorySerializer(serializers.Serializer[Any]):
    """Another `name`, another `parent` (null: the top), or `merge_into` another category, which takes everything over."""

    name = serializers.CharField(max_length=80, required=False)
    parent = serializers.IntegerField(allow_null=True, required=False)  # type: ignore[assignment]
    merge_into = serializers.IntegerField(required=False)


class ExpenseCategories(ListApiView):
    permission = Perm.SELF
    serializer_class = CategorySerializer
    queryset = Category.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Category]:
        return Category.objects.visible_to(person(self.request), Perm.SELF).filter(workspace=workspace_of(self.request))

    @extend_schema(parameters=[WORKSPACE], tags=["expenses"], operation_id="expense_categories_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The tree of a workspace; without `workspace` of your personal one."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewCategorySerializer, responses={201: CategorySerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Add a category at the top, or below one that is at the top."""
        said, by = valid(NewCategorySerializer, request), person(request)
        parent = None if said["parent"] is None else trees.category_for(by, said["parent"])
        workspace = workspace_of(request, said["workspace"]) if said["workspace"] or parent is None else parent.workspace
        made = categories.add(workspace=workspace, name=said["name"], parent=parent, by=by)
        return Response(CategorySerializer(made).data, status=status.HTTP_201_CREATED)


class OneExpenseCategory(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=CategoryDetailSerializer, tags=["expenses"])
    def get(self, request: Request, category_id: int) -> Response:
        """One category, and what would follow if it is renamed, moved or merged."""
        return Response(CategoryDetailSerializer(trees.category_for(person(request), category_id)).data)

    @extend_schema(request=ChangedCategorySerializer, responses=CategorySerializer, tags=["expenses"])
    def patch(self, request: Request, category_id: int) -> Response:
        """Rename, move or merge it. Merged, the answer is the one that took over."""
        by = person(request)
        category = trees.category_for(by, category_id)
        said = valid(ChangedCategorySerializer, request)
        if "merge_into" in said:
            into = trees.category_for(by, said["merge_into"])
            categories.merge(category=category, into=into, by=by)
            return Response(CategorySerializer(into).data)
        parent = category.parent
        if "parent" in said:
            parent = None if said["parent"] is None else trees.category_for(by, said["parent"])
        changed = categories.change(category=category, name=said.get("name", category.name), parent=parent, by=by)
        return Response(CategorySerializer(changed).data)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, category_id: int) -> Response:
        """Delete one that nothing uses. 409 `category_used` otherwise."""
        by = person(request)
        categories.delete(category=trees.category_for(by, category_id), by=by)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PaymentMethodSerializer(serializers.ModelSerializer[PaymentMethod]):
    workspace = serializers.IntegerField(source="workspace_id")

    class Meta:
        model = PaymentMethod
        fields = ["id", "workspace", "name", "kind", "last_four", "created_at", "archived_at"]
        read_only_fields = fields


class NewPaymentMethodSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    kind = ChoiceField(choices=METHOD_KINDS, default=MethodKind.OTHER.value)
    last_four = serializers.RegexField(r"^\d{4}$", default="", allow_blank=True, help_text="Never more of a number.")
    workspace = serializers.IntegerField(default=None, allow_null=True)


class ChangedPaymentMethodSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80, required=False)
    kind = ChoiceField(choices=METHOD_KINDS, required=False)
    last_four = serializers.RegexField(r"^\d{4}$", required=False, allow_blank=True)
    archived = serializers.BooleanField(required=False)


class PaymentMethods(ListApiView):
    permission = Perm.SELF
    serializer_class = PaymentMethodSerializer
    queryset = PaymentMethod.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[PaymentMethod]:
        return PaymentMethod.objects.visible_to(person(self.request), Perm.SELF).filter(workspace=workspace_of(self.request))

    @extend_schema(parameters=[WORKSPACE], tags=["expenses"], operation_id="payment_methods_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Payment methods of a workspace; without `workspace` of your personal one."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewPaymentMethodSerializer, responses={201: PaymentMethodSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Add a payment method."""
        said = valid(NewPaymentMethodSerializer, request)
        made = payment_methods.add(
            workspace=workspace_of(request, said["workspace"]),
            name=said["name"],
            kind=MethodKind(said["kind"]),
            last_four=said["last_four"],
            by=person(request),
        )
        return Response(PaymentMethodSerializer(made).data, status=status.HTTP_201_CREATED)


class OnePaymentMethod(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=PaymentMethodSerializer, tags=["expenses"])
    def get(self, request: Request, method_id: int) -> Response:
        """One payment method."""
        return Response(PaymentMethodSerializer(trees.method_for(person(request), method_id)).data)

    @extend_schema(request=ChangedPaymentMethodSerializer, responses=PaymentMethodSerializer, tags=["expenses"])
    def patch(self, request: Request, method_id: int) -> Response:
        """Change what is named. An archived one is not offered any more."""
        method = trees.method_for(person(request), method_id)
        said = valid(ChangedPaymentMethodSerializer, request)
        changed = payment_methods.change(
            method=method,
            name=said.get("name", method.name),
            kind=MethodKind(said.get("kind", method.kind)),
            last_four=said.get("last_four", method.last_four),
            archived=said.get("archived", method.archived_at is not None),
            by=person(request),
        )
        return Response(PaymentMethodSerializer(changed).data)

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, method_id: int) -> Response:
        """Delete one that nothing was paid with. 409 `payment_method_used` otherwise."""
        by = person(request)
        payment_methods.delete(method=trees.method_for(by, method_id), by=by)
        return Response(status=status.HTTP_204_NO_CONTENT)


# --- workspaces


class WorkspaceMemberSerializer(serializers.ModelSerializer[WorkspaceMember]):
    user = serializers.IntegerField(source="user_id")
    username = serializers.CharField(source="user.username")

    class Meta:
        model = WorkspaceMember
        fields = ["user", "username", "role", "added_at"]
        read_only_fields = fields


class WorkspaceSerializer(serializers.ModelSerializer[Workspace]):
    is_personal = serializers.SerializerMethodField()
    members = WorkspaceMemberSerializer(source="memberships", many=True)

    class Meta:
        model = Workspace
        fields = ["id", "name", "is_personal", "currency", "needs_approval", "members", "created_at"]
        read_only_fields = fields

    def get_is_personal(self, workspace: Workspace) -> bool:
        return workspace.personal_of_id is not None


class NewWorkspaceSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    currency = currency(default="USD")
    needs_approval = serializers.BooleanField(default=False)


class MemberSerializer(serializers.Serializer[Any]):
    """`role` null takes the person out."""

    user = serializers.IntegerField()
    role = ChoiceField(choices=[one.value for one in MemberRole], allow_null=True)


class ExpenseWorkspaces(ListApiView):
    permission = Perm.SELF
    serializer_class = WorkspaceSerializer
    queryset = Workspace.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Workspace]:
        workspace_services.personal(person(self.request))
        return memberships.mine(person(self.request)).prefetch_related("memberships__user")

    @extend_schema(tags=["expenses"], operation_id="expense_workspaces_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The workspaces that you are in."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewWorkspaceSerializer, responses={201: WorkspaceSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Make a shared workspace; you are its manager."""
        made = workspace_services.create(**valid(NewWorkspaceSerializer, request), by=person(request))
        return Response(WorkspaceSerializer(made).data, status=status.HTTP_201_CREATED)


class OneExpenseWorkspace(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(responses=WorkspaceSerializer, tags=["expenses"])
    def get(self, request: Request, workspace_id: int) -> Response:
        """One workspace, with who is in it."""
        return Response(WorkspaceSerializer(workspaces.get_for(person(request), workspace_id)).data)

    @extend_schema(request=NewWorkspaceSerializer(partial=True), responses=WorkspaceSerializer, tags=["expenses"])
    def patch(self, request: Request, workspace_id: int) -> Response:
        """Change what is named."""
        workspace = workspaces.get_for(person(request), workspace_id)
        given = valid(NewWorkspaceSerializer, request, partial=True)
        kept = {"name": workspace.name, "currency": workspace.currency, "needs_approval": workspace.needs_approval}
        changed = workspace_services.change(workspace=workspace, **{**kept, **given}, by=person(request))
        return Response(WorkspaceSerializer(changed).data)


class ExpenseWorkspaceMembers(ApiView):
    permission = Perm.SELF
    object_decides = True

    @extend_schema(request=MemberSerializer, responses=WorkspaceSerializer, tags=["expenses"])
    def put(self, request: Request, workspace_id: int) -> Response:
        """Let a person in, change their role, or take them out."""
        by = person(request)
        workspace = workspaces.get_for(by, workspace_id)
        workspaces.require(by, workspace, MemberRole.MANAGER)
        given = valid(MemberSerializer, request)
        member = memberships.person_by_id(given["user"])
        if member is None:
            raise invalid("user", "There is nobody with this id.")
        role = given["role"]
        if role is None:
            workspace_services.remove_member(workspace=workspace, user=member, by=by)
        else:
            workspace_services.put_member(workspace=workspace, user=member, role=MemberRole(role), by=by)
        return Response(WorkspaceSerializer(workspaces.get_for(by, workspace_id)).data)
