"""What becomes of operations on buckets and functions when an answer is lost, a process dies, or AWS does half of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Bucket, Operation
from resources.rules.operations import Phase, Status
from resources.services import buckets, operations
from resources.tests import test_buckets, test_functions
from resources.tests.conftest import Connected

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db
NAME = test_buckets.NAME


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


def finished(pk: int) -> Operation:
    """The operation after as many turns as it needs, each when it is due."""
    with time_machine.travel(clock.now(), tick=True) as traveller:
        for _ in range(40):
            operations.run(operation_id=pk)
            operation = Operation.objects.get(pk=pk)
            if not operation.is_open:
                return operation
            traveller.shift(timedelta(seconds=30))
    raise AssertionError(f"still {operation.status} ({operation.phase}) after forty turns")


def dead_worker(operation: Operation) -> None:
    """Its worker died with the call under way."""
    long_ago = clock.now() - timedelta(minutes=10)
    Operation.objects.filter(pk=operation.pk).update(
        status=Status.RUNNING,
        phase=Phase.SENT,
        lease_token=operation.uuid,
        lease_until=long_ago,
        sent_at=long_ago,
        finished_at=None,
    )


def asked(client: APIClient, path: str) -> Operation:
    answer = client.delete(path)
    assert answer.status_code == 202, answer.content
    return Operation.objects.get(pk=answer.json()["id"])


def times(simulator: SimulatorHandle, operation: str) -> int:
    return [call.operation for call in simulator.calls()].count(operation)


def test_a_bucket_whose_answer_was_lost_is_found_and_made_once(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    simulator.add_faults(Fault("s3", FaultKind.LOST, "CreateBucket"))
    simulator.clear_calls()
    test_buckets.create(client, account, versioning=False)
    done = finished(Operation.objects.get(action="s3.create").pk)
    assert done.status == "succeeded", done.outcome_detail
    assert times(simulator, "CreateBucket") == 1
    assert Bucket.objects.filter(name=NAME, gone_at=None).exists()


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ("PutBucketVersioning", 409, "bucket_incomplete"),
        ("PutPublicAccessBlock", 409, "bucket_incomplete"),
        ("GetBucketTagging", 201, ""),
    ],
)
def test_a_bucket_that_was_made_in_part_is_told_as_that_and_is_in_the_inventory(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle, operation: str, status: int, code: str
) -> None:
    simulator.add_faults(Fault("s3", FaultKind.HTTP500, operation, times=9))
    answer = test_buckets.create(client, account, versioning=True)
    assert (answer.status_code, answer.json().get("code", "")) == (status, code), answer.content
    assert Bucket.objects.filter(name=NAME, gone_at=None).exists()


def test_a_bucket_whose_deletion_was_not_answered_is_looked_for_and_not_deleted_again(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_buckets.create(client, account)
    operation = asked(client, f"/api/s3/{NAME}?confirm={NAME}")
    dead_worker(operation)
    simulator.clear_calls()
    done = finished(operation.pk)
    assert (done.status, done.outcome_code) == ("failed", "bucket_not_deleted")
    assert times(simulator, "DeleteBucket") == 0
    assert Bucket.objects.get(name=NAME).gone_at is None


@pytest.mark.parametrize("delete_it", [False, True])
def test_what_aws_said_is_kept_when_emptying_ends_in_doubt(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle, admin: User, delete_it: bool
) -> None:
    test_buckets.create(client, account, versioning=True)
    test_buckets.upload(client, "a.txt", b"x")
    simulator.add_faults(Fault("s3", FaultKind.HTTP500, "DeleteObjects", times=99))
    bucket = Bucket.objects.get(name=NAME)
    operation = (
        buckets.delete(bucket=bucket, confirm=NAME, and_empty=True, by=admin)
        if delete_it
        else buckets.empty(bucket=bucket, confirm=NAME, by=admin)
    )
    done = finished(operation.pk)
    assert (done.status, done.aws_code) == ("failed", "InternalServerException"), done.outcome_detail
    assert done.aws_message
    assert "worker" not in done.outcome_detail
    assert "AWS failed" in done.outcome_detail


def test_emptying_goes_on_where_a_dead_worker_left_it(client: APIClient, account: AwsAccount, admin: User) -> None:
    test_buckets.create(client, account, versioning=True)
    for number in range(3):
        test_buckets.upload(client, f"{number}.txt", b"x")
    operation = buckets.empty(bucket=Bucket.objects.get(name=NAME), confirm=NAME, by=admin)
    dead_worker(operation)
    done = finished(operation.pk)
    assert (done.status, done.result["objects"]) == ("succeeded", 3), done.outcome_detail
    assert client.get(f"/api/s3/{NAME}/objects?versions=true").json()["objects"] == []


def test_an_upload_whose_answer_was_lost_is_not_called_a_success(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_buckets.create(client, account)
    simulator.add_faults(Fault("s3", FaultKind.LOST, "PutObject", times=1))
    lost = test_buckets.upload(client, "a.txt", b"x", if_absent="true")
    assert lost.status_code == 502, lost.content
    assert Operation.objects.get(action="s3.upload").status == "unknown"


def test_parts_of_an_upload_that_failed_are_not_left_behind(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_buckets.create(client, account)
    simulator.add_faults(Fault("s3", FaultKind.HTTP500, "CompleteMultipartUpload", times=99))
    simulator.clear_calls()
    failed = test_buckets.upload(client, "large.bin", b"x" * (17 * 1024 * 1024))
    assert failed.status_code == 502, failed.content
    assert times(simulator, "AbortMultipartUpload") == 1
    assert client.get(f"/api/s3/{NAME}/objects").json()["objects"] == []


def test_a_deployment_whose_process_died_is_found_where_aws_has_the_code(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_functions.deploy(client, account)
    operation = Operation.objects.get(action="lambda.deploy")
    dead_worker(operation)
    simulator.clear_calls()
    assert finished(operation.pk).status == "succeeded"
    assert not {"UpdateFunctionCode", "CreateFunction"} & {call.operation for call in simulator.calls()}


def test_a_deployment_whose_process_died_before_aws_had_the_code_says_so(client: APIClient, account: AwsAccount) -> None:
    test_functions.deploy(client, account)
    operation = Operation.objects.get(action="lambda.deploy")
    Operation.objects.filter(pk=operation.pk).update(parameters={**operation.parameters, "code_sha256": "another"})
    dead_worker(operation)
    done = finished(operation.pk)
    assert (done.status, done.outcome_code) == ("failed", "not_deployed")


def test_a_roll_back_that_stops_halfway_says_what_is_done(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_functions.deploy(client, account)
    test_functions.deploy(client, account, test_functions.BROKEN)
    simulator.add_faults(Fault("lambda", FaultKind.DENIED, "PublishVersion", times=9))
    asked_for: Any = client.post(f"/api/lambda/roll-back/{test_functions.NAME}", {"version": "1"}, format="json").json()
    done = finished(asked_for["id"])
    assert (done.status, done.outcome_code) == ("failed", "release_incomplete")
    assert "The new code is in place" in done.outcome_detail


def test_a_roll_back_whose_answer_was_lost_is_looked_at_and_sent_once(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    test_functions.deploy(client, account)
    test_functions.deploy(client, account, test_functions.BROKEN)
    simulator.add_faults(Fault("lambda", FaultKind.LOST, "UpdateFunctionCode"))
    simulator.clear_calls()
    asked_for: Any = client.post(f"/api/lambda/roll-back/{test_functions.NAME}", {"version": "1"}, format="json").json()
    done = finished(asked_for["id"])
    assert done.status == "succeeded", done.outcome_detail
    assert times(simulator, "UpdateFunctionCode") == 1
