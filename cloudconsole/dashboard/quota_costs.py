"""What a million tokens cost: the account's cost facts, over the tokens that CloudWatch counted on the same days."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core import clock
from cloudconsole.core.money import total
from cloudconsole.core.permissions import Perm
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Question
from resources.models import Quota
from resources.rules import quota_names
from resources.selectors import quota_minutes

_DAYS = timedelta(days=7)
_ALL_MODELS = "Amazon Bedrock"
# Models of other makers are sold by AWS Marketplace, each as a service of its own.
_EDITION = re.compile(r"(.+) \(Amazon Bedrock Edition\)")
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class TokenCost:
    """Of `days` complete days from `first` to `last`. `of_model`: AWS bills the model by itself; else all models are in it."""

    currency: str
    amount: Decimal
    tokens: int
    days: int
    first: date
    last: date
    of_model: bool

    @property
    def per_million(self) -> Decimal:
        return (self.amount * _MILLION / self.tokens).quantize(Decimal("0.0001"))


def of(user: User, quota: Quota) -> list[TokenCost]:
    """One for each currency; none where costs or tokens of the same days are not known, or not for `user`."""
    if not quota.model or not aws_accounts.may(user, quota.account, Perm.COSTS_VIEW):
        return []
    today = clock.today()
    counted = quota_minutes.tokens_by_day(quota.account_id, today - _DAYS, today)
    if not counted:
        return []
    question = Question(DayRange(min(counted), today), group_by=(Dimension.SERVICE,))
    answers = Reader(user, (str(quota.account_id),)).by_currency(question)
    return [found for answer in answers if (found := _cost(answer, quota, counted)) is not None]


def _cost(answer: Answer, quota: Quota, counted: Mapping[date, Mapping[str, int]]) -> TokenCost | None:
    """Days of which both are complete. What AWS bills for the model itself goes first."""
    wanted = quota_names.model_of(quota.name, quota.code)
    for of_model in (True, False):
        days: dict[date, tuple[Decimal, int]] = {}
        for period in answer.periods:
            if not period.complete or period.start not in counted:
                continue
            amounts = [group.amount for group in period.groups if _is_meant(group.keys[0], wanted, of_model=of_model)]
            models = counted[period.start]
            tokens = models.get(wanted.key, 0) if of_model else sum(models.values())
            if amounts and tokens:
                days[period.start] = total(amounts), tokens
        if days and answer.currency:
            amount = total(amount for amount, _ in days.values())
            tokens = sum(tokens for _, tokens in days.values())
            return TokenCost(answer.currency, amount, tokens, len(days), min(days), max(days), of_model)
    return None


def _is_meant(service: str, wanted: quota_names.Claude, *, of_model: bool) -> bool:
    if not of_model:
        return service == _ALL_MODELS
    edition = _EDITION.fullmatch(service)
    return edition is not None and quota_names.model_called(edition[1]) == wanted
