"""Which column means what, told by its title; and in which row the titles are."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from enum import StrEnum


class Field(StrEnum):
    """What a column can mean."""

    DATE = "date"
    AMOUNT = "amount"
    DEBIT = "debit"
    CREDIT = "credit"
    DIRECTION = "direction"
    CURRENCY = "currency"
    PAYEE = "payee"
    DESCRIPTION = "description"
    CATEGORY = "category"
    SUBCATEGORY = "subcategory"
    PAYMENT_METHOD = "payment_method"
    LOCATION = "location"
    TAGS = "tags"
    NOTES = "notes"
    EXTERNAL_ID = "external_id"


TITLES = {
    Field.DATE: "Date",
    Field.AMOUNT: "Amount",
    Field.DEBIT: "Money out (debit)",
    Field.CREDIT: "Money in (credit)",
    Field.DIRECTION: "Debit or credit",
    Field.CURRENCY: "Currency",
    Field.PAYEE: "Payee",
    Field.DESCRIPTION: "Description",
    Field.CATEGORY: "Category",
    Field.SUBCATEGORY: "Subcategory",
    Field.PAYMENT_METHOD: "Payment method",
    Field.LOCATION: "Location",
    Field.TAGS: "Tags",
    Field.NOTES: "Notes",
    Field.EXTERNAL_ID: "Id at the source",
}

# The better title first: of "Booking date" and "Value date" the former is taken.
_WORDS: dict[Field, tuple[str, ...]] = {
    Field.DATE: (
        "date", "transaction date", "booking date", "posted date", "posting date", "date posted", "completed date",
        "started date",
        "buchungstag", "buchungsdatum", "datum", "umsatzdatum", "date operation", "date d operation", "date de comptabilisation",
        "fecha", "fecha operacion", "data", "data operazione", "boekdatum", "transactiedatum", "value date", "valuta",
        "wertstellung", "valutadatum", "day", "when",
    ),
    Field.AMOUNT: (
        "amount", "cost", "total", "sum", "value", "price", "betrag", "umsatz", "betrag eur", "montant", "importe",
        "importo", "valor",
        "bedrag", "bedrag eur", "transaction amount", "amount eur", "amount usd", "amount gbp", "net amount", "expense",
    ),
    Field.DEBIT: (
        "debit", "debit amount", "money out", "paid out", "withdrawal", "withdrawals", "soll", "lastschrift", "belastung",
        "ausgaben",
        "debito", "cargo", "cargos", "af", "outflow", "dare", "spent",
    ),
    Field.CREDIT: (
        "credit", "credit amount", "money in", "paid in", "deposit", "deposits", "haben", "gutschrift", "einnahmen",
        "credito", "abono",
        "abonos", "bij", "inflow", "avere", "received",
    ),
    Field.DIRECTION: (
        "debit credit", "credit debit", "dr cr", "cr dr", "soll haben", "s h", "af bij", "credit debit indicator", "cdtdbtind",
        "direction", "sens",
    ),
    Field.CURRENCY: (
        "currency", "currency code", "wahrung", "waehrung", "devise", "moneda", "divisa", "valuta code", "munt", "moeda", "ccy",
    ),
    Field.PAYEE: (
        "payee", "merchant", "merchant name", "vendor", "name", "counterparty", "beneficiary", "recipient", "supplier", "shop",
        "empfanger", "empfaenger", "auftraggeber", "auftraggeber empfanger", "beguenstigter zahlungspflichtiger",
        "begunstigter zahlungspflichtiger", "zahlungsempfanger", "name zahlungsbeteiligter", "beneficiaire", "beneficiario",
        "comercio", "naam omschrijving", "tegenpartij", "esercente",
    ),
    Field.DESCRIPTION: (
        "description", "transaction description", "details", "narrative", "memo", "reference", "particulars", "text", "purpose",
        "verwendungszweck", "buchungstext", "beschreibung", "libelle", "concepto", "descripcion", "descrizione", "causale",
        "omschrijving", "descricao", "item", "what",
    ),
    Field.CATEGORY: ("category", "kategorie", "categorie", "categoria", "expense type", "type of expense"),
    Field.SUBCATEGORY: ("subcategory", "sub category", "unterkategorie", "sous categorie", "subcategoria"),
    Field.PAYMENT_METHOD: (
        "payment method", "paymentmethod", "method", "account", "card", "paid with", "paid by", "zahlungsart", "konto", "compte",
        "moyen de paiement", "metodo de pago", "account name",
    ),
    Field.LOCATION: ("location", "place", "city", "ort", "lieu", "lugar", "plaats", "address"),
    Field.TAGS: ("tags", "labels", "tag", "label", "schlagworte"),
    Field.NOTES: ("notes", "note", "comment", "comments", "remarks", "remark", "notiz", "notizen", "bemerkung"),
    Field.EXTERNAL_ID: (
        "external id", "externalid", "transaction id", "transactionid", "id", "fitid", "reference number", "unique id", "uuid",
        "referenznummer",
    ),
}  # fmt: skip


_LONGEST_FIGURE = 60  # characters: where the signs behind a figure begin is tried from each of them


def plain(title: str) -> str:
    """A title without case, accents and signs: "Währung (EUR)" is "wahrung eur", "SubCategory" is "sub category"."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title)
    letters = unicodedata.normalize("NFKD", spaced).casefold().replace("ß", "ss")
    return " ".join(re.findall(r"[a-z0-9]+", "".join(sign for sign in letters if not unicodedata.combining(sign))))


def meanings(columns: Sequence[str]) -> dict[Field, str]:
    """Which column is which field, as far as titles tell. A column means one thing; each field has one column at most."""
    titles = {column: plain(column) for column in columns}
    found: dict[Field, str] = {}
    for field, words in _WORDS.items():
        ranked = [(words.index(title), column) for column, title in titles.items() if title in words]
        free = [(rank, column) for rank, column in ranked if column not in found.values()]
        if free:
            found[field] = min(free)[1]
    if Field.DEBIT in found and Field.CREDIT not in found and Field.AMOUNT in found:
        del found[Field.DEBIT]
    return found


def known(cells: Sequence[str]) -> int:
    """How many of the cells are titles that mean something."""
    return len(meanings(tuple(cell for cell in cells if cell.strip())))


def place(rows: Sequence[Sequence[str]], width: int) -> tuple[int, bool]:
    """The position of the header and True; or of the first row of the table and False where there is no header."""
    wide = [position for position, row in enumerate(rows) if len(row) >= max(width, 1) and any(cell.strip() for cell in row)]
    if not wide:
        return 0, True
    best = max(wide[:25], key=lambda position: (known(rows[position]), -position))
    if known(rows[best]) >= 2:
        return best, True
    return wide[0], not any(_is_figure(cell) for cell in rows[wide[0]])


def _is_figure(cell: str) -> bool:
    bare = cell.strip()
    return len(bare) <= _LONGEST_FIGURE and re.fullmatch(r"[^\w]*\d[\d.,:/ '\-]*[^\w]*", bare) is not None


def signature(columns: Sequence[str]) -> str:
    """The same for files whose columns have the same titles in the same order."""
    return "|".join(plain(column) or column for column in columns)[:1000]
