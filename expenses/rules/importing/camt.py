"""camt.053: a bank's statement as ISO 20022 XML. One row for each entry, or for each payment of a collected one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import IO
from xml.etree.ElementTree import Element

from expenses.rules.importing import markup
from expenses.rules.importing.markup import text
from expenses.rules.importing.tables import Cell, Layout, Row, Table, UnreadableFile

COLUMNS = ("Date", "Amount", "Currency", "Payee", "Description", "Transaction id", "Account")
_STATEMENTS = ("Stmt", "Rpt", "Ntfctn")
_WHOLE = frozenset(["Acct", "Ntry"])


def read(file: IO[bytes], layout: Layout) -> Table:
    """Booked entries; negative for what was paid. Raises UnreadableFile, also while the rows are read."""
    return Table(COLUMNS, _rows(file))


def _rows(file: IO[bytes]) -> Iterator[Row]:
    account, number, seen = "", 0, False
    inside: list[str] = []
    for event, element in markup.elements(file, whole=_WHOLE):
        if event == "start":
            inside.append(markup.tag(element))
            continue
        name, parent = inside.pop(), inside[-1] if inside else ""
        if name == "Acct" and parent in _STATEMENTS:
            account, seen = text(element, "Id/IBAN", "Id/Othr/Id"), True
        elif name == "Ntry":
            for cells in _payments(element, account):
                number += 1
                yield Row(number, cells)
    if not seen:
        raise UnreadableFile("The XML is not a camt.053 statement: it has no account.")


def _payments(entry: Element, account: str) -> Iterator[dict[str, Cell]]:
    if text(entry, "Sts/Cd", "Sts") == "PDNG":
        return
    details = [one for group in entry if markup.tag(group) == "NtryDtls" for one in group if markup.tag(one) == "TxDtls"]
    amounts = [_find_amount(one) for one in details]
    if len(details) > 1 and all(amount is not None for amount in amounts):
        for position, one in enumerate(details, start=1):
            yield _cells(entry, one, amounts[position - 1], account, f"/{position}")
    else:
        yield _cells(entry, details[0] if len(details) == 1 else None, markup.find(entry, "Amt"), account, "")


def _find_amount(details: Element) -> Element | None:
    own = markup.find(details, "Amt")
    return own if own is not None else markup.find(details, "AmtDtls/TxAmt/Amt")


def _cells(entry: Element, details: Element | None, amount: Element | None, account: str, place: str) -> dict[str, Cell]:
    one = details if details is not None else entry
    is_paid = (text(one, "CdtDbtInd") or text(entry, "CdtDbtInd")) == "DBIT"
    reference = text(one, "Refs/AcctSvcrRef") or f"{text(entry, 'AcctSvcrRef')}{place if text(entry, 'AcctSvcrRef') else ''}"
    return {
        "Date": _day(text(entry, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm")),
        "Amount": _amount(amount, is_paid=is_paid),
        "Currency": (amount.get("Ccy", "") if amount is not None else ""),
        "Payee": _party(one, is_paid=is_paid),
        "Description": _purpose(one) or text(entry, "AddtlNtryInf"),
        "Transaction id": f"{account}:{reference}" if reference else "",
        "Account": account,
    }


def _party(details: Element, *, is_paid: bool) -> str:
    """Who was paid; of what came in, who paid."""
    role = "Cdtr" if is_paid else "Dbtr"
    return text(details, f"RltdPties/{role}/Nm", f"RltdPties/{role}/Pty/Nm", f"RltdPties/Ultmt{role}/Nm")


def _purpose(details: Element) -> str:
    remittance = markup.find(details, "RmtInf")
    lines = [line.text or "" for line in remittance if markup.tag(line) == "Ustrd"] if remittance is not None else []
    return " ".join(" ".join(lines).split())


def _day(written: str) -> Cell:
    """The day as the bank writes it, whatever the zone behind it."""
    try:
        return date.fromisoformat(written[:10])
    except ValueError:
        return written


def _amount(amount: Element | None, *, is_paid: bool) -> Cell:
    written = (amount.text or "").strip() if amount is not None else ""
    if not re.fullmatch(r"\d{1,15}(?:\.\d{1,8})?", written):
        return written
    return -Decimal(written) if is_paid else Decimal(written)
