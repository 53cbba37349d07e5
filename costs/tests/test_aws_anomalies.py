"""AWS's own anomalies: asked for once a day where that is allowed, one list with ours, and told what people think."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from accounts.services import credentials
from cloudconsole.aws import anomaly_detection
from cloudconsole.aws.errors import AwsError
from cloudconsole.simulator.anomaly_detection import ANOMALY_ID
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import PRODUCTION
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import AwsAnomaly, AwsAnomalyAnswer, CostAnomaly, CostExplorerRequest, CostSource
from costs.services import aws_anomalies
from costs.services.ledger import LedgerMeter
from costs.tests.conftest import NOW, connect

Api = Callable[[User | None], APIClient]
BEDROCK = "Amazon Bedrock"


@pytest.fixture
def watched(payer: CostSource) -> CostSource:
    """A payer that may read AWS's anomalies and tell it what people think."""
    capabilities = ["costs", aws_anomalies.READ, aws_anomalies.TELL]
    AwsAccount.objects.filter(pk=payer.account_id).update(capabilities=capabilities)
    CostSource.objects.filter(pk=payer.pk).update(fresh_at=NOW)
    payer.refresh_from_db()
    return payer


def our_own(source: CostSource, first: date, last: date) -> CostAnomaly:
    return CostAnomaly.objects.create(
        source=source, account_number=PRODUCTION, service=BEDROCK, currency="USD", started_on=first, last_day=last, days=4,
        actual=600, expected=90, impact=510, peak=190, detected_at=NOW, updated_at=NOW, status="closed",
    )  # fmt: skip


def test_what_aws_alone_found_is_in_the_list_with_its_figures(watched: CostSource, admin: User, api: Api) -> None:
    aws_anomalies.fetch(source_id=watched.pk)
    (one,) = api(admin).get("/api/costs/anomalies").json()["results"]
    assert (one["found_by"], one["account"], one["service"], one["impact"], one["peak"]) == (
        "aws",
        PRODUCTION,
        BEDROCK,
        "510",
        "190",
    )
    assert (one["started_on"], one["last_day"], one["status"]) == ("2026-11-08", "2026-11-11", "closed")
    detail = api(admin).get(f"/api/costs/anomalies/{one['id']}").json()
    assert [(told["monitor"], told["region"]) for told in detail["aws"]] == [("Default-Services-Monitor", "us-east-1")]
    assert CostExplorerRequest.objects.filter(outcome="ok", charged=True).count() == 2


def test_what_both_found_is_one_episode(watched: CostSource) -> None:
    ours = our_own(watched, date(2026, 11, 9), date(2026, 11, 12))
    aws_anomalies.fetch(source_id=watched.pk)
    ours.refresh_from_db()
    assert (ours.found_by, ours.impact, CostAnomaly.objects.count()) == ("both", 510, 1)


def test_an_own_episode_that_comes_later_takes_over_what_aws_found(watched: CostSource) -> None:
    aws_anomalies.fetch(source_id=watched.pk)
    alone = CostAnomaly.objects.get()
    ours = our_own(watched, date(2026, 11, 8), date(2026, 11, 11))
    AwsAnomalyAnswer.objects.update(next_at=NOW)
    aws_anomalies.fetch(source_id=watched.pk)
    alone.refresh_from_db()
    ours.refresh_from_db()
    assert (alone.status, ours.found_by, AwsAnomaly.objects.get().episode) == ("withdrawn", "both", ours)


def test_a_day_asks_once_and_again_changes_nothing(watched: CostSource) -> None:
    assert aws_anomalies.due(NOW) == [watched.pk]
    aws_anomalies.fetch(source_id=watched.pk)
    before = list(CostAnomaly.objects.values_list()), list(AwsAnomaly.objects.values_list())
    aws_anomalies.fetch(source_id=watched.pk)
    assert CostExplorerRequest.objects.count() == 2
    assert aws_anomalies.due(NOW) == []
    with time_machine.travel(NOW + timedelta(days=1, minutes=1), tick=True):
        aws_anomalies.fetch(source_id=watched.pk)
    assert CostExplorerRequest.objects.count() == 4
    assert (list(CostAnomaly.objects.values_list()), list(AwsAnomaly.objects.values_list())) == before


def test_an_account_without_the_capability_is_never_asked(payer: CostSource) -> None:
    CostSource.objects.update(fresh_at=NOW)
    assert aws_anomalies.due(NOW) == []
    aws_anomalies.fetch(source_id=payer.pk)
    assert not CostExplorerRequest.objects.exists()


def test_no_monitor_a_denial_and_the_cap_are_told(aws: SimulatorHandle, watched: CostSource, db: None) -> None:
    member = connect(aws, "development", "development")
    AwsAccount.objects.filter(pk=member.account_id).update(capabilities=["costs", aws_anomalies.READ])
    aws_anomalies.fetch(source_id=member.pk)
    assert AwsAnomalyAnswer.objects.get(source=member).monitors == 0
    assert CostExplorerRequest.objects.count() == 1
    aws.add_faults(Fault("ce", FaultKind.DENIED, operation="GetAnomalyMonitors"))
    aws_anomalies.fetch(source_id=watched.pk)
    answer = AwsAnomalyAnswer.objects.get(source=watched)
    assert (answer.error_code, answer.monitors) == ("aws_access_denied", None)
    CostSource.objects.update(monthly_request_cap=0)
    AwsAnomalyAnswer.objects.update(next_at=NOW)
    aws_anomalies.fetch(source_id=watched.pk)
    answer.refresh_from_db()
    assert answer.error_code == "request_cap_reached"


def test_aws_is_told_only_on_somebodys_wish(watched: CostSource, admin: User, api: Api) -> None:
    aws_anomalies.fetch(source_id=watched.pk)
    address = f"/api/costs/anomalies/{CostAnomaly.objects.get().pk}/feedback"
    assert api(admin).post(address, {"assessment": "planned"}, format="json").status_code == 201
    assert AwsAnomaly.objects.get().feedback == ""
    assert api(admin).post(address, {"assessment": "not_expected", "tell_aws": True}, format="json").status_code == 201
    assert AwsAnomaly.objects.get().feedback == "YES"
    AwsAnomalyAnswer.objects.update(next_at=NOW)
    aws_anomalies.fetch(source_id=watched.pk)
    assert AwsAnomaly.objects.get().feedback == "YES"
    AwsAccount.objects.update(capabilities=["costs"])
    refused = api(admin).post(address, {"assessment": "planned", "tell_aws": True}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "aws_not_told")


def test_aws_refuses_a_range_that_is_too_old_and_an_anomaly_it_does_not_know(watched: CostSource) -> None:
    access, meter = credentials.access_for(watched.account, None), LedgerMeter(watched, "GetAnomalies")
    with pytest.raises(AwsError):
        anomaly_detection.anomalies(access, date(2026, 8, 1), date(2026, 11, 18), meter=meter)
    with pytest.raises(AwsError):
        anomaly_detection.provide_feedback(access, "nonsense", anomaly_detection.Feedback.YES, meter=meter)
    assert anomaly_detection.anomalies(access, date(2026, 11, 12), date(2026, 11, 18), meter=meter) == []
    assert [one.id for one in anomaly_detection.anomalies(access, date(2026, 11, 11), date(2026, 11, 11), meter=meter)] == [
        ANOMALY_ID
    ]
