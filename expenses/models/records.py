"""What was spent: expenses, their tags and receipts, and the edits that can be undone."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.money import ScaledAmountField
from cloudconsole.core.permissions import Perm
from expenses.models.search import SearchedField
from expenses.models.workspaces import Category, OwnedQuerySet, PaymentMethod, Workspace
from expenses.rules.identifiers import new_id
from expenses.rules.statuses import Status

STATUSES = [(one.value, one.value.capitalize()) for one in Status]


class ExpenseQuerySet(models.QuerySet["Expense"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> ExpenseQuerySet:
        """Expenses of the workspaces that `user` is in; to admins all. Deleted ones are seen by nobody."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        # The workspaces are read first: one number in the condition lets the index walk in the order of the list.
        return self.kept() if user.is_admin else self.kept().filter(workspace__in=list(Workspace.objects.of(user).ids()))

    def kept(self) -> ExpenseQuerySet:
        return self.filter(deleted_at=None)

    def newest_first(self) -> ExpenseQuerySet:
        """The order of every list: by day, and within a day by an id that never changes."""
        return self.order_by("-date", "-id")

    def with_names(self) -> ExpenseQuerySet:
        """With what a row of a list shows, in one query."""
        return self.select_related("workspace", "owner", "category__parent", "payment_method", "account")


class Expense(models.Model):
    """Money spent on a day; negative: money that came back.

    `payee_key` and `searched` follow from other columns: `services.expenses` writes them. `tags` are in order, each once;
    `ExpenseTag` has a row for each. `locked` names fields a person set by hand, which rules leave alone. `revision` grows with
    every change. Parts of one payment share a `split`. A deleted row stays for a while, so that it can come back.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="expenses")
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="expenses")
    owner_name = models.CharField(max_length=150, help_text="Stays when the person is gone.")
    date = models.DateField()
    category = models.ForeignKey(Category, on_delete=models.PROTECT, null=True, blank=True, related_name="expenses")
    description = models.CharField(max_length=500, blank=True)
    payee = models.CharField(max_length=200, blank=True)
    payee_key = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The payee in lower case, spaces made one."
    )
    cost = ScaledAmountField()
    currency = models.CharField(max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    payment_method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, null=True, blank=True, related_name="expenses")
    location = models.CharField(max_length=200, blank=True)
    tags = models.JSONField(default=list, blank=True)
    notes = models.TextField(blank=True)
    account = models.ForeignKey(AwsAccount, on_delete=models.SET_NULL, null=True, blank=True, related_name="expenses")
    project = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=16, choices=STATUSES, default=Status.APPROVED.value)
    decided_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision = models.CharField(max_length=500, blank=True, help_text="Why it was rejected.")
    source = models.CharField(max_length=40, default="manual", help_text="Through what it came: manual, api, recurring, …")
    external_id = models.CharField(max_length=200, blank=True, help_text="Its name where it came from.")
    locked = models.JSONField(default=list, blank=True)
    recurring = models.ForeignKey("RecurringExpense", on_delete=models.SET_NULL, null=True, blank=True, related_name="expenses")
    occurrence = models.DateField(null=True, blank=True, help_text="For which day of the series it was made.")
    split = models.UUIDField(null=True, blank=True)
    searched = SearchedField(editable=False, blank=True)
    revision = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = ExpenseQuerySet.as_manager()

    class Meta:
        ordering = ["-date", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "source", "external_id"],
                condition=~Q(external_id="") & Q(deleted_at=None),
                name="expense_once_by_external_id",
            ),
            # Two schedulers at once make one expense for a day of a series; also when a person deleted it.
            models.UniqueConstraint(fields=["recurring", "occurrence"], name="expense_once_in_an_occurrence"),
            models.CheckConstraint(condition=Q(status__in=[one.value for one in Status]), name="expense_status_is_known"),
        ]
        indexes = [
            # The list walks this from any point on; reports of a period read a stretch of it.
            models.Index(fields=["workspace", "-date", "-id"], condition=Q(deleted_at=None), name="expense_list"),
            # Reports by month, category, and both, read this alone.
            models.Index(
                fields=["workspace", "date", "category", "currency", "cost"], condition=Q(deleted_at=None), name="expense_report"
            ),
            # An import looks for the amounts of its rows around their days.
            models.Index(fields=["workspace", "cost", "date"], condition=Q(deleted_at=None), name="expense_amount"),
            # The list of one category; the preview of a merge or a move counts its rows; reports by category.
            models.Index(fields=["category", "-date", "-id"], condition=Q(deleted_at=None), name="expense_category"),
            models.Index(fields=["payment_method", "-date", "-id"], condition=Q(deleted_at=None), name="expense_method"),
            # Completion from history reads the last expense of a payee; the list filters by payee.
            models.Index(fields=["workspace", "payee_key", "-date", "-id"], condition=Q(deleted_at=None), name="expense_payee"),
            # What waits for a decision.
            models.Index(
                fields=["workspace", "-date", "-id"],
                condition=Q(deleted_at=None, status=Status.SUBMITTED.value),
                name="expense_submitted",
            ),
            # GET /api/expenses/{user_id}.
            models.Index(fields=["owner", "-date", "-id"], condition=Q(deleted_at=None), name="expense_owner"),
            # The parts of one payment.
            models.Index(fields=["split"], condition=~Q(split=None), name="expense_split"),
            # What was deleted long enough ago is purged.
            models.Index(fields=["deleted_at"], condition=~Q(deleted_at=None), name="expense_deleted"),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.payee or self.description} {self.cost} {self.currency}"


class ExpenseTag(models.Model):
    """One tag of an expense, to find it by."""

    expense = models.ForeignKey(Expense, on_delete=models.CASCADE, related_name="tag_rows")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=50)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["expense", "name"], name="expense_tag_once")]
        indexes = [
            # The filter by tag, and the tags that are offered.
            models.Index(fields=["workspace", "name"], name="expense_tag_name"),
        ]

    def __str__(self) -> str:
        return self.name


class ReceiptFile(models.Model):
    """What a receipt looks like, without its metadata. The same file sent twice is kept once."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    sha256 = models.CharField(max_length=64, help_text="Of the bytes as they were sent.")
    content_type = models.CharField(max_length=40)
    size = models.PositiveIntegerField(help_text="Bytes, as kept.")
    content = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "sha256"], name="receipt_file_once")]

    def __str__(self) -> str:
        return self.sha256


