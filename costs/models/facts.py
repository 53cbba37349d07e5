"""Daily cost facts as AWS stated them, and the monthly sums that long charts read."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from cloudconsole.core.money import EXACT, ZERO, AmountField
from costs.models.sources import CostSource
from costs.rules.cubes import CUBES

METRICS = ("unblended", "blended", "amortized", "net_unblended", "net_amortized")


# Those of tags are numbered by their keys, which are rows.
CUBE_CHOICES = [(int(cube), cube.title) for cube in CUBES]


class DimensionValue(models.Model):
    """A service, account, region, record type or value of a tag, by the exact string AWS uses; facts refer to its id."""

    id = models.AutoField(primary_key=True)  # four bytes: it stands twice in every fact
    dimension = models.CharField(max_length=160, help_text="AWS's name of it; `TAG:` and the key of a tag.")
    value = models.CharField(max_length=1024)
    label = models.CharField(max_length=1024, blank=True, help_text="A name for people, such as an account's name.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dimension", "value"], name="dimension_value_once")]

    def __str__(self) -> str:
        return self.label or self.value


class Amounts(models.Model):
    """The five truths Cost Explorer tells about one cost, signed, in `currency`."""

    currency = models.CharField(max_length=3)
    unblended = AmountField(default=ZERO)
    blended = AmountField(default=ZERO)
    amortized = AmountField(default=ZERO)
    net_unblended = AmountField(default=ZERO)
    net_amortized = AmountField(default=ZERO)

    class Meta:
        abstract = True

    @property
    def metrics(self) -> dict[str, Decimal]:
        return {metric: getattr(self, metric) for metric in METRICS}


class CostSlice(Amounts):
    """One day of one cube of one source: the unit that is replaced whole. Its amounts are the day's sum in this cube.

    For the TOTAL cube that is the control total; the other cubes' sums are compared with it, and what is missing is
    the residual. `complete`: the day had settled when it was fetched. `estimated`: AWS says the month is open.
    """

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="slices", db_index=False)
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    day = models.DateField()
    estimated = models.BooleanField()
    complete = models.BooleanField()
    rows = models.PositiveIntegerField()
    fetched_at = models.DateTimeField()
    snapshot = models.ForeignKey("costs.CostSnapshot", on_delete=models.SET_NULL, null=True, related_name="slices")

    class Meta:
        verbose_name = "fetched day"
        constraints = [
            # Read by every cost answer for completeness and totals, by day range over sources.
            models.UniqueConstraint(fields=["cube", "day", "source"], name="cost_slice_once"),
        ]
        indexes = [
            # Those of a few sources, however many others there are.
            models.Index(fields=["source", "cube", "day"], name="cost_slice_of_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} {self.get_cube_display()}"


class CostFact(Amounts):
    """What one pair of dimension values cost on one day. Which dimensions `first` and `second` are, the cube says.

    The table takes whole windows at once and nothing else: its references are not checked row by row, which would take
    longer than storing the rows. `services.facts` alone writes it, in the transaction that also writes the slice.
    """

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    day = models.DateField()
    first = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    second = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)

    class Meta:
        verbose_name = "daily cost"
        constraints = [
            # No fact twice, and every question is a range of it that comes sorted by day and
            # second value. With the two metrics that people look at in it, their sums do not touch the table; all five would make
            # it half as fast (docs/decisions/0005-cost-facts.md has the times).
            models.UniqueConstraint(
                fields=["cube", "day", "second", "first", "source"],
                include=["currency", "unblended", "amortized"],
                name="cost_fact_once",
            ),
        ]
        indexes = [
            # Replacing a slice and summing its month find their rows here: the same work with any number of accounts.
            models.Index(fields=["source", "cube", "day"], name="cost_fact_of_slice"),
            # A few accounts out of a payer's bill, and a few groups over many days.
            models.Index(fields=["cube", "first", "day"], name="cost_fact_of_first"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.first_id}/{self.second_id}"


class CostMonth(Amounts):
    """Monthly sums of facts, kept in step by the transaction that replaces the slices."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    month = models.DateField(help_text="The first day of the month.")
    first = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(DimensionValue, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        verbose_name = "monthly cost"
        constraints = [
            models.UniqueConstraint(
                fields=["cube", "month", "source", "first", "second", "currency"],
                name="cost_month_once",
            ),
        ]
        indexes = [
            # A few groups of everybody's over many months.
            models.Index(fields=["cube", "first", "month"], name="cost_month_of_first"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.first_id}/{self.second_id}"


class CostMonthSlice(Amounts):
    """The month's slices of one cube of one source as one row: the sums, and how many days are in them."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    month = models.DateField(help_text="The first day of the month.")
    days = models.PositiveSmallIntegerField(help_text="Days of the month that are stored.")
    complete_days = models.PositiveSmallIntegerField(help_text="Those of them that had settled when they were fetched.")
    estimated_days = models.PositiveSmallIntegerField(help_text="Those of them whose month AWS had not closed yet.")

    class Meta:
        verbose_name = "fetched month"
        constraints = [
            models.UniqueConstraint(fields=["cube", "month", "source", "currency"], name="cost_month_slice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.month:%Y-%m} {self.get_cube_display()}"


class CostRestatement(models.Model):
    """AWS changed a day that had already settled. Kept for ever: it explains why a closed number moved."""

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="restatements")
    day = models.DateField()
    currency = models.CharField(max_length=3)
    unblended_before = AmountField()
    unblended_after = AmountField()
    snapshot = models.ForeignKey("costs.CostSnapshot", on_delete=models.SET_NULL, null=True, related_name="restatements")
    detected_at = models.DateTimeField()

    class Meta:
        verbose_name = "restated day"
        indexes = [
            # The source's and the snapshot's pages list the newest first.
            models.Index(fields=["source", "-detected_at"], name="cost_restatement_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} restated"

    @property
    def difference(self) -> Decimal:
        return EXACT.subtract(self.unblended_after, self.unblended_before)
