"""Asking Cost Explorer for its own forecast: only when a person wants it, once, within the account's cap of paid requests."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import Q

import audit.services
from accounts.models import User
from accounts.selectors import aws_accounts
from accounts.services import credentials
from audit.models import Outcome
from cloudconsole import realtime
from cloudconsole.aws import cost_forecasts
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.aws.cost_forecasts import CostForecast, ForecastQuery
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import DECIMAL_PLACES
from cloudconsole.core.permissions import Perm
from costs import verbs
from costs.models import AwsForecast, AwsForecastPoint, CostSource, ForecastStatus
from costs.rules import forecast
from costs.rules.windows import first_of_month
from costs.services import ledger
from costs.services.ledger import LedgerMeter, RequestCapReached
from costs.services.snapshots import NoCostSource

RUN = "costs.ask_forecast"
MONTHS_AHEAD = 18
# Longer than one request with its retries, so that a row without a holder is one whose worker is gone.
_HELD = timedelta(minutes=5)
_PLACES = Decimal(1).scaleb(-DECIMAL_PLACES)


class TooFarAhead(CloudconsoleError):
    code = "too_far_ahead"
    title = "AWS does not forecast this period"


class NotAskedByItself(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "covered_by_payer"
    title = "The costs of this account are read from its payer"


def request(*, source: CostSource, metric: Metric, end: date, by: User) -> AwsForecast:
    """Have AWS asked for what `source` will cost from today up to `end`. While one is open, that one is the answer.

    Raises TooFarAhead, NotAskedByItself, RequestCapReached.
    """
    today = clock.today()
    if not today < end <= first_of_month(today, months=MONTHS_AHEAD):
        raise TooFarAhead(f"Cost Explorer forecasts days after today, at most {MONTHS_AHEAD} months ahead.", attr="until")
    if source.covered_by_id is not None:
        raise NotAskedByItself("Ask for the forecast of its payer's bill.")
    if ledger.budget_of(source).left == 0:
        raise RequestCapReached(f"The cap of {ledger.cap_of(source)} paid requests this month is reached.")
    try:
        with transaction.atomic():
            return _enqueue(source, metric, end, by)
    except IntegrityError:
        return AwsForecast.objects.filter(source=source, metric=metric, end=end).order_by("-pk")[0]


def request_for(*, account: str, metric: Metric, end: date, by: User) -> AwsForecast:
    """The same for the account that `by` names by id, alias or number.

    Raises AccountNotFound, NotAllowedHere, NoCostSource, and what `request` raises.
    """
    found = aws_accounts.get_for(by, account, Perm.COSTS_REFRESH)
    source = CostSource.objects.select_related("account").filter(account=found).first()
    if source is None:
        raise NoCostSource(f"Costs are not switched on for “{found.alias}”.", attr="account")
    return request(source=source, metric=metric, end=end, by=by)


def _enqueue(source: CostSource, metric: Metric, end: date, by: User) -> AwsForecast:
    asked = AwsForecast.objects.create(
        source=source,
        metric=metric.value,
        start=clock.today(),
        end=end,
        level=forecast.LEVEL,
        requested_by=by,
        requested_at=clock.now(),
    )
    audit.services.record(verbs.FORECAST_REQUESTED, actor=by, subject=str(asked.pk), account=source.account)
    jobs.enqueue(RUN, forecast_id=asked.pk)
    return asked


def tick() -> None:
    """Ring for what waits, and end what a worker left: whether AWS answered it is not known, so it is not asked again."""
    now = clock.now()
    for pk in AwsForecast.objects.filter(status=ForecastStatus.QUEUED).values_list("pk", flat=True):
        jobs.enqueue(RUN, forecast_id=pk)
    for lost in AwsForecast.objects.filter(status=ForecastStatus.RUNNING, claimed_until__lt=now).select_related(
        "source__account"
    ):
        _fail(lost, "worker_lost", "The worker ended while it was asking.", "Ask again; the request may have been charged.")


def run(*, forecast_id: int) -> None:
    """Ask AWS if nobody else has. No AWS call happens inside a transaction."""
    held = {"status": ForecastStatus.RUNNING, "claimed_until": clock.now() + _HELD}
    if not AwsForecast.objects.filter(pk=forecast_id, status=ForecastStatus.QUEUED).update(**held):
        return
    asked = AwsForecast.objects.select_related("source__account").get(pk=forecast_id)
    try:
        access = credentials.access_for(asked.source.account, None)
        # Cost Explorer takes no other start than today, whenever it was asked for.
        query = ForecastQuery(clock.today(), asked.end, Metric(asked.metric), asked.level)
        answer = cost_forecasts.get_cost_forecast(access, query, meter=LedgerMeter(asked.source, cost_forecasts.OPERATION))
    except CloudconsoleError as error:
        _fail(asked, error.code, error.detail, getattr(error, "remedy", ""))
    else:
        _store(asked, query.start, answer)


def _store(asked: AwsForecast, start: date, answer: CostForecast) -> None:
    with transaction.atomic():
        stored = _close(
            asked,
            status=ForecastStatus.SUCCEEDED,
            start=start,
            amount=answer.total.quantize(_PLACES),
            currency=answer.currency,
        )
        if stored:
            AwsForecastPoint.objects.bulk_create(_point(asked, one) for one in answer.points)
            _record(asked, Outcome.SUCCESS, "")


def _point(asked: AwsForecast, one: cost_forecasts.ForecastPoint) -> AwsForecastPoint:
    low, high = (None if bound is None else bound.quantize(_PLACES) for bound in (one.low, one.high))
    return AwsForecastPoint(forecast=asked, start=one.start, end=one.end, amount=one.amount.quantize(_PLACES), low=low, high=high)


def _fail(asked: AwsForecast, code: str, detail: str, remedy: str) -> None:
    with transaction.atomic():
        if _close(asked, status=ForecastStatus.FAILED, error_code=code, error_detail=detail, error_remedy=remedy):
            _record(asked, Outcome.FAILURE, code)


def _close(asked: AwsForecast, **changes: object) -> bool:
    """End the row once, whoever comes first."""
    is_held = Q(pk=asked.pk, status=ForecastStatus.RUNNING)
    closed = AwsForecast.objects.filter(is_held).update(finished_at=clock.now(), claimed_until=None, **changes)
    if closed:
        realtime.publish("forecast", asked.pk, asked.source.account_id)
    return bool(closed)


def _record(asked: AwsForecast, outcome: Outcome, code: str) -> None:
    audit.services.record(
        verbs.FORECAST_ANSWERED,
        actor=None,
        subject=str(asked.pk),
        account=asked.source.account,
        outcome=outcome,
        detail={"code": code, "until": asked.end.isoformat()},
    )
