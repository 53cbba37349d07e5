"""Muting: episodes that are found and listed, but not announced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs import verbs
from costs.models import AnomalyMute


class InvalidMute(CloudconsoleError):
    code = "invalid_mute"
    title = "This cannot be muted"


class MutedAlready(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "muted_already"
    title = "This is muted already"


class NotForAllAccounts(CloudconsoleError):
    """What concerns every account is decided by those who manage them all, or whose account it is."""

    kind = Kind.FORBIDDEN
    code = "permission_denied"
    title = "Not allowed"


@dataclass(frozen=True, slots=True)
class About:
    """Whose costs of what; an empty field means any."""

    service: str = ""
    account_number: str = ""
    region: str = ""

    @property
    def words(self) -> str:
        return " · ".join(filter(None, (self.service, self.account_number, self.region)))


def mute(*, about: About, until: date | None, note: str, by: User) -> AnomalyMute:
    """Until the day `until`, or for good. Raises InvalidMute, MutedAlready, NotForAllAccounts."""
    if not about.words:
        raise InvalidMute("Name a service, an account or a region.", attr="service")
    if until is not None and until <= clock.today():
        raise InvalidMute("That day has begun: choose a later one.", attr="until")
    account = require(by, about.account_number)
    try:
        with transaction.atomic():
            _end_run_out(about)
            row = AnomalyMute.objects.create(
                service=about.service,
                account_number=about.account_number,
                region=about.region,
                until=until,
                note=note,
                created_by=by,
                created_at=clock.now(),
            )
            detail = {"about": about.words, "until": until.isoformat() if until else "for good", "note": note}
            audit.services.record(verbs.ANOMALY_MUTED, actor=by, subject=str(row.pk), account=account, detail=detail)
    except IntegrityError as error:
        raise MutedAlready(f"{about.words} is muted already. Lift that first.") from error
    return row


def lift(*, mute: AnomalyMute, by: User) -> None:
    """Let it be announced again. A second time changes nothing. Raises NotForAllAccounts."""
    account = require(by, mute.account_number)
    with transaction.atomic():
        if AnomalyMute.objects.filter(pk=mute.pk, lifted_at=None).update(lifted_at=clock.now(), lifted_by=by):
            audit.services.record(
                verbs.ANOMALY_MUTE_LIFTED, actor=by, subject=str(mute.pk), account=account, detail={"about": str(mute)}
            )


def require(by: User, account_number: str) -> AwsAccount | None:
    """The account a decision is about, None for all of them. Raises NotForAllAccounts."""
    account = AwsAccount.objects.visible_to(by, Perm.ANOMALIES_MANAGE).filter(account_id=account_number or "-").first()
    if account is None and not by.may(Perm.ACCOUNTS_MANAGE):
        raise NotForAllAccounts(
            "Name an account of yours. What holds for other accounts is for admins to decide.", attr="account"
        )
    return account


def _end_run_out(about: About) -> None:
    """One whose time is over makes room for the next."""
    AnomalyMute.objects.filter(
        service=about.service, account_number=about.account_number, region=about.region, lifted_at=None, until__lte=clock.today()
    ).update(lifted_at=clock.now())
