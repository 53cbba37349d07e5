"""What the cells of a row mean: which column is what, how days and amounts are written, and what an expense is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from expenses.rules import currencies, wording
from expenses.rules.entries import Entry
from expenses.rules.importing import amounts, dates, headers
from expenses.rules.importing.amounts import Amount, DecimalSign, NotAnAmount
from expenses.rules.importing.dates import DateFormat, NotADay
from expenses.rules.importing.headers import Field
from expenses.rules.importing.tables import Cell, Format, Layout, Row


class Sign(StrEnum):
    """What a plain figure in the amount column is."""

    SPENT_IS_POSITIVE = "positive"
    SPENT_IS_NEGATIVE = "negative"


class Incoming(StrEnum):
    """What to do with money that came in."""

    LEAVE_OUT = "leave_out"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Reading:
    """`columns`: field → column. `currency` and `payment_method`: of rows that name none. `is_sure`: False where the order of
    day and month could not be told."""

    columns: Mapping[Field, str] = field(default_factory=dict)
    dates: DateFormat = DateFormat.YMD
    decimal: DecimalSign = DecimalSign.POINT
    sign: Sign = Sign.SPENT_IS_POSITIVE
    incoming: Incoming = Incoming.LEAVE_OUT
    currency: str = ""
    payment_method: str = ""
    is_sure: bool = True

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "columns": {str(name): column for name, column in self.columns.items()}}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Reading:
        """What `as_json` wrote."""
        return cls(
            columns={Field(name): column for name, column in kept["columns"].items()},
            dates=DateFormat(kept["dates"]),
            decimal=DecimalSign(kept["decimal"]),
            sign=Sign(kept["sign"]),
            incoming=Incoming(kept["incoming"]),
            currency=kept["currency"],
            payment_method=kept["payment_method"],
            is_sure=kept["is_sure"],
        )

    @property
    def lacks(self) -> list[str]:
        """What has to be said before rows can be read, in words."""
        missing = [] if Field.DATE in self.columns else ["the column of the date"]
        if not {Field.AMOUNT, Field.DEBIT, Field.CREDIT} & self.columns.keys():
            missing.append("the column of the amount")
        if not self.currency and Field.CURRENCY not in self.columns:
            missing.append("the currency")
        return missing


class NotAnExpense(ValueError):
    """The row cannot become an expense; the message says why in plain words."""


_LONGEST = {
    Field.PAYEE: 200,
    Field.DESCRIPTION: 500,
    Field.CATEGORY: 80,
    Field.SUBCATEGORY: 80,
    Field.PAYMENT_METHOD: 80,
    Field.LOCATION: 200,
    Field.NOTES: 4000,
    Field.EXTERNAL_ID: 200,
}
_LARGEST_POWER = 15  # of ten; arithmetic with far larger ones fails
_OUT = frozenset(["d", "dr", "debit", "dbit", "s", "soll", "af", "out", "-", "belastung", "withdrawal"])
_IN = frozenset(["c", "cr", "credit", "crdt", "h", "haben", "bij", "in", "+", "gutschrift", "deposit"])


def parse(row: Row, reading: Reading) -> Entry:
    """Texts are cut to what is kept. Raises NotAnExpense."""
    try:
        day = _day(row, reading)
        amount = _cost(row, reading)
    except (NotADay, NotAnAmount) as error:
        raise NotAnExpense(str(error)) from error
    currency = _currency(row, reading, amount)
    try:
        cost = currencies.amount_of(amount.value, currency)
    except currencies.NotAnAmount as error:
        raise NotAnExpense(str(error)) from error
    if not cost:
        raise NotAnExpense("The amount is zero.")
    category, subcategory = _text(row, reading, Field.CATEGORY), _text(row, reading, Field.SUBCATEGORY)
    return Entry(
        date=day,
        cost=cost,
        currency=currency,
        payee=_text(row, reading, Field.PAYEE),
        description=_text(row, reading, Field.DESCRIPTION),
        category=category or subcategory,
        subcategory=subcategory if category else "",
        payment_method=_text(row, reading, Field.PAYMENT_METHOD) or reading.payment_method,
        location=_text(row, reading, Field.LOCATION),
        tags=_tags(row, reading),
        notes=_notes(row, reading),
        external_id=_text(row, reading, Field.EXTERNAL_ID),
    )


def _cell(row: Row, reading: Reading, wanted: Field) -> Cell:
    return row.cells.get(reading.columns.get(wanted, ""), "")


def _text(row: Row, reading: Reading, wanted: Field) -> str:
    text = " ".join(str(_cell(row, reading, wanted)).split())
    return text[: _LONGEST[wanted]]


def _notes(row: Row, reading: Reading) -> str:
    return str(_cell(row, reading, Field.NOTES)).strip()[: _LONGEST[Field.NOTES]]


def _tags(row: Row, reading: Reading) -> tuple[str, ...]:
    text = str(_cell(row, reading, Field.TAGS))
    given = text.split(";") if ";" in text else text.split(",")
    return tuple(one[: wording.MAX_TAG] for one in wording.tags_of(given)[: wording.MAX_TAGS])


def _day(row: Row, reading: Reading) -> date:
    cell = _cell(row, reading, Field.DATE)
    if isinstance(cell, date):
        return dates.parse(cell.isoformat(), DateFormat.YMD)
    if isinstance(cell, Decimal):
        # A number in a workbook is Excel's day, unless it reads as one: 20260131.
        solid = reading.dates is not DateFormat.EXCEL and len(str(cell)) == 8
        return dates.parse(str(cell), reading.dates if solid else DateFormat.EXCEL)
    return dates.parse(cell, reading.dates)


def _cost(row: Row, reading: Reading) -> Amount:
    """Positive for money spent."""
    if Field.AMOUNT in reading.columns:
        amount = _amount(_cell(row, reading, Field.AMOUNT), reading)
        spent = amount.value if reading.sign is Sign.SPENT_IS_POSITIVE else -amount.value
        return Amount(_directed(row, reading, spent), amount.currency)
    debit, credit = (_cell(row, reading, one) for one in (Field.DEBIT, Field.CREDIT))
    if not str(debit).strip() and not str(credit).strip():
        raise NotAnAmount("Neither money out nor money in is given.")
    out, came = (_amount(cell, reading) if str(cell).strip() else Amount(Decimal(0)) for cell in (debit, credit))
    # Some banks write a minus before what went out; the column says so already.
    return Amount(abs(out.value) - abs(came.value), out.currency or came.currency)


def _directed(row: Row, reading: Reading, spent: Decimal) -> Decimal:
    if Field.DIRECTION not in reading.columns:
        return spent
    word = str(_cell(row, reading, Field.DIRECTION)).strip().casefold()
    if word in _OUT:
        return abs(spent)
    if word in _IN:
        return -abs(spent)
    raise NotAnAmount(f"“{word[:40]}” says neither debit nor credit.")


def _amount(cell: Cell, reading: Reading) -> Amount:
    if isinstance(cell, Decimal):
        if not cell.is_finite() or cell.adjusted() > _LARGEST_POWER:
            raise NotAnAmount("The amount is too large.")
        return Amount(cell)
    if isinstance(cell, date):
        raise NotAnAmount(f"{cell.isoformat()} is a day, not an amount.")
    return amounts.parse(cell, reading.decimal)


def _currency(row: Row, reading: Reading, amount: Amount) -> str:
    named = _text_of_currency(row, reading)
    if named and amount.currency and named != amount.currency:
        raise NotAnExpense(f"The currency is {named} in one column and {amount.currency} beside the amount.")
    currency = named or amount.currency or reading.currency
    if not currency:
        raise NotAnExpense("The currency is missing.")
    return currency


def _text_of_currency(row: Row, reading: Reading) -> str:
    text = str(_cell(row, reading, Field.CURRENCY)).strip().upper()
    return next((code for sign, code in amounts.SIGNS.items() if text == sign), text)


# --- recognition

_STRUCTURED: dict[Format, Mapping[Field, str]] = {
    Format.OFX: {
        Field.DATE: "Date",
        Field.AMOUNT: "Amount",
        Field.CURRENCY: "Currency",
        Field.PAYEE: "Payee",
        Field.DESCRIPTION: "Description",
        Field.EXTERNAL_ID: "Transaction id",
    },
    Format.CAMT: {
        Field.DATE: "Date",
        Field.AMOUNT: "Amount",
        Field.CURRENCY: "Currency",
        Field.PAYEE: "Payee",
        Field.DESCRIPTION: "Description",
        Field.EXTERNAL_ID: "Transaction id",
    },
    Format.QIF: {
        Field.DATE: "Date",
        Field.AMOUNT: "Amount",
        Field.PAYEE: "Payee",
        Field.DESCRIPTION: "Description",
        Field.CATEGORY: "Category",
        Field.SUBCATEGORY: "Subcategory",
        Field.LOCATION: "Location",
        Field.PAYMENT_METHOD: "Account",
    },
}


def recognised(columns: tuple[str, ...], rows: Sequence[Row], layout: Layout, *, currency: str) -> Reading:
    """What the columns probably mean, by their titles and the sampled rows. `currency`: of rows that name none."""
    found = _STRUCTURED.get(layout.format)
    meant = dict(found) if found else headers.meanings(columns)
    if found is None:
        _by_content(meant, columns, rows)
    guess = dates.recognised(_sample(rows, meant.get(Field.DATE)))
    figures = _figures(rows, meant)
    otherwise = DecimalSign.COMMA if layout.delimiter == ";" and layout.format is Format.CSV else DecimalSign.POINT
    reading = Reading(
        columns=meant,
        dates=guess.format,
        decimal=amounts.recognised(figures, otherwise=otherwise),
        currency=currency,
        is_sure=guess.is_sure,
    )
    return replace(reading, sign=_sign(rows, reading, is_statement=found is not None))


def _by_content(meant: dict[Field, str], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Where titles do not tell: the first column of days is the date, the last one of figures the amount."""
    free = [column for column in columns if column not in meant.values()]
    if Field.DATE not in meant and (day := next((one for one in free if _mostly_days(rows, one)), None)):
        meant[Field.DATE] = day
        free.remove(day)
    if not {Field.AMOUNT, Field.DEBIT, Field.CREDIT} & meant.keys():
        figures = [one for one in free if _mostly_figures(rows, one)]
        if figures:
            meant[Field.AMOUNT] = figures[-1]
            free.remove(figures[-1])
    if not {Field.PAYEE, Field.DESCRIPTION} & meant.keys():
        texts = [one for one in free if not _mostly_figures(rows, one) and any(row.text(one) for row in rows)]
        if texts:
            meant[Field.DESCRIPTION] = max(texts, key=lambda one: len({row.text(one) for row in rows}))


