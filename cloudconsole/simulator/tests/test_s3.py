"""S3 as AWS answers it, asked by boto3."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudconsole.simulator.organization import PRODUCTION
from cloudconsole.simulator.tests.conftest import Aws, refused

EU, US = "eu-central-1", "us-east-1"
BUCKET = "example-dev-artifacts"
MIB = 1024 * 1024


def s3(aws: Aws, key: str = "development", region: str = EU) -> Any:
    return aws.client("s3", key, region)


def test_the_region_comes_only_to_those_who_send_a_parameter(aws: Aws) -> None:
    plain = s3(aws).list_buckets()["Buckets"]
    asked = s3(aws).list_buckets(MaxBuckets=2)

    assert all("BucketRegion" not in bucket for bucket in plain)
    assert [bucket["BucketRegion"] for bucket in asked["Buckets"]] == [EU, EU]
    rest = s3(aws).list_buckets(MaxBuckets=2, ContinuationToken=asked["ContinuationToken"])
    assert [bucket["Name"] for bucket in rest["Buckets"]] == ["example-dev-scratch"]


def create(aws: Aws, region: str, name: str, constraint: str | None) -> Any:
    wish = {"CreateBucketConfiguration": {"LocationConstraint": constraint}} if constraint else {}
    return s3(aws, region=region).create_bucket(Bucket=name, **wish)


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        (US, US, "InvalidLocationConstraint"),
        (US, EU, "IllegalLocationConstraintException"),
        (EU, None, "IllegalLocationConstraintException"),
        (EU, "eu-west-1", "IllegalLocationConstraintException"),
    ],
)
def test_a_bucket_is_made_where_its_endpoint_is(aws: Aws, region: str, constraint: str | None, code: str) -> None:
    assert refused(lambda: create(aws, region, "example-elsewhere", constraint)).code == code


def test_making_a_bucket_again_succeeds_in_the_first_region_only(aws: Aws) -> None:
    create(aws, US, "example-dev-scratch", None)
    again = refused(lambda: create(aws, EU, BUCKET, EU))

    assert (again.code, again.status) == ("BucketAlreadyOwnedByYou", 409)


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "UPPER", "under_score", "-begins", "ends-", "two..dots", "1.2.3.4", "x-s3alias"]
)
def test_a_bad_name_is_refused(aws: Aws, name: str) -> None:
    answer = refused(lambda: create(aws, EU, name, EU))
    assert (answer.code, answer.status) == ("InvalidBucketName", 400)


def test_a_request_to_the_wrong_region_is_sent_away(aws: Aws) -> None:
    key = aws.keys["development"]
    request = AWSRequest("GET", f"{aws.simulator.url}/{BUCKET}?list-type=2")
    S3SigV4Auth(Credentials(key.access_key_id, key.secret_access_key), "s3", US).add_auth(request)
    answer = requests.get(str(request.url), headers=dict(request.headers), timeout=10, allow_redirects=False)

    assert (answer.status_code, answer.headers["x-amz-bucket-region"]) == (301, EU)
    assert "<Code>PermanentRedirect</Code>" in answer.text


def test_what_was_never_set_is_answered_as_aws_answers_it(aws: Aws) -> None:
    create(aws, EU, "example-fresh", EU)
    client = s3(aws)

    assert "Status" not in client.get_bucket_versioning(Bucket="example-fresh")
    assert refused(lambda: client.get_bucket_tagging(Bucket="example-fresh")).code == "NoSuchTagSet"
    [rule] = client.get_bucket_encryption(Bucket="example-fresh")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert all(client.get_public_access_block(Bucket="example-fresh")["PublicAccessBlockConfiguration"].values())


def test_a_suspended_bucket_keeps_its_versions_and_makes_one_that_is_replaced(aws: Aws) -> None:
    client = s3(aws)
    kept = client.put_object(Bucket=BUCKET, Key="notes", Body=b"1")["VersionId"]
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"22", b"333"):
        assert client.put_object(Bucket=BUCKET, Key="notes", Body=body)["VersionId"] == "null"

    found = client.list_object_versions(Bucket=BUCKET, Prefix="notes")["Versions"]
    assert [(version["VersionId"], version["Size"]) for version in found] == [("null", 3), (kept, 1)]
    assert client.delete_object(Bucket=BUCKET, Key="notes")["DeleteMarker"] is True


def test_a_part_of_an_object_can_be_read(aws: Aws) -> None:
    client = s3(aws)
    client.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")

    part = client.get_object(Bucket=BUCKET, Key="digits", Range="bytes=2-4")

    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert client.get_object(Bucket=BUCKET, Key="digits", Range="bytes=-3")["Body"].read() == b"789"
    assert refused(lambda: client.get_object(Bucket=BUCKET, Key="digits", Range="bytes=10-")).code == "InvalidRange"


def test_a_head_tells_the_size_without_sending_it(aws: Aws) -> None:
    client = s3(aws)
    client.put_object(Bucket=BUCKET, Key="digits", Body=b"0123456789")

    assert client.head_object(Bucket=BUCKET, Key="digits")["ContentLength"] == 10
    assert refused(lambda: client.head_object(Bucket=BUCKET, Key="nothing")).code == "404"


def test_an_archived_object_cannot_be_read(aws: Aws) -> None:
    aws.simulator.s3.fill(BUCKET, 1, prefix="old/", storage_class="GLACIER")

    assert refused(lambda: s3(aws).get_object(Bucket=BUCKET, Key="old/000000.txt")).code == "InvalidObjectState"


def test_a_wrong_checksum_is_noticed(aws: Aws) -> None:
    put = refused(lambda: s3(aws).put_object(Bucket=BUCKET, Key="x", Body=b"1", ChecksumCRC32="AAAAAA=="))
    by_md5 = refused(lambda: s3(aws).put_object(Bucket=BUCKET, Key="x", Body=b"1", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="))

    assert (put.code, by_md5.code) == ("BadDigest", "BadDigest")


@pytest.mark.parametrize(
    ("sizes", "order", "code"),
    [
        ((5 * MIB, 1), (2, 1), "InvalidPartOrder"),
        ((MIB, 1), (1, 2), "EntityTooSmall"),
        ((5 * MIB, 1), (1, 3), "InvalidPart"),
    ],
)
def test_parts_that_do_not_fit_make_no_object(aws: Aws, sizes: tuple[int, ...], order: tuple[int, ...], code: str) -> None:
    client = s3(aws)
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    place = {"Bucket": BUCKET, "Key": "big", "UploadId": upload}
    etags = {
        number: client.upload_part(**place, PartNumber=number, Body=b"x" * size)["ETag"] for number, size in enumerate(sizes, 1)
    }
    parts = [{"PartNumber": number, "ETag": etags.get(number, '"none"')} for number in order]

    answer = refused(lambda: client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts}))

    assert answer.code == code
    assert refused(lambda: client.head_object(Bucket=BUCKET, Key="big")).status == 404


def test_an_upload_that_was_given_up_is_gone(aws: Aws) -> None:
    client = s3(aws)
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    assert [found["Key"] for found in client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == ["big"]

    client.abort_multipart_upload(Bucket=BUCKET, Key="big", UploadId=upload)

    answer = refused(lambda: client.upload_part(Bucket=BUCKET, Key="big", UploadId=upload, PartNumber=1, Body=b"x"))
    assert (answer.code, answer.status) == ("NoSuchUpload", 404)


ACTIONS = [
    ("list_buckets", {}, "s3:ListAllMyBuckets", "*"),
    ("list_objects_v2", {"Bucket": BUCKET}, "s3:ListBucket", BUCKET),
    ("head_bucket", {"Bucket": BUCKET}, "s3:ListBucket", BUCKET),
    ("list_object_versions", {"Bucket": BUCKET}, "s3:ListBucketVersions", BUCKET),
    ("list_multipart_uploads", {"Bucket": BUCKET}, "s3:ListBucketMultipartUploads", BUCKET),
    ("get_bucket_encryption", {"Bucket": BUCKET}, "s3:GetEncryptionConfiguration", BUCKET),
    ("get_public_access_block", {"Bucket": BUCKET}, "s3:GetBucketPublicAccessBlock", BUCKET),
    ("get_object", {"Bucket": BUCKET, "Key": "k"}, "s3:GetObject", f"{BUCKET}/k"),
    ("get_object", {"Bucket": BUCKET, "Key": "k", "VersionId": "v"}, "s3:GetObjectVersion", f"{BUCKET}/k"),
    ("put_object", {"Bucket": BUCKET, "Key": "k", "Body": b""}, "s3:PutObject", f"{BUCKET}/k"),
    ("create_multipart_upload", {"Bucket": BUCKET, "Key": "k"}, "s3:PutObject", f"{BUCKET}/k"),
    ("delete_object", {"Bucket": BUCKET, "Key": "k", "VersionId": "v"}, "s3:DeleteObjectVersion", f"{BUCKET}/k"),
    ("create_bucket", {"Bucket": "example-auditors"}, "s3:CreateBucket", "example-auditors"),
    ("delete_bucket", {"Bucket": BUCKET}, "s3:DeleteBucket", BUCKET),
]


@pytest.mark.parametrize(("operation", "wish", "action", "resource"), ACTIONS)
def test_each_operation_needs_its_own_permission(
    aws: Aws, operation: str, wish: dict[str, Any], action: str, resource: str
) -> None:
    answer = refused(lambda: getattr(s3(aws, "no-cost-explorer"), operation)(**wish))

    assert answer.status == 403
    if operation != "head_bucket":  # whose answer has no body
        arn = resource if resource == "*" else f"arn:aws:s3:::{resource}"
        assert f'perform: {action} on resource: "{arn}" because' in answer.message


def test_what_the_organization_forbids_is_said_to_be_its_policy(aws: Aws) -> None:
    session = aws.client("sts", "hub").assume_role(
        RoleArn=f"arn:aws:iam::{PRODUCTION}:role/CloudconsoleReadOnly",
        RoleSessionName="tests",
        ExternalId=next(
            role["external_id"] for role in aws.simulator.organization()["roles"] if role["account_id"] == PRODUCTION
        ),
    )["Credentials"]
    key = type(aws.keys["hub"])(
        "role", "", PRODUCTION, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
    )

    answer = refused(lambda: aws._client("s3", key, US).delete_bucket(Bucket="example-shop-assets"))

    assert "with an explicit deny in a service control policy" in answer.message


def test_a_body_that_is_no_xml_is_refused(aws: Aws) -> None:
    client = aws._client("s3", "development", EU)
    client.meta.events.register("before-sign.s3.PutBucketTagging", _with_entities)

    assert refused(lambda: client.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": []})).code == "MalformedXML"


def _with_entities(request: Any, **_: object) -> None:
    request.data = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><Tagging>&a;</Tagging>'
    for name in [name for name in request.headers if name.lower().startswith(("content-md5", "x-amz-checksum"))]:
        del request.headers[name]


def test_the_story_is_the_same_after_a_reset(aws: Aws) -> None:
    def story() -> list[tuple[str, str, int]]:
        client = s3(aws)
        listed = client.list_object_versions(Bucket=BUCKET)["Versions"]
        return [(found["Key"], found["VersionId"], found["Size"]) for found in listed]

    before = story()
    aws.simulator.s3.fill(BUCKET, 3)
    s3(aws).delete_object(Bucket=BUCKET, Key=before[0][0])
    aws.simulator.reset()

    assert story() == before


def test_cloudwatch_knows_the_sizes_of_the_storys_buckets(aws: Aws) -> None:
    metrics = aws.client("cloudwatch", "development", EU).list_metrics(Namespace="AWS/S3")["Metrics"]

    named = {dimension["Value"] for metric in metrics for dimension in metric["Dimensions"] if dimension["Name"] == "BucketName"}
    assert named == {BUCKET, "example-dev-lambda-code"}


def test_cloudwatch_says_nothing_of_an_empty_bucket(aws: Aws) -> None:
    assert aws.client("cloudwatch", "development", US).list_metrics(Namespace="AWS/S3")["Metrics"] == []
