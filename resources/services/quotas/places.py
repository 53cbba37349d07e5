"""Where quotas are read: the regions of accounts that allow it. Moving a moment is how one of many workers claims work."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from django.db import transaction
from django.db.models import Q

from accounts.models import AwsAccount, Status
from cloudconsole.aws import regions
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Quota, QuotaPlace
from resources.rules.quotas import READ

# Without credentials that work there is nothing to ask.
_ASKED = (Status.OK, Status.DEGRADED)
Work = Literal["limits", "series", "minutes", "metrics"]


@transaction.atomic
def ensure() -> None:
    """A row for each place that is to be read, and none for others: their quotas are not shown any more."""
    wanted = _wanted()
    known = {(place.account_id, place.region, place.only_global): place.pk for place in QuotaPlace.objects.all()}
    now = clock.now()
    for account, region, only_global in set(known) - wanted:
        Quota.objects.filter(account=account, region=region, gone_at=None).update(gone_at=now)
        QuotaPlace.objects.filter(pk=known[account, region, only_global]).delete()
    QuotaPlace.objects.bulk_create(
        (
            QuotaPlace(account_id=account, region=region, only_global=only_global, next_limits_at=now, next_series_at=now)
            for account, region, only_global in sorted(wanted - set(known))
        ),
        ignore_conflicts=True,
    )


def _wanted() -> set[tuple[int, str, bool]]:
    """Account, region, and whether only the quotas of the whole account are read there.

    AWS tells those in the home region of its partition alone, whatever regions an account uses.
    """
    accounts = AwsAccount.objects.filter(deleted_at=None).exclude(account_id="")
    wanted = set[tuple[int, str, bool]]()
    for account in accounts.only("pk", "capabilities", "regions", "enabled_regions"):
        used = account.regions or account.enabled_regions
        if READ in account.capabilities and used:
            home = regions.home(used[0])
            wanted |= {(account.pk, region, False) for region in used}
            wanted |= set() if home in used else {(account.pk, home, True)}
    return wanted


def due(work: Work) -> bool:
    return QuotaPlace.objects.filter(_is_due(work)).exists()


def claim(work: Work, *, lease: timedelta, most: int) -> list[QuotaPlace]:
    """Up to `most` places whose time has come, each for nobody else until `lease` is over."""
    now = clock.now()
    found = QuotaPlace.objects.filter(_is_due(work)).order_by(f"next_{work}_at", "pk").values_list("pk", flat=True)[:most]
    # By the row's own column alone: what is joined, PostgreSQL does not look at again once it has waited for another's claim.
    still = {f"next_{work}_at__lte": now}
    mine = [pk for pk in list(found) if QuotaPlace.objects.filter(pk=pk, **still).update(**{f"next_{work}_at": now + lease})]
    return list(QuotaPlace.objects.filter(pk__in=mine).select_related("account__hub").order_by("pk"))


def _is_due(work: Work) -> Q:
    return Q(**{f"next_{work}_at__lte": clock.now()}, account__deleted_at=None, account__status__in=_ASKED)


def failed(place: QuotaPlace, kind: Literal["limits", "usage"], error: CloudconsoleError) -> None:
    """Keep why AWS did not tell; what it told before stays."""
    told = {f"{kind}_code": error.code, f"{kind}_detail": error.detail, f"{kind}_remedy": getattr(error, "remedy", "")}
    QuotaPlace.objects.filter(pk=place.pk).update(**told)
