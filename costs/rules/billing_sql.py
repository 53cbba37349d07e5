"""The questions asked of a billing file, in SQL: one generator, two dialects (DuckDB here, Athena over the export bucket).

A file's rows become charges: whose, when, for what, in five metrics. What a row lacks is its *fault*, as text
`column|reason`, and such a row is counted and told, never guessed at. Amounts have twelve decimal places.

Amortized costs of a Cost and Usage Report follow AWS's own rules (AWS Data Exports user guide, "Understanding Savings Plans" and
"Understanding your reservations"): a covered hour at its effective cost, fees only for what they left unused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from costs.rules import billing_columns, billing_lines
from costs.rules.billing_formats import Header
from costs.rules.billing_tag_sql import TagColumns
from costs.rules.sql_dialects import LONGEST_NAME, Dialect, is_nothing, literal

METRICS = ("unblended", "blended", "amortized", "net_unblended", "net_amortized")
KEYS = ("month", "day", "payer", "account", "currency", "service", "region", "record_type", "usage_type")

MONEY = "DECIMAL(38, 12)"
_FINE = "DECIMAL(38, 20)"  # to tell how much the rounding to twelve places takes away
_LARGEST = "10000000000000000"  # sixteen digits before the point are kept
NO_REGION = "NoRegion"


@dataclass(frozen=True, slots=True)
class Query:
    """A billing file's questions in one dialect. `source` is what stands behind FROM."""

    dialect: Dialect
    header: Header
    source: str
    maps: frozenset[str] = frozenset()  # columns that are maps, as Parquet has them
    tags: Mapping[str, str] = field(default_factory=dict)  # keys that are wanted, by the column that each becomes

    @property
    def _tags(self) -> TagColumns:
        return TagColumns(self.dialect, self.header, self.maps)

    @property
    def told_tags(self) -> list[str]:
        """Of the wanted tags, the columns of those that the file has a place for."""
        return [column for column, key in self.tags.items() if self._tags.value(key) is not None]

    def tag_names(self) -> str | None:
        """The names of all tags, as the file writes them; None where no one column holds them."""
        return self._tags.names(self.source)

    @property
    def output(self) -> tuple[str, ...]:
        """What `aggregate` tells of each group, in this order."""
        return (*KEYS, *self.told_tags, "fault", "account_name", *METRICS, "exact", "lines")

    def aggregate(self) -> str:
        """Charges summed by everything that is kept of them, good and bad rows apart."""
        keys = ", ".join((*KEYS, *self.told_tags))
        sums = ", ".join(f"SUM({metric}) AS {metric}" for metric in METRICS)
        return (
            f"SELECT {keys}, fault, MAX(account_name) AS account_name, {sums}, SUM(exact) AS exact, COUNT(*) AS lines "
            f"FROM ({self.charges()}) charges GROUP BY {keys}, fault"
        )

    def lines(self) -> str:
        """Each good row as a charge with its tags and, under `told_` and their names, the columns of FOCUS beside it."""
        charge = {name: f"{_kept(name, sql)} AS {name}" for name, sql in self._charge().items()}
        selected = ", ".join(charge.get(name, name) for name in self.line_names)
        return f"SELECT {selected} FROM ({self._told(self._beside())}) told WHERE fault IS NULL"

    @property
    def line_names(self) -> tuple[str, ...]:
        """What `lines` tells of each row, in this order."""
        return (*self._charge(), *self._told_columns(), *self.told_tags, "told_Tags")

    def _told_columns(self) -> dict[str, str]:
        found = billing_lines.columns(self.header.format)
        told = {name: [self._clean(one) for one in of if self._has(one)] for name, of in found.items()}
        texts = {name: f"COALESCE({', '.join(found)}, NULL)" for name, found in told.items() if found}
        return {f"told_{name}": _typed(name, text) for name, text in texts.items()}

    def _beside(self) -> str:
        """What `lines` tells besides the charge, made of the columns as they stand in the file."""
        columns = {**self._told_columns(), "told_Tags": self._tags.all() or _NOTHING}
        return "".join(f", {sql} AS {name}" for name, sql in columns.items())

    def charges(self) -> str:
        """Each row as a charge. Faulty rows keep their fault and nothing that would have to be guessed."""
        values = {**self._charge(), **{column: column for column in self.told_tags}, "fault": "fault"}
        good = {
            name: sql if name == "fault" else f"CASE WHEN fault IS NULL THEN {_kept(name, sql)} END"
            for name, sql in values.items()
        }
        selected = ", ".join(f"{sql} AS {name}" for name, sql in good.items())
        return f"SELECT {selected} FROM ({self._told()}) told"

    def faults(self) -> str:
        """The faulty rows only, numbered from 1 as they come in the file, with the text that is at fault."""
        column = "split_part(fault, '|', 1)"
        cases = " ".join(f"WHEN {literal(name)} THEN {self._text(name)}" for name, _, _ in self._faults())
        return (
            f"SELECT number, {column} AS name, split_part(fault, '|', 2) AS reason, CASE {column} {cases} END AS found FROM "
            f"(SELECT row_number() OVER () AS number, * FROM ({self._told()}) told) numbered WHERE fault IS NOT NULL"
        )

    def _told(self, beside: str = "") -> str:
        """The file's rows with cleaned text in the columns that are needed, and the fault of each. `beside`: further columns."""
        texts = ", ".join(
            (
                *(f"{self._clean(name)} AS {_alias(name)}" for name in self._needed()),
                *(f"{self._tags.value(self.tags[column])} AS {column}" for column in self.told_tags),
            )
        )
        cases = " ".join(f"WHEN {condition} THEN {literal(f'{name}|{why}')}" for name, condition, why in self._faults())
        cleaned = f"SELECT {texts}{beside} FROM {self.source}"
        return f"SELECT *, CASE {cases} END AS fault FROM (SELECT *, {self._typed()} FROM ({cleaned}) cleaned) typed"

    def _typed(self) -> str:
        """Amounts and days of the cleaned text, each made once: what they are asked for follows from these columns."""
        days, amounts, total = billing_columns.FOCUS_TYPED if self.header.format.is_focus else billing_columns.CUR_TYPED
        made = [f"{_date(_alias(name))} AS {_alias(name)}_day" for name in days]
        made += [f"TRY_CAST({_alias(name)} AS {MONEY}) AS {_alias(name)}_money" for name in amounts if self._has(name)]
        return ", ".join([*made, f"TRY_CAST({_alias(total)} AS {_FINE}) AS fine"])

    def _needed(self) -> tuple[str, ...]:
        wanted = billing_columns.FOCUS if self.header.format.is_focus else billing_columns.CUR
        return tuple(name for name in wanted if self._has(name))

    def _has(self, name: str) -> bool:
        return self.header.name_of(name) is not None or self._within(name) is not None

    def _within(self, name: str) -> tuple[str, str] | None:
        """The column that holds `name` under a key: CUR 2.0 has what few products tell in maps."""
        holder, inside = billing_columns.IN_MAPS.get(name, ("", ""))
        column = self.header.name_of(holder) if holder else None
        return None if column is None else (column, inside)

    def _column(self, name: str) -> str:
        own = self.header.name_of(name)
        if own is not None:
            return f"CAST({self.dialect.quoted(own)} AS VARCHAR)"
        column, inside = self._within(name) or (name, "")
        told = self.dialect.of_map if column in self.maps else self.dialect.of_json
        return told.format(self.dialect.quoted(column), literal(inside))

    def _clean(self, name: str) -> str:
        """Text without blanks; what exports write for nothing is nothing."""
        text = f"TRIM({self._column(name)})"
        return f"CASE WHEN {is_nothing(text)} THEN NULL ELSE {text} END"

    def _text(self, name: str) -> str:
        """The cleaned text of `name`; NULL where the file has no such column."""
        return _alias(name) if self._has(name) else _NOTHING

    def _first(self, *names: str) -> str:
        found = [_alias(name) for name in names if self._has(name)]
        return f"COALESCE({', '.join([*found, _NOTHING])})" if found else _NOTHING

    def _money(self, name: str) -> str:
        """Exact, rounded to twelve places; NULL where it is no number."""
        return f"{_alias(name)}_money" if self._has(name) else f"CAST(NULL AS {MONEY})"

    def _faults(self) -> Iterator[tuple[str, str, str]]:
        yield from self._focus_faults() if self.header.format.is_focus else self._cur_faults()

    def _shared_faults(self, payer: str, accounts: str, days: tuple[str, str], currency: str) -> Iterator[tuple[str, str, str]]:
        yield payer, f"{self._text(payer)} IS NULL", "is empty"
        for name in (payer, accounts):
            if self._has(name):
                text = self._text(name)
                yield name, f"{text} IS NOT NULL AND NOT {self.dialect.is_number.format(text)}", _NO_ACCOUNT
        for name in days:
            yield name, f"{self._text(name)} IS NULL", "is empty"
            yield name, f"{_alias(name)}_day IS NULL", "is no date"
            yield name, _elsewhere(self._text(name)), "is not in UTC"
        yield currency, f"{self._text(currency)} IS NULL", "is empty"
        yield currency, f"LENGTH({self._text(currency)}) <> 3", "is no currency of three letters"

    def _amount_faults(self, name: str, *, needed: bool) -> Iterator[tuple[str, str, str]]:
        if not self._has(name):
            return
        if needed:
            yield name, f"{self._text(name)} IS NULL", "is empty"
        yield name, f"{self._text(name)} IS NOT NULL AND {self._money(name)} IS NULL", "is no number"
        yield name, f"ABS({self._money(name)}) >= {_LARGEST}", "is larger than is kept"

    def _focus_faults(self) -> Iterator[tuple[str, str, str]]:
        yield from self._shared_faults(
            "BillingAccountId", "SubAccountId", ("BillingPeriodStart", "ChargePeriodStart"), "BillingCurrency"
        )
        yield "ChargeCategory", f"{self._text('ChargeCategory')} IS NULL", "is empty"
        for name in ("BilledCost", "EffectiveCost"):
            yield from self._amount_faults(name, needed=True)
        for name in ("x_BlendedCost", "x_NetUnblendedCost", "x_NetAmortizedCost"):
            yield from self._amount_faults(name, needed=False)
        yield from self._long_names("ServiceName", "RegionId", "SkuMeter", "x_UsageType", "x_RecordType")

    def _cur_faults(self) -> Iterator[tuple[str, str, str]]:
        days = ("bill_billing_period_start_date", "line_item_usage_start_date")
        yield from self._shared_faults("bill_payer_account_id", "line_item_usage_account_id", days, "line_item_currency_code")
        yield "line_item_line_item_type", f"{self._text('line_item_line_item_type')} IS NULL", "is empty"
        yield from self._amount_faults("line_item_unblended_cost", needed=True)
        for name in billing_columns.CUR_AMOUNTS:
            yield from self._amount_faults(name, needed=False)
        yield from self._long_names("product_product_name", "line_item_product_code", "line_item_usage_type", "product_region")

    def _long_names(self, *names: str) -> Iterator[tuple[str, str, str]]:
        for name in names:
            if self._has(name):
                yield name, f"LENGTH({self._text(name)}) > {LONGEST_NAME}", "is longer than any name"

    def _charge(self) -> dict[str, str]:
        return self._focus_charge() if self.header.format.is_focus else self._cur_charge()

    def _when(self, billed: str, charged: str) -> dict[str, str]:
        """The month is the bill's. A charge for a day outside of it is put on the month's nearest day, so that months add up."""
        first = f"DATE_TRUNC('month', {_alias(billed)}_day)"
        last = f"({first} + INTERVAL '1' MONTH - INTERVAL '1' DAY)"
        day = f"{_alias(charged)}_day"
        return {
            "month": f"CAST({first} AS DATE)",
            "day": f"CAST(GREATEST({first}, LEAST({last}, CAST({day} AS TIMESTAMP))) AS DATE)",
        }

    def _focus_charge(self) -> dict[str, str]:
        billed, effective = self._money("BilledCost"), self._money("EffectiveCost")
        return {
            **self._when("BillingPeriodStart", "ChargePeriodStart"),
            "payer": self._text("BillingAccountId"),
            "account": self._first("SubAccountId", "BillingAccountId"),
            "account_name": self._first("SubAccountName"),
            "currency": f"UPPER({self._text('BillingCurrency')})",
            "service": self._first("ServiceName", "x_ServiceCode", "ChargeCategory"),
            "region": f"COALESCE({self._first('RegionId', 'RegionName')}, {literal(NO_REGION)})",
            "record_type": self._focus_record_type(),
            "usage_type": f"COALESCE({self._first('x_UsageType', 'SkuMeter')}, 'NoUsageType')",
            "unblended": billed,
            "blended": f"COALESCE({self._money('x_BlendedCost')}, {billed})",
            "amortized": effective,
            # FOCUS counts after discounts, so the net amounts are these as well unless the file tells its own.
            "net_unblended": f"COALESCE({self._money('x_NetUnblendedCost')}, {billed})",
            "net_amortized": f"COALESCE({self._money('x_NetAmortizedCost')}, {effective})",
            "exact": "fine",
        }

    def _focus_record_type(self) -> str:
        category = f"LOWER({self._text('ChargeCategory')})"
        correction = f"LOWER({self._text('ChargeClass')}) = 'correction'"
        plan = f"LOWER({self._text('CommitmentDiscountType')}) LIKE '%saving%'"
        committed = f"{self._text('CommitmentDiscountId')} IS NOT NULL"
        unused = f"LOWER({self._text('CommitmentDiscountStatus')}) = 'unused'"
        once = f"LOWER({self._text('ChargeFrequency')}) LIKE 'one%'"
        cases = [
            (f"{self._text('x_RecordType')} IS NOT NULL", self._text("x_RecordType")),
            (f"{category} = 'tax'", "'Tax'"),
            (f"{category} = 'credit'", "'Credit'"),
            (correction, "'Refund'"),
            (f"LOWER({self._text('ServiceName')}) LIKE '%aws support%'", "'Support'"),
            (f"{category} = 'purchase' AND {committed} AND {plan} AND {once}", "'SavingsPlanUpfrontFee'"),
            (f"{category} = 'usage' AND {committed} AND {plan} AND {unused}", "'SavingsPlanRecurringFee'"),
            (f"{category} = 'purchase' AND {committed} AND {plan}", "'SavingsPlanRecurringFee'"),
            (f"{category} = 'purchase' AND {committed} AND {once}", "'Upfront'"),
            (f"{category} IN ('purchase', 'usage') AND {committed} AND ({category} = 'purchase' OR {unused})", "'Recurring'"),
            (f"{category} = 'usage' AND {committed} AND {plan}", "'SavingsPlanCoveredUsage'"),
            (f"{category} = 'usage' AND {committed}", "'DiscountedUsage'"),
            (f"{category} = 'usage'", "'Usage'"),
            (f"{category} = 'purchase'", "'Fee'"),
            (f"{category} = 'adjustment'", "'Other'"),
        ]
        return _case(cases, self._text("ChargeCategory"))

    def _cur_charge(self) -> dict[str, str]:
        kind = "LOWER(line_item_line_item_type)"
        net = f"COALESCE({self._money('line_item_net_unblended_cost')}, {self._money('line_item_unblended_cost')})"
        return {
            **self._when("bill_billing_period_start_date", "line_item_usage_start_date"),
            "payer": self._text("bill_payer_account_id"),
            "account": self._first("line_item_usage_account_id", "bill_payer_account_id"),
            "account_name": self._first("line_item_usage_account_name"),
            "currency": f"UPPER({self._text('line_item_currency_code')})",
            "service": self._first("product_product_name", "line_item_product_code", "line_item_line_item_type"),
            "region": f"COALESCE({self._first('product_region_code', 'product_region')}, {literal(NO_REGION)})",
            "record_type": self._cur_record_type(kind),
            "usage_type": f"COALESCE({self._first('line_item_usage_type')}, 'NoUsageType')",
            "unblended": self._money("line_item_unblended_cost"),
            "blended": f"COALESCE({self._money('line_item_blended_cost')}, {self._money('line_item_unblended_cost')})",
            "amortized": self._amortized(kind, net="", otherwise=self._money("line_item_unblended_cost")),
            "net_unblended": net,
            "net_amortized": self._amortized(kind, net="net_", otherwise=net),
            "exact": "fine",
        }

    def _amortized(self, kind: str, *, net: str, otherwise: str) -> str:
        """`net`: the prefix of the columns after discounts; a file without them has none that differ."""
        plan = self._or_zero(f"savings_plan_{net}savings_plan_effective_cost", "savings_plan_savings_plan_effective_cost")
        reserved = self._or_zero(f"reservation_{net}effective_cost", "reservation_effective_cost")
        unused = " + ".join(
            self._or_zero(f"reservation_{net}{name}", f"reservation_{name}")
            for name in ("unused_amortized_upfront_fee_for_billing_period", "unused_recurring_fee")
        )
        left = f"{self._or_zero('savings_plan_total_commitment_to_date')} - {self._or_zero('savings_plan_used_commitment')}"
        bought = f"{kind} = 'fee' AND {self._text('reservation_reservation_a_r_n')} IS NOT NULL"
        cases = [
            (f"{kind} = 'savingsplancoveredusage'", plan),
            (f"{kind} = 'savingsplanrecurringfee'", left),
            (f"{kind} IN ('savingsplannegation', 'savingsplanupfrontfee')", f"CAST(0 AS {MONEY})"),
            (f"{kind} = 'discountedusage'", reserved),
            (f"{kind} = 'rifee'", unused),
            (bought, f"CAST(0 AS {MONEY})"),
        ]
        return f"CAST({_case(cases, otherwise)} AS {MONEY})"

    def _or_zero(self, *names: str) -> str:
        """The first of the amounts that the row tells; these columns are empty where there is nothing to tell."""
        return f"COALESCE({', '.join(self._money(name) for name in names)}, CAST(0 AS {MONEY}))"

    def _cur_record_type(self, kind: str) -> str:
        """Cost Explorer's words for the report's line item types, so that both count as the same."""
        code = self._text("line_item_product_code")
        cases = [
            (
                f"{kind} IN ('usage', 'fee') AND (LOWER({code}) LIKE 'awssupport%' OR LOWER({code}) LIKE '%premiumsupport%')",
                "'Support'",
            ),
            (f"{kind} = 'rifee'", "'Recurring'"),
            (f"{kind} = 'fee' AND {self._text('reservation_reservation_a_r_n')} IS NOT NULL", "'Upfront'"),
            (f"{kind} = 'edpdiscount'", "'Enterprise Discount Program Discount'"),
            (f"{kind} = 'privateratediscount'", "'Private Rate Card Discount'"),
            (f"{kind} = 'spprdiscount'", "'Solution Provider Program Discount'"),
        ]
        return _case(cases, "line_item_line_item_type")


