"""What a line of a billing file is charged for, to whom, when and how much, in SQL; and what is at fault with it.

A format's rules are told in two parts. What is *summed* is asked of every line: its amounts. Everything else follows from words
that many lines share, so it is asked once of all lines with the same words, after their amounts have been summed.

Amortized costs of a Cost and Usage Report follow AWS's own rules (AWS Data Exports user guide, "Understanding Savings Plans" and
"Understanding your reservations"): a covered hour at its effective cost, fees only for what they left unused.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from costs.rules import billing_columns
from costs.rules.billing_cells import MONEY, ZERO, Cells, alias, case, clean, elsewhere
from costs.rules.sql_dialects import LONGEST_NAME, literal

NO_REGION = "NoRegion"
_LARGEST = "10000000000000000"  # sixteen digits before the point are kept
_NO_ACCOUNT = "is no AWS account number"

# A column, the condition under which it is at fault, and why in words.
Fault = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Rules(ABC):
    """Of one format. `days` are when a line was billed and when charged; the first of `amounts` is what the bill adds up; `kind`
    says what it is charged for; `names` become names, which have their longest.
    """

    cells: Cells

    days: ClassVar[tuple[str, str]]
    payer: ClassVar[str]
    account: ClassVar[str]
    account_name: ClassVar[str]
    currency: ClassVar[str]
    amounts: ClassVar[Sequence[str]]
    optional_amounts: ClassVar[Sequence[str]]
    columns: ClassVar[Sequence[str]]
    kind: ClassVar[str]
    names: ClassVar[Sequence[str]]

    @abstractmethod
    def summed(self) -> dict[str, str]:
        """What is summed of each line, made of its amounts."""

    @abstractmethod
    def charge(self) -> dict[str, str]:
        """The charge, made of words and of what is `summed`."""

    @property
    def told_amounts(self) -> list[str]:
        return [name for name in (*self.amounts, *self.optional_amounts) if self.cells.has(name)]

    @property
    def words(self) -> list[str]:
        """The columns whose text matters, but for the account's name, of which any does."""
        others = {*self.amounts, *self.optional_amounts, self.account_name}
        return [name for name in self.columns if self.cells.has(name) and name not in others]

    def amount_faults(self) -> Iterator[Fault]:
        """Asked of every line, and most have none: text is looked at only where it is no number."""
        for name in self.told_amounts:
            money, text = self.cells.money(name), clean(alias(name))
            if name in self.amounts:
                yield name, f"{money} IS NULL AND {text} IS NULL", "is empty"
            yield name, f"{money} IS NULL AND {text} IS NOT NULL", "is no number"
            yield name, f"ABS({money}) >= {_LARGEST}", "is larger than is kept"

    def word_faults(self) -> tuple[list[Fault], list[Fault]]:
        """Those that are told before a faulty amount, and those after it."""
        return [*self._shared_faults(), (self.kind, f"{self.cells.text(self.kind)} IS NULL", "is empty")], list(
            self._long_names()
        )

    def _shared_faults(self) -> Iterator[Fault]:
        text = self.cells.text
        yield self.payer, f"{text(self.payer)} IS NULL", "is empty"
        for name in (self.payer, self.account):
            if self.cells.has(name):
                is_number = self.cells.dialect.fits.format(text(name), "[0-9]{12}")
                yield name, f"{text(name)} IS NOT NULL AND NOT {is_number}", _NO_ACCOUNT
        for name in self.days:
            yield name, f"{text(name)} IS NULL", "is empty"
            yield name, f"{alias(name)}_day IS NULL", "is no date"
            yield name, elsewhere(text(name)), "is not in UTC"
        yield self.currency, f"{text(self.currency)} IS NULL", "is empty"
        is_currency = self.cells.dialect.fits.format(text(self.currency), "[A-Za-z]{3}")
        yield self.currency, f"NOT {is_currency}", "is no currency of three letters"

    def _long_names(self) -> Iterator[Fault]:
        for name in self.names:
            if self.cells.has(name):
                yield name, f"LENGTH({self.cells.text(name)}) > {LONGEST_NAME}", "is longer than any name"

    def _when(self) -> dict[str, str]:
        """The month is the bill's. A charge for a day outside of it is put on the month's nearest day, so that months add up."""
        billed, charged = (f"{alias(name)}_day" for name in self.days)
        first = f"DATE_TRUNC('month', {billed})"
        last = f"({first} + INTERVAL '1' MONTH - INTERVAL '1' DAY)"
        return {
            "month": f"CAST({first} AS DATE)",
            "day": f"CAST(GREATEST({first}, LEAST({last}, CAST({charged} AS TIMESTAMP))) AS DATE)",
        }


