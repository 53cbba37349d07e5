"""What the scheduler's ring leads to: everything due is found in the database, so a ring more or less changes nothing."""

from __future__ import annotations

from accounts.models import AwsAccount
from cloudconsole.core import clock, jobs
from costs.models import SavingsSource
from costs.services.recommendations import hub
from resources.selectors import billed

JUDGE = "costs.judge_savings"


def tick() -> None:
    """Ask AWS's hub where that is due, and look through the accounts of which something new is known."""
    _ensure()
    for pk in hub.due(clock.now()):
        jobs.enqueue(hub.READ, source_id=pk)
    for account_id in _stale():
        jobs.enqueue(JUDGE, account_id=account_id)


def _ensure() -> None:
    without = AwsAccount.objects.filter(deleted_at=None, savings_source=None).exclude(account_id="")
    SavingsSource.objects.bulk_create([SavingsSource(account=account) for account in without], ignore_conflicts=True)


def _stale() -> list[int]:
    """Accounts never judged, and those of which something became known since; prices count for all."""
    news, priced = billed.latest_news(), billed.latest_price()
    found = []
    for account_id, judged_at in SavingsSource.objects.filter(account__deleted_at=None).values_list("account_id", "judged_at"):
        latest = max((at for at in (news.get(account_id), priced if account_id in news else None) if at), default=None)
        if judged_at is None or (latest is not None and latest > judged_at):
            found.append(account_id)
    return found