def _mostly_days(rows: Sequence[Row], column: str) -> bool:
    cells = [row.cells.get(column, "") for row in rows if row.text(column)]
    texts = [str(cell) for cell in cells]
    if not texts or all(text.isdecimal() and len(text) < 8 for text in texts):
        return False
    guess = dates.recognised(texts)
    return _share(texts, lambda text: _is_day(text, guess.format)) > 0.8


def _is_day(text: str, format_: DateFormat) -> bool:
    try:
        dates.parse(text, format_)
    except NotADay:
        return False
    return True


def _mostly_figures(rows: Sequence[Row], column: str) -> bool:
    texts = [row.text(column) for row in rows if row.text(column)]
    return bool(texts) and _share(texts, lambda text: any(_is_amount(text, sign) for sign in DecimalSign)) > 0.8


def _is_amount(text: str, sign: DecimalSign) -> bool:
    try:
        amounts.parse(text, sign)
    except NotAnAmount:
        return False
    return True


def _share(texts: Sequence[str], fits: Callable[[str], bool]) -> float:
    return sum(map(fits, texts)) / len(texts)


def _sample(rows: Sequence[Row], column: str | None) -> list[str]:
    """Texts of a column; cells that are days or numbers already need no recognition."""
    cells = (row.cells.get(column or "", "") for row in rows)
    return [cell for cell in cells if isinstance(cell, str) and cell.strip()]


def _figures(rows: Sequence[Row], meant: Mapping[Field, str]) -> list[str]:
    columns = (meant.get(one) for one in (Field.AMOUNT, Field.DEBIT, Field.CREDIT))
    return [text for column in columns if column for text in _sample(rows, column)]


def _sign(rows: Sequence[Row], reading: Reading, *, is_statement: bool) -> Sign:
    """A statement writes what was spent with a minus, a list of expenses without."""
    if is_statement:
        return Sign.SPENT_IS_NEGATIVE
    if Field.AMOUNT not in reading.columns or Field.DIRECTION in reading.columns:
        return Sign.SPENT_IS_POSITIVE
    values = []
    for row in rows:
        try:
            values.append(_amount(_cell(row, reading, Field.AMOUNT), reading).value)
        except NotAnAmount:
            continue
    below = sum(value < 0 for value in values)
    return Sign.SPENT_IS_NEGATIVE if below * 2 > len(values) else Sign.SPENT_IS_POSITIVE