_TEXTS = frozenset(("account_name", "currency", "service", "region", "record_type", "usage_type"))
_NOTHING = "CAST(NULL AS VARCHAR)"
_NO_ACCOUNT = "is no AWS account number"


def _kept(name: str, sql: str) -> str:
    """No database keeps a NUL in text."""
    return f"REPLACE({sql}, CHR(0), '')" if name in _TEXTS else sql


def _typed(name: str, text: str) -> str:
    """Moments in FOCUS's way of writing them, amounts as they are kept; everything else stays text."""
    if name in billing_lines.MOMENTS:
        return f"STRFTIME(TRY_CAST({text} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ')"
    if name in billing_lines.AMOUNTS:
        return f"TRY_CAST({text} AS {MONEY})"
    return f"REPLACE({text}, CHR(0), '')"


def _alias(name: str) -> str:
    return name.lower()


def _date(text: str) -> str:
    return f"TRY_CAST(SUBSTR({text}, 1, 10) AS DATE)"


def _elsewhere(text: str) -> str:
    """Whether a time names an offset from UTC that is none."""
    tail = f"SUBSTR({text}, 11)"
    # Twenty letters are a moment with Z at its end, which most are: no need to look closer.
    named = f"({tail} LIKE '%+%' OR {tail} LIKE '%-%')"
    return f"LENGTH({text}) > 20 AND {named} AND {tail} NOT LIKE '%+00%' AND {tail} NOT LIKE '%-00%'"


def _case(cases: list[tuple[str, str]], otherwise: str) -> str:
    """Conditions on columns that the file has not got are never true, so they may stand."""
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases)} ELSE {otherwise} END"
