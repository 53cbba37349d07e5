"""What AWS's values are called on a page: accounts by their alias, everything else by AWS's own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloudconsole.core import figures
from costs.rules import tags
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Dimension
from costs.selectors.costs import Reader
from costs.selectors.reports import ENVIRONMENT

_TITLES: dict[Dimension, str] = {
    Dimension.SERVICE: "Service",
    Dimension.ACCOUNT: "Account",
    Dimension.REGION: "Region",
    Dimension.RECORD_TYPE: "Record type",
    Dimension.USAGE_TYPE: "Usage type",
}


def title_of(dimension: Dimension) -> str:
    key = dimension.tag_key
    return _TITLES[dimension] if key is None else f"Tag {key}"


def in_sentence(dimension: Dimension) -> str:
    """Within a sentence; a tag's key stays as it is written."""
    key = dimension.tag_key
    return _TITLES[dimension].lower() if key is None else f"tag {key}"


def filter_title(name: str) -> str:
    """Of a filter by its name in the address."""
    return "Environment" if name == ENVIRONMENT else title_of(Dimension.called(name))


CHARGE_TYPES: dict[ChargeType, str] = {
    ChargeType.USAGE: "Usage",
    ChargeType.TAX: "Tax",
    ChargeType.CREDIT: "Credits",
    ChargeType.REFUND: "Refunds",
    ChargeType.SUPPORT: "Support",
    ChargeType.FEE: "Fees",
    ChargeType.COMMITMENT: "Commitments",
    ChargeType.OTHER: "Other",
}
OTHER = "Other"
RESIDUAL = "Not split by AWS"
WHY_RESIDUAL = "AWS tells this in the total, but not in these groups."


@dataclass(frozen=True, slots=True)
class Names:
    """`aliases` by the account's number and its id here; `labels` are AWS's own names for its values."""

    aliases: Mapping[str, str]
    labels: Mapping[str, str]

    @classmethod
    def of(cls, reader: Reader, labels: Mapping[str, str]) -> Names:
        accounts = [source.account for source in reader.sources]
        aliases = {str(account.pk): account.alias for account in accounts}
        return cls(aliases | {account.account_id: account.alias for account in accounts}, labels)

    def of_value(self, dimension: Dimension, key: str) -> str:
        label = self.labels.get(key, key)
        return self.aliases.get(key, label) if dimension == Dimension.ACCOUNT else label

    def of_filter(self, name: str, value: str) -> str:
        """A filter's value; accounts stand there by id, alias or number."""
        if name == "account":
            return self.aliases.get(value, self.labels.get(value, value))
        return tags.label_of(value) if name.startswith("tag:") else value

    def in_full(self, dimension: Dimension, key: str) -> str:
        """The same with what tells it from others of the name."""
        name = self.of_value(dimension, key)
        return f"{name} · {figures.account_number(key)}" if dimension == Dimension.ACCOUNT and name != key else name
