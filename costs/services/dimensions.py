"""The strings AWS uses for services, accounts, regions and record types, each stored once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from costs.models import DimensionValue
from costs.rules import charge_types, tags
from costs.rules.cubes import Dimension

log = structlog.get_logger(__name__)


def ids_of(*, dimension: Dimension, values: Iterable[str]) -> dict[str, int]:
    """The id of each value, made where it is new. Several workers may ask for the same new value at once."""
    wanted = sorted(set(values))  # sorted: two transactions that insert the same values never wait for each other
    known = _known(dimension, wanted)
    if missing := [value for value in wanted if value not in known]:
        new = [DimensionValue(dimension=dimension, value=value, label=_label(dimension, value)) for value in missing]
        DimensionValue.objects.bulk_create(new, ignore_conflicts=True)
        known |= _known(dimension, missing)
        _warn_of_unknown(dimension, missing)
    return known


def label(*, dimension: Dimension, labels: Mapping[str, str]) -> None:
    """Remember names for people, such as an account's; only what changed is written."""
    rows = DimensionValue.objects.filter(dimension=dimension, value__in=labels)
    changed = [row for row in rows if row.label != labels[row.value]]
    for row in changed:
        row.label = labels[row.value]
    DimensionValue.objects.bulk_update(changed, ["label"])


def _label(dimension: Dimension, value: str) -> str:
    return tags.LABELS.get(value, "") if dimension.tag_key else ""


def _known(dimension: Dimension, values: list[str]) -> dict[str, int]:
    rows = DimensionValue.objects.filter(dimension=dimension, value__in=values)
    return dict(rows.values_list("value", "pk"))


def _warn_of_unknown(dimension: Dimension, values: list[str]) -> None:
    if dimension != Dimension.RECORD_TYPE:
        return
    for value in values:
        if not charge_types.is_known(value):
            log.warning("unknown_record_type", record_type=value, counted_as=charge_types.classify(value).value)
