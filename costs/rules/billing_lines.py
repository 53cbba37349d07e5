"""A billing file's line in the columns of FOCUS 1.2: which of the file's columns tells each of them.

What a line is charged for, to whom and when, `billing_sql` tells; here is what goes along with it. Sources: FOCUS 1.2; AWS Data
Exports user guide, "Cost and Usage Report (CUR) 2.0" and the column mapping of its FOCUS exports.
"""

from __future__ import annotations

from collections.abc import Mapping

from costs.rules import focus
from costs.rules.billing_formats import Format

# What the charge itself tells.
_OF_CHARGE = frozenset(
    (
        "BillingAccountId", "BillingPeriodStart", "BillingPeriodEnd", "BillingCurrency", "BilledCost", "EffectiveCost",
        "SubAccountId", "Tags", "PricingCurrencyEffectiveCost",
    )
)  # fmt: skip
_FOCUS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in focus.COLUMNS if name not in _OF_CHARGE},
    "ProviderName": ("ProviderName", "ServiceProviderName"),
    "PublisherName": ("PublisherName", "HostProviderName"),
}
_CUR: Mapping[str, tuple[str, ...]] = {
    "InvoiceId": ("bill_invoice_id",),
    "BillingAccountName": ("bill_payer_account_name",),
    "SubAccountName": ("line_item_usage_account_name",),
    "ChargePeriodStart": ("line_item_usage_start_date",),
    "ChargePeriodEnd": ("line_item_usage_end_date",),
    "ChargeDescription": ("line_item_line_item_description",),
    "ListCost": ("pricing_public_on_demand_cost",),
    "ListUnitPrice": ("pricing_public_on_demand_rate",),
    "PricingQuantity": ("line_item_usage_amount",),
    "PricingUnit": ("pricing_unit",),
    "ConsumedQuantity": ("line_item_usage_amount",),
    "ConsumedUnit": ("pricing_unit",),
    "SkuId": ("product_sku",),
    "SkuPriceId": ("pricing_rate_code",),
    "SkuMeter": ("line_item_usage_type",),
    "ResourceId": ("line_item_resource_id",),
    "ResourceType": ("product_product_family",),
    "RegionName": ("product_location",),
    "AvailabilityZone": ("line_item_availability_zone",),
    "CommitmentDiscountId": ("savings_plan_savings_plan_a_r_n", "reservation_reservation_a_r_n"),
}
MOMENTS = frozenset(("ChargePeriodStart", "ChargePeriodEnd"))
AMOUNTS = frozenset(("ListCost", "ContractedCost"))


def columns(of: Format) -> Mapping[str, tuple[str, ...]]:
    """By FOCUS column, the file's columns that tell it, the better one first."""
    return _FOCUS if of.is_focus else _CUR
