"""Buckets, against the simulated S3."""

from __future__ import annotations

import pytest

from cloudconsole.aws import clients, s3
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle

EU, US = "eu-central-1", "us-east-1"


@pytest.fixture
def access(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def test_all_buckets_come_with_the_region_of_each(access: Access) -> None:
    found = {bucket.name: bucket.region for bucket in s3.buckets(access)}

    assert found == {"example-dev-artifacts": EU, "example-dev-lambda-code": EU, "example-dev-scratch": US}


def test_more_buckets_than_a_page_holds_are_all_found(simulator: SimulatorHandle, access: Access) -> None:
    made = simulator.s3.make(DEVELOPMENT, EU, 1_001)

    assert {bucket.name for bucket in s3.buckets(access)} >= set(made)
    assert [call.operation for call in simulator.calls()] == ["ListBuckets", "ListBuckets"]


def test_a_buckets_details_say_how_it_is_kept(access: Access) -> None:
    details = s3.bucket_details(access, EU, "example-dev-artifacts")

    assert details == s3.BucketDetails(True, "enabled", "AES256", {"team": "platform"})


def test_a_bucket_that_is_not_closed_wholly_is_not_called_closed(access: Access) -> None:
    half = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    with clients.acting_as(access):
        clients.client("s3", EU).put_public_access_block(
            Bucket="example-dev-artifacts",
            PublicAccessBlockConfiguration=half,  # type: ignore[arg-type]
        )

    assert s3.bucket_details(access, EU, "example-dev-artifacts").public_access_blocked is False


def test_what_may_not_be_asked_is_unknown_and_the_rest_is_known(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(Fault("s3", FaultKind.DENIED, operation="GetPublicAccessBlock"))

    details = s3.bucket_details(access, EU, "example-dev-artifacts")

    assert details.public_access_blocked is None
    assert details.versioning == "enabled"


def test_a_failure_that_is_no_refusal_is_not_taken_for_unknown(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(Fault("s3", FaultKind.HTTP500, operation="GetBucketVersioning", times=10))

    with pytest.raises(AwsError) as caught:
        s3.bucket_details(access, EU, "example-dev-artifacts")
    assert caught.value.cause is AwsErrorKind.INTERNAL


@pytest.mark.parametrize("region", [EU, US])
def test_a_new_bucket_is_private_and_encrypted(access: Access, region: str) -> None:
    made = s3.create_bucket(access, region, "example-new-bucket", versioning=True)

    assert (made.public_access_blocked, made.versioning, made.encryption) == (True, "enabled", "AES256")
    assert {bucket.name: bucket.region for bucket in s3.buckets(access)}["example-new-bucket"] == region


def test_a_bucket_without_versions_is_made_without(access: Access) -> None:
    assert s3.create_bucket(access, EU, "example-new-bucket", versioning=False).versioning == "disabled"


@pytest.mark.parametrize(
    ("name", "region", "code"),
    [
        ("Bad_Name", EU, "InvalidBucketName"),
        ("192.168.5.4", EU, "InvalidBucketName"),
        ("xn--bucket", EU, "InvalidBucketName"),
        ("test", EU, "BucketAlreadyExists"),
        ("example-shop-assets", US, "BucketAlreadyExists"),
        ("example-dev-artifacts", EU, "BucketAlreadyOwnedByYou"),
        ("example-dev-artifacts", US, "BucketAlreadyOwnedByYou"),
        ("example-dev-scratch", US, "BucketAlreadyOwnedByYou"),
    ],
)
def test_a_name_that_cannot_be_had_is_refused_with_its_reason(access: Access, name: str, region: str, code: str) -> None:
    with pytest.raises(AwsError) as caught:
        s3.create_bucket(access, region, name, versioning=False)

    assert caught.value.aws_code == code


def test_a_bucket_is_deleted_only_when_it_is_empty(access: Access) -> None:
    with pytest.raises(AwsError) as caught:
        s3.delete_bucket(access, EU, "example-dev-artifacts")
    assert (caught.value.aws_code, caught.value.cause) == ("BucketNotEmpty", AwsErrorKind.CONFLICT)

    s3.delete_bucket(access, US, "example-dev-scratch")

    assert "example-dev-scratch" not in {bucket.name for bucket in s3.buckets(access)}


def test_a_bucket_is_found_in_another_region_than_the_one_that_was_asked(simulator: SimulatorHandle, access: Access) -> None:
    clients.close()  # which forgets where buckets are

    page = s3.objects(access, US, "example-dev-artifacts")

    assert page.prefixes == ("builds/", "reports/")
    assert simulator.calls()[0].error == "PermanentRedirect"
    assert s3.bucket_region(access, "example-dev-artifacts") == EU


def test_somebody_elses_bucket_is_forbidden_and_a_missing_one_is_missing(access: Access) -> None:
    with pytest.raises(AwsError) as foreign:
        s3.objects(access, US, "example-data-lake")
    with pytest.raises(AwsError) as missing:
        s3.objects(access, US, "example-nowhere")

    assert (foreign.value.cause, missing.value.cause) == (AwsErrorKind.ACCESS_DENIED, AwsErrorKind.NOT_FOUND)


def test_who_may_only_look_is_told_which_action_is_missing(simulator: SimulatorHandle) -> None:
    with pytest.raises(AwsError) as caught:
        s3.create_bucket(access_as(simulator, "no-cost-explorer"), EU, "example-of-the-auditor", versioning=False)

    denial = caught.value.denial
    assert denial is not None
    assert (denial.action, denial.resource) == ("s3:CreateBucket", "arn:aws:s3:::example-of-the-auditor")