@dataclass(frozen=True, slots=True)
class FocusRules(Rules):
    days = ("BillingPeriodStart", "ChargePeriodStart")
    payer, account, currency = "BillingAccountId", "SubAccountId", "BillingCurrency"
    account_name = "SubAccountName"
    amounts = ("BilledCost", "EffectiveCost")
    optional_amounts = ("x_BlendedCost", "x_NetUnblendedCost", "x_NetAmortizedCost")
    columns = billing_columns.FOCUS
    kind = "ChargeCategory"
    names = (
        "ServiceName", "x_ServiceCode", "ChargeCategory", "RegionId", "RegionName", "SkuMeter", "x_UsageType", "x_RecordType",
    )  # fmt: skip

    def summed(self) -> dict[str, str]:
        money = self.cells.first_money
        return {
            "unblended": money("BilledCost"),
            "blended": money("x_BlendedCost", "BilledCost"),
            "amortized": money("EffectiveCost"),
            # FOCUS counts after discounts, so the net amounts are these as well unless the file tells its own.
            "net_unblended": money("x_NetUnblendedCost", "BilledCost"),
            "net_amortized": money("x_NetAmortizedCost", "EffectiveCost"),
        }

    def charge(self) -> dict[str, str]:
        first, text = self.cells.first, self.cells.text
        return {
            **self._when(),
            "payer": text("BillingAccountId"),
            "account": first("SubAccountId", "BillingAccountId"),
            "currency": f"UPPER({text('BillingCurrency')})",
            "service": first("ServiceName", "x_ServiceCode", "ChargeCategory"),
            "region": f"COALESCE({first('RegionId', 'RegionName')}, {literal(NO_REGION)})",
            "record_type": self._record_type(),
            "usage_type": f"COALESCE({first('x_UsageType', 'SkuMeter')}, 'NoUsageType')",
            **{metric: metric for metric in self.summed()},
        }

    def _record_type(self) -> str:
        text = self.cells.text
        category = f"LOWER({text('ChargeCategory')})"
        correction = f"LOWER({text('ChargeClass')}) = 'correction'"
        plan = f"LOWER({text('CommitmentDiscountType')}) LIKE '%saving%'"
        committed = f"{text('CommitmentDiscountId')} IS NOT NULL"
        unused = f"LOWER({text('CommitmentDiscountStatus')}) = 'unused'"
        once = f"LOWER({text('ChargeFrequency')}) LIKE 'one%'"
        cases = [
            (f"{text('x_RecordType')} IS NOT NULL", text("x_RecordType")),
            (f"{category} = 'tax'", "'Tax'"),
            (f"{category} = 'credit'", "'Credit'"),
            (correction, "'Refund'"),
            (f"LOWER({text('ServiceName')}) LIKE '%aws support%'", "'Support'"),
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
        return case(cases, text("ChargeCategory"))


@dataclass(frozen=True, slots=True)
class CurRules(Rules):
    days = ("bill_billing_period_start_date", "line_item_usage_start_date")
    payer, account, currency = "bill_payer_account_id", "line_item_usage_account_id", "line_item_currency_code"
    account_name = "line_item_usage_account_name"
    amounts = ("line_item_unblended_cost",)
    optional_amounts = billing_columns.CUR_AMOUNTS
    columns = billing_columns.CUR
    kind = "line_item_line_item_type"
    names = (
        "product_product_name", "line_item_product_code", "line_item_line_item_type", "line_item_usage_type",
        "product_region_code", "product_region",
    )  # fmt: skip

    def summed(self) -> dict[str, str]:
        money, or_zero = self.cells.first_money, self.cells.or_zero
        found = {
            "unblended": money("line_item_unblended_cost"),
            "blended": money("line_item_blended_cost", "line_item_unblended_cost"),
            "net_unblended": money("line_item_net_unblended_cost", "line_item_unblended_cost"),
            "uncovered": (f"{or_zero('savings_plan_total_commitment_to_date')} - {or_zero('savings_plan_used_commitment')}"),
        }
        # A file without the columns after discounts has none that differ.
        for net in ("", "net_"):
            found[f"{net}planned"] = or_zero(
                f"savings_plan_{net}savings_plan_effective_cost", "savings_plan_savings_plan_effective_cost"
            )
            found[f"{net}reserved"] = or_zero(f"reservation_{net}effective_cost", "reservation_effective_cost")
            found[f"{net}unused"] = " + ".join(
                or_zero(f"reservation_{net}{name}", f"reservation_{name}")
                for name in ("unused_amortized_upfront_fee_for_billing_period", "unused_recurring_fee")
            )
        return {name: f"CAST({sql} AS {MONEY})" for name, sql in found.items()}

    def charge(self) -> dict[str, str]:
        first, text = self.cells.first, self.cells.text
        kind = "LOWER(line_item_line_item_type)"
        return {
            **self._when(),
            "payer": text("bill_payer_account_id"),
            "account": first("line_item_usage_account_id", "bill_payer_account_id"),
            "currency": f"UPPER({text('line_item_currency_code')})",
            "service": first("product_product_name", "line_item_product_code", "line_item_line_item_type"),
            "region": f"COALESCE({first('product_region_code', 'product_region')}, {literal(NO_REGION)})",
            "record_type": self._record_type(kind),
            "usage_type": f"COALESCE({first('line_item_usage_type')}, 'NoUsageType')",
            "unblended": "unblended",
            "blended": "blended",
            "amortized": self._amortized(kind, net="", otherwise="unblended"),
            "net_unblended": "net_unblended",
            "net_amortized": self._amortized(kind, net="net_", otherwise="net_unblended"),
        }

    def _amortized(self, kind: str, *, net: str, otherwise: str) -> str:
        """`net`: what the sums after discounts have before their names."""
        bought = f"{kind} = 'fee' AND {self.cells.text('reservation_reservation_a_r_n')} IS NOT NULL"
        cases = [
            (f"{kind} = 'savingsplancoveredusage'", f"{net}planned"),
            (f"{kind} = 'savingsplanrecurringfee'", "uncovered"),
            (f"{kind} IN ('savingsplannegation', 'savingsplanupfrontfee')", ZERO),
            (f"{kind} = 'discountedusage'", f"{net}reserved"),
            (f"{kind} = 'rifee'", f"{net}unused"),
            (bought, ZERO),
        ]
        return f"CAST({case(cases, otherwise)} AS {MONEY})"

    def _record_type(self, kind: str) -> str:
        """Cost Explorer's words for the report's line item types, so that both count as the same."""
        code = f"LOWER({self.cells.text('line_item_product_code')})"
        cases = [
            (f"{kind} IN ('usage', 'fee') AND ({code} LIKE 'awssupport%' OR {code} LIKE '%premiumsupport%')", "'Support'"),
            (f"{kind} = 'rifee'", "'Recurring'"),
            (f"{kind} = 'fee' AND {self.cells.text('reservation_reservation_a_r_n')} IS NOT NULL", "'Upfront'"),
            (f"{kind} = 'edpdiscount'", "'Enterprise Discount Program Discount'"),
            (f"{kind} = 'privateratediscount'", "'Private Rate Card Discount'"),
            (f"{kind} = 'spprdiscount'", "'Solution Provider Program Discount'"),
        ]
        return case(cases, "line_item_line_item_type")


def rules_of(cells: Cells) -> Rules:
    return FocusRules(cells) if cells.header.format.is_focus else CurRules(cells)
