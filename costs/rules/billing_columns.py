"""The columns of billing files from which charges are made."""

from __future__ import annotations

FOCUS = (
    "BillingAccountId", "SubAccountId", "SubAccountName", "BillingPeriodStart", "ChargePeriodStart", "BillingCurrency",
    "ChargeCategory", "ChargeClass", "ChargeFrequency", "BilledCost", "EffectiveCost", "ServiceName", "x_ServiceCode", "RegionId",
    "RegionName", "SkuMeter", "x_UsageType", "CommitmentDiscountId", "CommitmentDiscountType", "CommitmentDiscountStatus",
    "x_RecordType", "x_BlendedCost", "x_NetUnblendedCost", "x_NetAmortizedCost",
)  # fmt: skip
CUR_AMOUNTS = (
    "line_item_blended_cost", "line_item_net_unblended_cost", "savings_plan_savings_plan_effective_cost",
    "savings_plan_net_savings_plan_effective_cost", "savings_plan_total_commitment_to_date", "savings_plan_used_commitment",
    "reservation_effective_cost", "reservation_net_effective_cost",
    "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period", "reservation_net_unused_recurring_fee",
)  # fmt: skip
CUR = (
    "bill_payer_account_id", "bill_billing_period_start_date", "line_item_usage_account_id", "line_item_usage_account_name",
    "line_item_line_item_type", "line_item_usage_start_date", "line_item_currency_code", "line_item_unblended_cost",
    "line_item_product_code", "line_item_usage_type", "product_product_name", "product_region_code", "product_region",
    "reservation_reservation_a_r_n", *CUR_AMOUNTS,
)  # fmt: skip
FOCUS_TYPED = (
    ("BillingPeriodStart", "ChargePeriodStart"),
    ("BilledCost", "EffectiveCost", "x_BlendedCost", "x_NetUnblendedCost", "x_NetAmortizedCost"),
    "BilledCost",
)
CUR_TYPED = (
    ("bill_billing_period_start_date", "line_item_usage_start_date"),
    ("line_item_unblended_cost", *CUR_AMOUNTS),
    "line_item_unblended_cost",
)
# What CUR 2.0 has in maps: the column and the key.
IN_MAPS = {"product_product_name": ("product", "product_name"), "product_region": ("product", "region")}
