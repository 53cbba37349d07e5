"""The forms about importing files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms

from expenses.models import ImportBatch
from expenses.rules import currencies
from expenses.rules.importing import amounts, dates, delimited, encodings, headers
from expenses.rules.importing.amounts import DecimalSign
from expenses.rules.importing.dates import DateFormat
from expenses.rules.importing.headers import Field
from expenses.rules.importing.readings import Incoming, Reading, Sign
from expenses.rules.importing.tables import Format, Layout

SIGNS = [
    (Sign.SPENT_IS_NEGATIVE.value, "−12.50 was spent (a bank's statement)"),
    (Sign.SPENT_IS_POSITIVE.value, "12.50 was spent (a list of expenses)"),
]
INCOMING = [
    (Incoming.LEAVE_OUT.value, "Leave it out"),
    (Incoming.REFUND.value, "Import it as a refund (a negative expense)"),
]
# What is asked first; the rest is below a fold.
MAIN = (Field.DATE, Field.AMOUNT, Field.DEBIT, Field.CREDIT, Field.CURRENCY, Field.PAYEE, Field.DESCRIPTION, Field.CATEGORY)
FURTHER = tuple(one for one in Field if one not in MAIN)


class LayoutForm(forms.Form):
    """How the bytes are read: only what matters to the format is asked."""

    encoding = forms.ChoiceField(label="Letters", choices=list(encodings.ENCODINGS.items()), required=False)
    delimiter = forms.ChoiceField(label="Between columns", choices=list(delimited.DELIMITERS.items()), required=False)
    sheet = forms.ChoiceField(label="Sheet", required=False)
    skip = forms.IntegerField(label="Lines before the header", min_value=0, max_value=1000, required=False)
    has_header = forms.BooleanField(label="The first line names the columns", required=False)

    def __init__(self, *args: Any, batch: ImportBatch, sheets: Sequence[str] = (), **kwargs: Any) -> None:
        layout = batch.how_read
        kwargs.setdefault("initial", layout.as_json())
        super().__init__(*args, **kwargs)
        self._layout = layout
        self.fields["sheet"].choices = [(name, name) for name in sheets]  # type: ignore[attr-defined]
        asked = {
            Format.CSV: ("encoding", "delimiter", "skip", "has_header"),
            Format.XLSX: ("sheet", "skip", "has_header"),
            Format.CAMT: (),
        }.get(layout.format, () if layout.encoding == "xml" else ("encoding",))
        for name in [name for name in self.fields if name not in asked]:
            del self.fields[name]

    @property
    def layout(self) -> Layout:
        """What is asked for; valid forms only."""
        given = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return replace(self._layout, **given)


class ReadingForm(forms.Form):
    """Which column is what, and how days and amounts are written."""

    source = forms.CharField(
        label="The file is of",
        max_length=40,
        required=False,
        help_text="A bank, a card, a tool. Ids of transactions count within it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    dates = forms.ChoiceField(label="Days are written", choices=[(one.value, dates.TITLES[one]) for one in DateFormat])
    decimal = forms.ChoiceField(label="Amounts are written", choices=[(one.value, amounts.TITLES[one]) for one in DecimalSign])
    sign = forms.ChoiceField(label="A plain amount", choices=SIGNS)
    incoming = forms.ChoiceField(label="Money that came in", choices=INCOMING)
    currency = forms.RegexField(
        r"^[A-Za-z]{3}$",
        label="Currency of rows that name none",
        required=False,
        error_messages={"invalid": "A currency has three letters, such as EUR."},
        widget=forms.TextInput(
            attrs={"maxlength": 3, "autocapitalize": "characters", "spellcheck": "false", "list": "currencies"}
        ),
    )
    payment_method = forms.CharField(
        label="Paid with", max_length=80, required=False, help_text="Of rows that name no payment method.",
        widget=forms.TextInput(attrs={"list": "methods", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, batch: ImportBatch, **kwargs: Any) -> None:
        reading = batch.meaning
        kwargs.setdefault("initial", {**_initial(reading), "source": batch.source})
        super().__init__(*args, **kwargs)
        choices = [("", "—"), *((name, name) for name in batch.columns)]
        for one in Field:
            self.fields[_name(one)] = forms.ChoiceField(label=headers.TITLES[one], choices=choices, required=False)

    @property
    def main(self) -> list[forms.BoundField]:
        return [self[_name(one)] for one in MAIN]

    @property
    def further(self) -> list[forms.BoundField]:
        return [self[_name(one)] for one in FURTHER]

    @property
    def ways(self) -> list[forms.BoundField]:
        return [self[name] for name in ("dates", "decimal", "sign", "incoming", "currency", "payment_method", "source")]

    @property
    def reading(self) -> Reading:
        """What is asked for; valid forms only. A person has looked at it."""
        given = self.cleaned_data
        return Reading(
            columns={one: given[_name(one)] for one in Field if given[_name(one)]},
            dates=DateFormat(given["dates"]),
            decimal=DecimalSign(given["decimal"]),
            sign=Sign(given["sign"]),
            incoming=Incoming(given["incoming"]),
            currency=given["currency"].upper(),
            payment_method=given["payment_method"],
        )


def _name(field: Field) -> str:
    return f"column_{field.value}"


def _initial(reading: Reading) -> dict[str, str]:
    columns = {_name(field): column for field, column in reading.columns.items()}
    ways = {name: getattr(reading, name) for name in ("dates", "decimal", "sign", "incoming", "currency", "payment_method")}
    return {**columns, **ways}


def currency_choices() -> list[str]:
    return sorted(currencies.EXPONENTS)
