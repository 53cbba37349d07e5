"""Which stored facts a person's question counts: every visible account once, a covered one from its payer's bill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from cloudconsole.core.permissions import Perm
from costs.models import REFUSED, BillingScope, CostMonth, CostSource
from costs.rules.cubes import Cube
from costs.selectors.questions import UnknownAccount

_SINGLE = {BillingScope.MEMBER, BillingScope.STANDALONE}


@dataclass(frozen=True, slots=True)
class Part:
    """Facts of `source` that count for `shown`, the account a person knows them by.

    `only`: the linked accounts that count, None for the whole bill. `without`: those that count elsewhere.
    """

    source: CostSource
    shown: CostSource
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()

    @property
    def is_payer(self) -> bool:
        return self.source.scope not in _SINGLE

    @property
    def is_silent(self) -> bool:
        """AWS refuses to tell these costs and never did: they are missing from every figure, which `completeness` says."""
        return self.source.status in REFUSED and self.source.backfilled_from is None

    @property
    def is_whole(self) -> bool:
        return self.only is None and not self.without


def sources_of(user: User | AnonymousUser) -> list[CostSource]:
    """The sources whose costs `user` may see, with their accounts and payers."""
    visible = CostSource.objects.visible_to(user, Perm.COSTS_VIEW)
    return list(visible.select_related("account", "covered_by__account").order_by("pk"))


def parts(sources: Sequence[CostSource], accounts: Sequence[str] = ()) -> list[Part]:
    """What counts of the sources that a person may see, narrowed to `accounts` if any are given. Raises UnknownAccount."""
    counted = {source.pk for source in sources if source.covered_by_id is None}
    found = [part for source in sources if (part := _part(source, counted)) is not None]
    found = _without_overlap(found)
    return _narrowed(found, sources, accounts) if accounts else found


def _part(source: CostSource, counted: set[int]) -> Part | None:
    payer = source.covered_by
    if payer is None:
        return Part(source, source)
    if payer.pk in counted or payer.account.deleted_at is not None:
        return None  # in the payer's bill, which this person sees whole
    return Part(payer, source, only=frozenset({source.account.account_id}))


def _without_overlap(found: list[Part]) -> list[Part]:
    """Whatever the reason that a member has a part beside its payer's bill: the one with a whole history counts, once."""
    numbers = frozenset(_own_number(part) for part in found if part.only is None)
    payers = [part for part in found if part.only is None and part.is_payer]
    if not payers or len(numbers) < 2:
        return found
    listed = numbers_billed([part.source for part in payers], numbers)
    for payer in payers:  # a bill whose accounts are not fetched yet names none of them; what Organizations told counts too
        told = {_own_number(part) for part in found if part.only is None and part.source.payer_number == _own_number(payer)}
        listed[payer.source.pk] = listed.get(payer.source.pk, frozenset()) | told
    billed = {number for part in payers for number in listed.get(part.source.pk, frozenset()) - {_own_number(part)}}
    unready = {_own_number(part) for part in found if part.only is None and part.source.backfilled_from is None} & billed
    return [
        replace(part, without=listed.get(part.source.pk, frozenset()) - {_own_number(part)} - unready)
        if part.only is None
        else part
        for part in found
        if part.only is not None or _own_number(part) not in unready
    ]


def _own_number(part: Part) -> str:
    return part.source.account.account_id


def numbers_billed(sources: Iterable[CostSource], numbers: Iterable[str]) -> dict[int, frozenset[str]]:
    """For each source, by primary key, those of `numbers` that its bill names."""
    rows = CostMonth.objects.filter(cube=Cube.ACCOUNT_RECORD_TYPE, source__in=list(sources), first__value__in=list(numbers))
    listed: dict[int, set[str]] = {}
    for source_id, number in rows.order_by().values_list("source_id", "first__value").distinct():
        listed.setdefault(source_id, set()).add(number)
    return {pk: frozenset(found) for pk, found in listed.items()}


def _narrowed(found: list[Part], sources: Sequence[CostSource], accounts: Sequence[str]) -> list[Part]:
    numbers = {_number(reference, sources) or reference for reference in accounts}
    own = {part.source.account.account_id for part in found if part.is_whole and not part.is_payer}
    unseen = numbers - own - {source.account.account_id for source in sources}
    if unseen:
        _check_linked(unseen, [part.source for part in found if part.only is None and part.is_payer])
    # A payer's bill says nothing of an account that is billed apart, so that account's silence is not a zero there.
    # One that has no history yet is still told by the bill.
    apart = {_own_number(part) for part in found if part.only is None}
    narrowed = (_narrow(part, numbers, apart) for part in found)
    return [part for part in narrowed if part is not None]


def _narrow(part: Part, numbers: set[str], apart: set[str]) -> Part | None:
    if part.only is not None:
        return part if part.only <= numbers else None
    if not part.is_payer:
        return part if part.source.account.account_id in numbers else None
    only = frozenset(numbers) - part.without - (apart - {_own_number(part)})
    return replace(part, only=only, without=frozenset()) if only else None


def _number(reference: str, sources: Sequence[CostSource]) -> str | None:
    named = reference.strip().lower()
    return next((source.account.account_id for source in sources if named in source.account.names), None)


def _check_linked(numbers: set[str], payers: list[CostSource]) -> None:
    """Other accounts can be asked for when a visible bill names them. Hidden and unknown ones read the same."""
    listed = frozenset[str]().union(*numbers_billed(payers, numbers).values()) if payers else frozenset[str]()
    for reference in sorted(numbers - listed):
        raise UnknownAccount(f"There is no account “{reference}” whose costs you may see.", attr="account")
