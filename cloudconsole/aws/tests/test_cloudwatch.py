"""Figures of buckets and functions, from the simulator and from answers that go wrong in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from cloudconsole.aws import cloudwatch, lambda_, s3
from cloudconsole.aws.cloudwatch import Activity, BucketMeasure
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.scripted import Endpoint, Request, json_reply
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

EU = "eu-central-1"
MIDNIGHT = 1_795_219_200  # 2026-11-21 00:00 UTC
DAY = 86_400


@pytest.fixture
def development(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def metric(bucket: str, storage: str, name: str = "BucketSizeBytes") -> dict[str, Any]:
    dimensions = [{"Name": "StorageType", "Value": storage}, {"Name": "BucketName", "Value": bucket}]
    return {"Namespace": "AWS/S3", "MetricName": name, "Dimensions": dimensions}


def cloud(series: list[dict[str, Any]], points: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Request], Any]:
    """A CloudWatch that lists `series` and answers each query with `points` of its metric."""

    def script(request: Request) -> Any:
        if request.operation == "ListMetrics":
            wanted = request.params["MetricName"]
            return json_reply({"Metrics": [one for one in series if one["MetricName"] == wanted]})
        queries = request.params["MetricDataQueries"]
        return json_reply({"MetricDataResults": [{"Id": q["Id"], **points(q["MetricStat"]["Metric"])} for q in queries]})

    return script


def storage_of(asked: dict[str, Any]) -> str:
    return str({one["Name"]: one["Value"] for one in asked["Dimensions"]}["StorageType"])


def failing(call: Callable[[], object]) -> AwsError:
    with pytest.raises(AwsError) as caught:
        call()
    return caught.value


# --- buckets


def test_a_bucket_has_its_size_its_count_and_the_day_of_both(simulator: SimulatorHandle, development: Access) -> None:
    [name] = [bucket.name for bucket in s3.buckets(development) if bucket.name == "example-dev-artifacts"]
    measure = cloudwatch.bucket_sizes(development, EU, [name])[name]
    assert measure.size_bytes_by_class.keys() == {"StandardStorage"}
    assert measure.size_bytes_by_class["StandardStorage"] > 0
    assert measure.object_count
    assert measure.measured_on is not None
    assert simulator.now().date() - measure.measured_on <= timedelta(days=2)


def test_a_bucket_without_figures_has_no_data_which_is_not_zero(development: Access) -> None:
    assert cloudwatch.bucket_sizes(development, EU, ["nobodys-bucket"]) == {"nobodys-bucket": BucketMeasure(None, {}, None)}


def test_no_bucket_is_no_question(simulator: SimulatorHandle, development: Access) -> None:
    assert cloudwatch.bucket_sizes(development, EU, []) == {}
    assert cloudwatch.function_activity(development, EU, []) == {}
    assert simulator.calls() == []


def test_only_series_that_exist_are_paid_for(simulator: SimulatorHandle, development: Access) -> None:
    cloudwatch.bucket_sizes(development, EU, ["example-dev-artifacts", "nobodys-bucket"])
    assert [call.operation for call in simulator.calls()] == ["ListMetrics", "ListMetrics", "GetMetricData"]


def test_all_classes_of_the_newest_day_are_added_and_no_older_one(endpoint: Endpoint, access: Access) -> None:
    told = {
        "StandardStorage": {"Timestamps": [MIDNIGHT, MIDNIGHT - DAY], "Values": [100.0, 900.0]},
        "GlacierStorage": {"Timestamps": [MIDNIGHT], "Values": [40.0]},
        "StandardIAStorage": {"Timestamps": [MIDNIGHT - DAY], "Values": [7_000.0]},
        "AllStorageTypes": {"Timestamps": [MIDNIGHT, MIDNIGHT - DAY], "Values": [3.0, 4.0]},
    }
    series = [metric("b", storage) for storage in list(told)[:3]] + [metric("b", "AllStorageTypes", "NumberOfObjects")]
    endpoint.script = cloud(series, lambda asked: told[storage_of(asked)])
    measure = cloudwatch.bucket_sizes(access, EU, ["b"])["b"]
    assert measure.size_bytes_by_class == {"StandardStorage": 100, "GlacierStorage": 40}
    assert (measure.object_count, str(measure.measured_on)) == (3, "2026-11-21")


def test_a_day_of_which_the_sizes_are_still_to_come_is_not_one_without_a_size(endpoint: Endpoint, access: Access) -> None:
    told = {
        "StandardStorage": {"Timestamps": [MIDNIGHT - DAY], "Values": [900.0]},
        "AllStorageTypes": {"Timestamps": [MIDNIGHT, MIDNIGHT - DAY], "Values": [3.0, 4.0]},
    }
    series = [metric("b", "StandardStorage"), metric("b", "AllStorageTypes", "NumberOfObjects")]
    endpoint.script = cloud(series, lambda asked: told[storage_of(asked)])
    measure = cloudwatch.bucket_sizes(access, EU, ["b"])["b"]
    assert (measure.size_bytes_by_class, measure.object_count, str(measure.measured_on)) == (
        {"StandardStorage": 900}, 4, "2026-11-20",
    )  # fmt: skip
    told["AllStorageTypes"]["Values"] = [0.0, 4.0]  # it was emptied since, and S3 tells no size of nothing
    measure = cloudwatch.bucket_sizes(access, EU, ["b"])["b"]
    assert (measure.size_bytes_by_class, measure.object_count, str(measure.measured_on)) == ({}, 0, "2026-11-21")


def test_a_day_of_which_only_the_size_is_known_has_no_count(endpoint: Endpoint, access: Access) -> None:
    series = [metric("b", "StandardStorage"), metric("b", "AllStorageTypes", "NumberOfObjects")]
    told = {"StandardStorage": MIDNIGHT, "AllStorageTypes": MIDNIGHT - DAY}
    endpoint.script = cloud(series, lambda asked: {"Timestamps": [told[storage_of(asked)]], "Values": [5.0]})
    assert cloudwatch.bucket_sizes(access, EU, ["b"])["b"].object_count is None


def test_a_day_is_one_in_utc_wherever_this_machine_stands(
    endpoint: Endpoint, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        endpoint.script = cloud([metric("b", "X")], lambda _: {"Timestamps": [MIDNIGHT], "Values": [5.0]})
        assert str(cloudwatch.bucket_sizes(access, EU, ["b"])["b"].measured_on) == "2026-11-21"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_more_series_than_a_request_takes_are_asked_in_parts(endpoint: Endpoint, access: Access) -> None:
    series = [metric(f"b{number}", "StandardStorage") for number in range(1_100)]
    endpoint.script = cloud(series, lambda _: {"Timestamps": [MIDNIGHT], "Values": [5.0]})
    found = cloudwatch.bucket_sizes(access, EU, [f"b{number}" for number in range(1_100)])
    asked = [len(request.params["MetricDataQueries"]) for request in endpoint.requests if request.operation == "GetMetricData"]
    assert asked == [500, 500, 100]
    assert {measure.size_bytes_by_class["StandardStorage"] for measure in found.values()} == {5}


def test_the_points_of_a_series_may_come_over_several_pages(simulator: SimulatorHandle, development: Access) -> None:
    names = [facts.name for page in lambda_.functions(development, EU) for facts in page]
    whole = cloudwatch.function_activity(development, EU, names)
    simulator.clear_calls()
    simulator.set_metrics_page(7)
    assert cloudwatch.function_activity(development, EU, names) == whole
    assert len(simulator.calls()) > 3


# --- functions


def test_a_function_tells_how_often_it_ran_and_failed_in_a_day(development: Access) -> None:
    found = cloudwatch.function_activity(development, EU, ["orders-total", "nobodys-function"])
    assert found["orders-total"].invocations > found["orders-total"].errors > 0
    assert found["nobodys-function"] == Activity(0, 0)


def test_a_longer_time_holds_more(development: Access) -> None:
    day = cloudwatch.function_activity(development, EU, ["orders-total"])["orders-total"]
    week = cloudwatch.function_activity(development, EU, ["orders-total"], hours=168)["orders-total"]
    assert week.invocations > 3 * day.invocations


# --- trouble


@pytest.mark.parametrize(
    ("status", "cause"), [("InternalError", AwsErrorKind.INTERNAL), ("Forbidden", AwsErrorKind.ACCESS_DENIED)]
)
def test_a_series_that_failed_in_a_good_answer_is_a_failure_and_no_zero(
    endpoint: Endpoint, access: Access, status: str, cause: AwsErrorKind
) -> None:
    endpoint.script = cloud([metric("b", "X")], lambda _: {"Timestamps": [], "Values": [], "StatusCode": status})
    assert failing(lambda: cloudwatch.bucket_sizes(access, EU, ["b"])).cause is cause


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"MetricDataResults": [{"Id": "m77", "Timestamps": [], "Values": []}]},
        {"MetricDataResults": [{"Id": "something", "Timestamps": [], "Values": []}]},
        {"MetricDataResults": [], "NextToken": "same"},
    ],
)
def test_an_answer_to_another_question_is_garbled(endpoint: Endpoint, access: Access, answer: dict[str, Any]) -> None:
    endpoint.script = lambda _: json_reply(answer)
    assert failing(lambda: cloudwatch.function_activity(access, EU, ["f"])).cause is AwsErrorKind.GARBLED


def test_a_denial_names_the_action(simulator: SimulatorHandle, development: Access) -> None:
    simulator.add_faults(Fault("cloudwatch", FaultKind.DENIED))
    error = failing(lambda: cloudwatch.function_activity(development, EU, ["f"]))
    assert error.cause is AwsErrorKind.ACCESS_DENIED
    assert error.denial is not None
    assert error.denial.action == "cloudwatch:GetMetricData"
