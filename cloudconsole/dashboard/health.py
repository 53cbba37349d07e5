"""How the accounts are, what needs a person, and what comes first on a new installation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.urls import reverse

from accounts.models import AwsAccount, Status
from accounts.selectors import expiry
from cloudconsole.core import money
from cloudconsole.dashboard.spending import by_first_key
from cloudconsole.dashboard.states import state_of
from costs.models import CostSource, SourceStatus
from costs.selectors.bars import is_settled
from costs.selectors.questions import Answer

LOST = (SourceStatus.DENIED, SourceStatus.NOT_ENABLED, SourceStatus.PARTIAL, SourceStatus.STALE)


@dataclass(frozen=True)
class Notice:
    """Something that is missing from the figures or cannot be reached, with the way to the remedy."""

    title: str
    text: str
    url: str
    action: str
    tone: str = "warn"


@dataclass(frozen=True)
class Step:
    """One line of the first-run checklist; `now` is the one to do next."""

    title: str
    text: str
    done: bool
    now: bool = False
    url: str = ""
    action: str = ""


@dataclass(frozen=True)
class AccountRow:
    """An account with its state, what it cost this month and its last days. Unknown is None, and `why` says why."""

    account: AwsAccount
    state: str
    state_text: str
    currency: str
    month_to_date: Decimal | None
    trend: list[Decimal | None]
    why: str


def account_rows(
    accounts: Sequence[AwsAccount],
    sources: Mapping[int, CostSource],
    answers: Sequence[Answer],
    month: date,
    *,
    misses_accounts: bool,
) -> list[AccountRow]:
    """Each account in `accounts`; `answers` group days by account number, one for each currency."""
    by_number = [(answer, by_first_key(answer)) for answer in answers]
    rows = []
    for account in accounts:
        answer, amounts = next((pair for pair in by_number if account.account_id in pair[1]), (None, {}))
        starts = [period.start for period in answer.periods] if answer else []
        currency = (answer.currency if answer else None) or ""
        state, text = _state(account, sources.get(account.pk))
        days = amounts.get(account.account_id, [])
        month_to_date = _sum(
            [amount for start, amount in zip(starts, days, strict=False) if start >= month and amount is not None]
        )
        why = text if state != Status.OK else "Nothing fetched for this account yet"
        rows.append(
            AccountRow(
                account, state, text, currency, month_to_date, _settled(days, answer, misses_accounts=misses_accounts), why
            )
        )
    return rows


def _settled(days: Sequence[Decimal | None], answer: Answer | None, *, misses_accounts: bool) -> list[Decimal | None]:
    """A line that ends in days which AWS still fills would always fall."""
    periods = answer.periods if answer else ()
    kept = zip(days, periods, strict=False)
    return [amount for amount, period in kept if is_settled(period, misses_accounts=misses_accounts)]


def _sum(amounts: Sequence[Decimal]) -> Decimal | None:
    return money.total(amounts) if amounts else None


def _state(account: AwsAccount, source: CostSource | None) -> tuple[str, str]:
    """The graver of the two: whether AWS lets us in, and whether costs can be read."""
    if account.status in (Status.ERROR, Status.PENDING) or source is None or source.status not in LOST:
        return account.state, account.get_status_display() if account.state == account.status else state_of(account.state).word
    word = source.get_status_display()
    return source.status, word if source.status == SourceStatus.NOT_ENABLED else f"Costs: {word.lower()}"


def as_of(sources: Iterable[CostSource]) -> datetime | None:
    """When the oldest of what is read was read; a member is read with its payer, and what only files tell is not read."""
    told = list(sources)
    read = [source for source in told if not source.is_imported] or told
    moments = ((source.covered_by or source).fresh_at for source in read)
    return min((moment for moment in moments if moment), default=None)


def misses_accounts(sources: Iterable[CostSource]) -> bool:
    """Whether nothing was ever fetched from one of them."""
    return any(source.fresh_at is None and source.covered_by_id is None for source in sources)


def notices(accounts: Sequence[AwsAccount], sources: Iterable[CostSource]) -> list[Notice]:
    unreachable = [account for account in accounts if account.status == Status.ERROR]
    unread = [source for source in sources if source.status in LOST and source.account.status != Status.ERROR]
    return [
        *(_unreachable(account) for account in unreachable),
        *_credentials(account for account in accounts if account.status != Status.ERROR),
        *(_unread(source) for source in unread),
    ]


def _credentials(accounts: Iterable[AwsAccount]) -> list[Notice]:
    """Credentials that run out soon, and keys that are too old, while there is still time."""
    shown = list(accounts)
    warnings = expiry.warnings_for(shown)
    return [
        Notice(
            f"{account.alias}:",
            warnings[account.pk].text,
            reverse("accounts:credentials", args=[account.pk]),
            "Replace the credentials",
            warnings[account.pk].tone,
        )
        for account in shown
        if account.pk in warnings
    ]


def _unreachable(account: AwsAccount) -> Notice:
    url = reverse("accounts:detail", args=[account.pk])
    return Notice(f"{account.alias} cannot be reached.", account.status_detail, url, "See why and what to do", "bad")


def _unread(source: CostSource) -> Notice:
    url = reverse("accounts:detail", args=[source.account_id])
    text = f"{source.status_detail} Figures for it may be missing; missing is not zero.".strip()
    return Notice(f"Costs of {source.account.alias}: {source.get_status_display()}.", text, url, "See why and what to do")


def first_steps(accounts: Sequence[AwsAccount], *, may_add: bool, is_fetching: bool, has_budget: bool) -> list[Step]:
    """From nothing to the first figures, and what they are held against."""
    verified = any(account.status in (Status.OK, Status.DEGRADED) for account in accounts)
    pending = next((account for account in accounts if account.verified_at is None), None)
    verify_url = reverse("accounts:detail", args=[pending.pk]) if pending else ""
    steps = [
        Step(
            "Connect an AWS account",
            "With a role, an access key or the credentials of this host."
            if may_add
            else "An admin connects accounts and lets you in.",
            done=bool(accounts),
            url=reverse("accounts:add") if may_add else "",
            action="Add an account",
        ),
        Step("Verify it", "AWS is asked who the credentials are and what they allow.", verified, url=verify_url, action="Verify"),
        Step(
            "Fetch the first costs",
            "Thirteen months from Cost Explorer. It is running; this page moves by itself."
            if is_fetching
            else "Thirteen months from Cost Explorer, by itself soon after the account is verified. Each request costs $0.01.",
            done=False,
            url=reverse("costs:snapshots"),
            action="See the progress" if is_fetching else "Cost snapshots",
        ),
        Step("See what it costs", "This page fills by itself.", done=False),
        Step(
            "Set a budget",
            "Say how much it may cost, and be told before it is too late.",
            done=has_budget,
            url=reverse("budgets:new"),
            action="New budget",
        ),
    ]
    following = next(at for at, step in enumerate(steps) if not step.done)
    return [Step(s.title, s.text, s.done, at == following, s.url, s.action) for at, s in enumerate(steps)]
