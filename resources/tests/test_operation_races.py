"""Two at once, and one that takes long: what the database refuses is told, and who is at work is not taken for dead."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.aws import lambda_, s3
from cloudconsole.core import clock
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Bucket, Operation
from resources.services import operations, uploads
from resources.services.operations import busy, progress
from resources.tests import test_functions
from resources.tests.conftest import Connected

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


def test_an_operation_that_ends_while_it_is_looked_for_is_still_told_as_busy(
    api: Api, admin: User, account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(admin)
    test_functions.deploy(client, account)
    test_functions.deploy(client, account, test_functions.BROKEN)
    path = f"/api/lambda/roll-back/{test_functions.NAME}"
    assert client.post(path, {"version": "1"}, format="json").status_code == 202
    monkeypatch.setattr(busy, "_open_on", lambda action, target: None)
    second = client.post(path, {"version": "1"}, format="json")

    assert (second.status_code, second.json()["code"]) == (409, "operation_in_progress")
    assert Operation.objects.filter(action="lambda.roll_back").count() == 1


def test_a_part_that_takes_minutes_on_a_slow_line_is_not_taken_for_the_end_of_its_process(
    admin: User, account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    bucket = Bucket.objects.create(account=account, name="reports", region="eu-central-1", first_seen_at=now, observed_at=now)
    with time_machine.travel(now, tick=True) as traveller:

        def slowly(*_: object, on_progress: Callable[[int], None], **__: object) -> s3.Uploaded:
            for part in (1, 2):
                on_progress(part)
                traveller.shift(timedelta(minutes=5))
                operations.run(operation_id=Operation.objects.get().pk)  # what the tick rings for
            return s3.Uploaded(2, "etag", None, "sum")

        monkeypatch.setattr(s3, "upload", slowly)
        uploads.upload(bucket=bucket, key="a", stream=io.BytesIO(), size=2, content_type="", if_absent=False, by=admin)

    assert Operation.objects.get().status == "succeeded"


def test_a_part_that_trickles_in_from_the_browser_is_not_taken_for_the_end_of_its_process(
    admin: User, account: AwsAccount, simulator: SimulatorHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    simulator.set_now(now + timedelta(minutes=80))
    bucket = Bucket.objects.create(
        account=account, name="example-dev-artifacts", region="eu-central-1", first_seen_at=now, observed_at=now
    )
    monkeypatch.setattr(progress, "_EVERY_S", 0)  # of a clock that no test moves
    with time_machine.travel(now, tick=True) as traveller:

        class Trickle(io.BytesIO):
            def read(self, size: int | None = -1, /) -> bytes:
                traveller.shift(timedelta(minutes=9))
                operations.run(operation_id=Operation.objects.get().pk)  # what the tick rings for
                return super().read(size)

        stream = Trickle(bytes(8 * 1024 * 1024))
        uploads.upload(bucket=bucket, key="a", stream=stream, size=8 * 1024 * 1024, content_type="", if_absent=False, by=admin)

    assert Operation.objects.get().status == "succeeded"


def test_a_function_that_aws_works_on_for_long_is_rolled_back_by_one_worker(
    api: Api, admin: User, account: AwsAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api(admin)
    test_functions.deploy(client, account)
    test_functions.deploy(client, account, test_functions.BROKEN)
    asked = client.post(f"/api/lambda/roll-back/{test_functions.NAME}", {"version": "1"}, format="json").json()
    wait, looked = lambda_.wait_until_active, []
    with time_machine.travel(clock.now(), tick=True) as traveller:

        def slowly(*place: object, pause: Callable[[float], None], **more: object) -> object:
            for _ in range(3):
                traveller.shift(timedelta(seconds=50))
                pause(0)
            operations.run(operation_id=asked["id"])
            looked.append(Operation.objects.get(pk=asked["id"]).phase)
            return wait(*place, pause=pause, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(lambda_, "wait_until_active", slowly)
        monkeypatch.setattr(progress, "_EVERY_S", 0)  # of a clock that no test moves
        operations.run(operation_id=asked["id"])
    done = Operation.objects.get(pk=asked["id"])

    assert looked[0] == "sent"
    assert (done.status, done.result.get("code_of")) == ("succeeded", "1"), done.outcome_detail
