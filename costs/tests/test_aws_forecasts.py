"""Cost Explorer's own forecast: asked when somebody wants it, once, within the cap, and shown beside ours."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import credentials
from cloudconsole.aws import cost_forecasts
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.aws.cost_forecasts import ForecastQuery
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import AwsForecast, CostExplorerRequest, CostSource
from costs.rules.windows import DayRange
from costs.services import aws_forecasts
from costs.services.ledger import LedgerMeter, RequestCapReached
from costs.tests import books
from costs.tests.conftest import NOW, TODAY

pytestmark = pytest.mark.django_db
MONTH_END = date(2026, 12, 1)


def ask(source: CostSource, by: User, end: date = MONTH_END) -> AwsForecast:
    asked = aws_forecasts.request(source=source, metric=Metric.UNBLENDED, end=end, by=by)
    aws_forecasts.run(forecast_id=asked.pk)
    asked.refresh_from_db()
    return asked


def test_an_answer_is_stored_with_its_months_and_its_request_in_the_ledger(payer: CostSource, admin: User) -> None:
    found = ask(payer, admin, date(2027, 2, 1))
    assert (found.status, found.start, found.currency) == ("succeeded", TODAY, "USD")
    points = list(found.points.all())
    assert [point.start for point in points] == [TODAY, MONTH_END, date(2027, 1, 1)]
    assert all(point.low is not None and point.high is not None and point.low < point.amount < point.high for point in points)
    row = CostExplorerRequest.objects.get()
    assert (row.operation, row.outcome, row.charged, row.snapshot) == ("GetCostForecast", "ok", True, None)


def test_asked_twice_at_once_aws_is_asked_once(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    first = aws_forecasts.request(source=payer, metric=Metric.UNBLENDED, end=MONTH_END, by=admin)
    assert aws_forecasts.request(source=payer, metric=Metric.UNBLENDED, end=MONTH_END, by=admin).pk == first.pk
    for _ in range(2):
        aws_forecasts.run(forecast_id=first.pk)
    assert len([call for call in aws.calls() if call.operation == "GetCostForecast"]) == 1


def test_the_cap_holds(payer: CostSource, admin: User) -> None:
    CostSource.objects.filter(pk=payer.pk).update(monthly_request_cap=0)
    payer.refresh_from_db()
    with pytest.raises(RequestCapReached):
        aws_forecasts.request(source=payer, metric=Metric.UNBLENDED, end=MONTH_END, by=admin)
    assert not CostExplorerRequest.objects.exists()


def test_what_aws_refuses_is_told_in_its_words(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    code, said = "DataUnavailableException", "Insufficient amount of historical data to generate forecast."
    aws.add_faults(Fault("ce", FaultKind.CODE, code=code, message=said, status=400))
    found = ask(payer, admin)
    assert found.status == "failed"
    assert found.error_detail
    assert not CostExplorerRequest.objects.get().charged


def test_a_worker_that_died_leaves_a_forecast_that_ends_and_is_not_asked_again(payer: CostSource, admin: User) -> None:
    asked = aws_forecasts.request(source=payer, metric=Metric.UNBLENDED, end=MONTH_END, by=admin)
    AwsForecast.objects.filter(pk=asked.pk).update(status="running", claimed_until=NOW - timedelta(minutes=1))
    aws_forecasts.tick()
    asked.refresh_from_db()
    assert (asked.status, asked.error_code) == ("failed", "worker_lost")
    assert not CostExplorerRequest.objects.exists()


@pytest.mark.parametrize(
    ("start", "end", "granularity"),
    [
        (TODAY - timedelta(days=1), MONTH_END, "MONTHLY"),
        (TODAY + timedelta(days=1), MONTH_END, "MONTHLY"),
        (TODAY, date(2027, 4, 1), "DAILY"),
        (TODAY, date(2028, 7, 1), "MONTHLY"),
    ],
)
def test_the_simulated_aws_refuses_what_aws_refuses(payer: CostSource, start: date, end: date, granularity: str) -> None:
    query = ForecastQuery(start, end, Metric.AMORTIZED, 90, granularity)  # type: ignore[arg-type]
    with pytest.raises(AwsError) as refused:
        cost_forecasts.get_cost_forecast(
            credentials.access_for(payer.account, None), query, meter=LedgerMeter(payer, cost_forecasts.OPERATION)
        )
    assert refused.value.cause is AwsErrorKind.INVALID_REQUEST


def test_the_page_and_the_api_show_both_forecasts_of_the_same_days(payer: CostSource, admin: User, client: Client) -> None:
    books.fill(payer, DayRange(date(2026, 10, 1), date(2026, 11, 19)))
    CostSource.objects.filter(pk=payer.pk).update(scope="payer", backfilled_from=date(2026, 10, 1), fresh_at=NOW, status="ok")
    client.force_login(admin)
    assert "Ask AWS" in client.get("/costs/forecast").content.decode()
    client.post("/costs/forecast/aws", {"account": payer.account_id, "until": "month", "metric": "unblended"})
    aws_forecasts.run(forecast_id=AwsForecast.objects.get().pk)
    (told,) = client.get("/api/costs/forecast/aws").json()
    assert (told["aws"]["method"], told["own_method"]) == ("cost_explorer", "weekday_rhythm")
    assert Decimal(told["difference"]) == Decimal(told["aws"]["amount"]) - Decimal(told["own"])
    assert client.get(f"/api/costs/forecast/aws/{told['aws']['id']}").json()["status"] == "succeeded"
    assert "asked" in client.get("/costs/forecast").content.decode()


def test_a_viewer_may_not_spend(payer: CostSource, client: Client) -> None:
    client.force_login(User.objects.create_user("bob", "bob@example.com", "correct horse battery", role=Role.VIEWER))
    asked = {"account": str(payer.account_id)}
    assert client.post("/api/costs/forecast/aws", asked, content_type="application/json").status_code in {403, 404}
    assert client.post("/costs/forecast/aws", asked).status_code in {403, 404}
    assert not AwsForecast.objects.exists()
