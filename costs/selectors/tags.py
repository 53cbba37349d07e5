"""The tags that costs are stored by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from costs.models import CostSource, SourceTag
from costs.rules.cubes import Cube
from costs.selectors.plans import Tagged


def stored(sources: Iterable[CostSource]) -> Tagged:
    """The cubes of every tag that the sources, or the payers that hold their bills, were ever asked for.

    Of a single account those by account follow from those by service.
    """
    known = {one.pk: one for source in sources for one in (source, source.covered_by) if one}
    found: dict[int, list[Cube]] = defaultdict(list)
    for row in SourceTag.objects.stored().filter(source__in=known).select_related("tag"):
        cubes = row.tag.cubes
        found[row.source_id].append(cubes.by_service)
        if row.by_account or known[row.source_id].is_single:
            found[row.source_id].append(cubes.by_account)
    return found
