"""Sums over all sources, by day and by month: what is read in the place of everybody's facts, and for which days it is true.

A sum holds the facts of every source there is, whoever counts them and whoever may see them; readers take out again what they do
not ask for. So nothing here depends on who covers whom.
"""

from __future__ import annotations

from django.db import models

from costs.models.facts import CUBE_CHOICES, Amounts


class Kept(models.IntegerChoices):
    """Which of a cube's two values a sum tells apart; the other is 0."""

    NONE = 0, "Neither"
    FIRST = 1, "The first"
    SECOND = 2, "The second"
    BOTH = 3, "Both"


class CostRollup(Amounts):
    """One sum over all sources. `facts` says how many rows are in it: without any left, the group was never there."""

    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    kept = models.PositiveSmallIntegerField(choices=Kept)
    is_month = models.BooleanField(help_text="Of a whole month, whose first day is in `day`.")
    day = models.DateField()
    first_id = models.IntegerField(default=0)
    second_id = models.IntegerField(default=0)
    facts = models.PositiveIntegerField()

    class Meta:
        verbose_name = "sum over sources"
        constraints = [
            # A few values over many days are ranges of it.
            models.UniqueConstraint(
                fields=["cube", "kept", "is_month", "first_id", "second_id", "day", "currency"],
                name="cost_rollup_once",
            ),
        ]
        indexes = [
            # All values of some days.
            models.Index(fields=["cube", "kept", "is_month", "day"], name="cost_rollup_of_days"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.first_id}/{self.second_id}"


class CostRollupSlice(Amounts):
    """The slices of all sources as one row for each day or month: their sum, how many there are and in which state."""

    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    is_month = models.BooleanField(help_text="Of a whole month, whose first day is in `day`.")
    day = models.DateField()
    days = models.PositiveIntegerField(help_text="Days that are stored, counted once for each source.")
    complete_days = models.PositiveIntegerField(help_text="Those of them that had settled when they were fetched.")
    estimated_days = models.PositiveIntegerField(help_text="Those of them whose month AWS had not closed yet.")

    class Meta:
        verbose_name = "fetched day of all sources"
        verbose_name_plural = "fetched days of all sources"
        constraints = [
            models.UniqueConstraint(fields=["cube", "is_month", "day", "currency"], name="cost_rollup_slice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.get_cube_display()}"


class RolledMonth(models.Model):
    """A month of one cube that was summed over all sources. It holds for its days that no RollupMark names."""

    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    month = models.DateField(help_text="The first day of the month.")
    builds = models.PositiveIntegerField(default=0, help_text="How often it was summed: readers see by it that it changed.")

    class Meta:
        verbose_name = "summed month"
        constraints = [models.UniqueConstraint(fields=["cube", "month"], name="rolled_month_once")]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.get_cube_display()}"


class RollupMark(models.Model):
    """Days of a month whose facts were replaced since they were summed. Written by the transaction that replaces them.

    Marks are only ever added by writers, so that two of them never wait for each other.
    """

    cube = models.PositiveSmallIntegerField(choices=CUBE_CHOICES)
    month = models.DateField(help_text="The first day of the month.")
    start = models.DateField()
    end = models.DateField(help_text="The day after the last one.")

    class Meta:
        verbose_name = "days to sum again"
        verbose_name_plural = "days to sum again"

    def __str__(self) -> str:
        return f"{self.start}..{self.end} {self.get_cube_display()}"