class Receipt(models.Model):
    """That a file belongs to an expense."""

    expense = models.ForeignKey(Expense, on_delete=models.CASCADE, related_name="receipts")
    file = models.ForeignKey(ReceiptFile, on_delete=models.PROTECT, related_name="receipts")
    name = models.CharField(max_length=120)
    added_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["expense", "file"], name="receipt_once")]

    def __str__(self) -> str:
        return self.name


class Edit(models.Model):
    """One change of one or many expenses that can be undone: by hand, in bulk, or by rules."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="edits")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    what = models.CharField(max_length=200, help_text="In words, for who may want to undo it.")
    count = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    objects: OwnedQuerySet[Edit] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            # The purge of what is too old to be undone.
            models.Index(fields=["created_at"], name="edit_age"),
        ]

    def __str__(self) -> str:
        return self.what


class EditedExpense(models.Model):
    """An expense as it was before an edit, and the revision that the edit gave it: later changes are not undone with it."""

    edit = models.ForeignKey(Edit, on_delete=models.CASCADE, related_name="rows")
    expense = models.ForeignKey(Expense, on_delete=models.CASCADE, related_name="+")
    before = models.JSONField()
    revision = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["edit", "expense"], name="edited_expense_once")]

    def __str__(self) -> str:
        return f"{self.edit}: {self.expense_id}"
