"""The buckets of an account: found, looked at, made and deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cloudconsole.aws import calls, codes, regions
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketLocationConstraintType
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef, PublicAccessBlockConfigurationTypeDef

T = TypeVar("T")

# BucketRegion comes only where a parameter is sent; more than 1,000 in a page is not looked at faster.
_PAGE = 1_000
_WITHOUT_CONSTRAINT = "us-east-1"


@dataclass(frozen=True, slots=True)
class BucketDetails:
    """How a bucket is kept. None where the credentials may not know.

    `versioning`: enabled, suspended or disabled; `encryption`: AWS's name of the default (AES256, aws:kms, aws:kms:dsse).
    """

    public_access_blocked: bool | None = None
    versioning: str | None = None
    encryption: str | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class BucketFacts:
    """A bucket. The last four are known after `with_details` only."""

    name: str
    region: str
    created_at: datetime | None
    public_access_blocked: bool | None = None
    versioning: str | None = None
    encryption: str | None = None
    tags: Mapping[str, str] | None = None

    def with_details(self, details: BucketDetails) -> BucketFacts:
        return replace(
            self,
            public_access_blocked=details.public_access_blocked,
            versioning=details.versioning,
            encryption=details.encryption,
            tags=details.tags,
        )


def buckets(access: Access, *, observer: Observer | None = None) -> list[BucketFacts]:
    """All buckets of the account, wherever they are, without their details. `created_at` may move when a bucket is changed."""
    home = regions.home(access.region)
    found: list[BucketFacts] = []
    token: str | None = None
    while True:
        page = calls.call(access, "s3", "ListBuckets", home, partial(_page, home, token), observer=observer)
        found += [_facts(access, bucket) for bucket in page.get("Buckets", ())]
        token = page.get("ContinuationToken")
        if not token:
            return found


def bucket_region(access: Access, name: str) -> str:
    """Where the bucket is, asked by HeadBucket, which AWS recommends for it."""
    home = regions.home(access.region)
    return calls.call(access, "s3", "HeadBucket", home, lambda: str(client("s3", home).head_bucket(Bucket=name)["BucketRegion"]))


def bucket_details(access: Access, region: str, name: str, *, observer: Observer | None = None) -> BucketDetails:
    """Four questions about one bucket; one that the credentials may not ask stays None, any other failure is raised."""
    s3 = client("s3", region)

    def ask(operation: str, request: Callable[[], T]) -> T | None:
        try:
            return calls.call(access, "s3", operation, region, request, observer=observer)
        except AwsError as error:
            if error.cause is AwsErrorKind.ACCESS_DENIED:
                return None
            raise

    return BucketDetails(
        public_access_blocked=ask("GetPublicAccessBlock", lambda: _is_blocked(s3, name)),
        versioning=ask("GetBucketVersioning", lambda: _versioning(s3, name)),
        encryption=ask("GetBucketEncryption", lambda: _encryption(s3, name)),
        tags=ask("GetBucketTagging", lambda: _tags(s3, name)),
    )


def create_bucket(access: Access, region: str, name: str, *, versioning: bool, observer: Observer | None = None) -> BucketFacts:
    """A new bucket: private, encrypted, owned by the account alone (AWS's defaults since 2023), public access blocked.

    A failure after the first step names its own operation; the bucket then exists. Raises AwsError with the code
    BucketAlreadyOwnedByYou everywhere: AWS itself, in us-east-1, would answer 200 and reset the bucket's ACLs.
    """
    s3 = client("s3", region)

    def do(operation: str, request: Callable[[], object]) -> None:
        calls.call(access, "s3", operation, region, request, observer=observer)

    if _is_ours(access, region, name, observer):
        raise _already_ours()
    # Sent once: after a lost answer the bucket would stand in its own way.
    do("CreateBucket", lambda: once("s3", region).create_bucket(**_wish(region, name)))
    do("PutPublicAccessBlock", lambda: s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=_ALL_BLOCKED))
    if versioning:
        do("PutBucketVersioning", lambda: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"}))
    created = BucketFacts(name, region, None)
    return created.with_details(bucket_details(access, region, name, observer=observer))


def delete_bucket(access: Access, region: str, name: str, *, observer: Observer | None = None) -> None:
    """Delete an empty bucket; BucketNotEmpty counts versions and delete markers too. Sent once: its name may be taken anew."""
    s3 = once("s3", region)
    calls.call(access, "s3", "DeleteBucket", region, lambda: s3.delete_bucket(Bucket=name), observer=observer)


_ALL_BLOCKED: PublicAccessBlockConfigurationTypeDef = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def _page(region: str, after: str | None) -> dict[str, Any]:
    more = {"ContinuationToken": after} if after else {}
    return cast("dict[str, Any]", client("s3", region).list_buckets(MaxBuckets=_PAGE, **more))


def _facts(access: Access, bucket: Mapping[str, Any]) -> BucketFacts:
    # Endpoints other than AWS's own may leave the region out.
    name = str(bucket["Name"])
    return BucketFacts(name, str(bucket.get("BucketRegion") or bucket_region(access, name)), _moment(bucket.get("CreationDate")))


def _moment(told: datetime | None) -> datetime | None:
    return told.astimezone(UTC) if told else None


def _wish(region: str, name: str) -> CreateBucketRequestTypeDef:
    """us-east-1 is the one region that must not be named."""
    if region == _WITHOUT_CONSTRAINT:
        return {"Bucket": name}
    constraint = cast("BucketLocationConstraintType", region)
    return {"Bucket": name, "CreateBucketConfiguration": {"LocationConstraint": constraint}}


def _is_ours(access: Access, region: str, name: str, observer: Observer | None) -> bool:
    """Whether the account may look into a bucket of this name already; in doubt CreateBucket has the word."""
    try:
        calls.call(access, "s3", "HeadBucket", region, lambda: client("s3", region).head_bucket(Bucket=name), observer=observer)
    except AwsError as error:
        if error.cause in (AwsErrorKind.NOT_FOUND, AwsErrorKind.ACCESS_DENIED, AwsErrorKind.INVALID_REQUEST):
            return False
        raise
    return True


def _already_ours() -> AwsError:
    reading = codes.reading_of("s3", "CreateBucket", "BucketAlreadyOwnedByYou", "", 409)
    return AwsError(
        service="s3",
        operation="CreateBucket",
        cause=reading.cause,
        meaning=reading.meaning,
        remedy=reading.remedy,
        aws_code="BucketAlreadyOwnedByYou",
    )


def _is_blocked(s3: Any, name: str) -> bool:
    try:
        configuration = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchPublicAccessBlockConfiguration":
            return False
        raise
    return all(configuration.get(part, False) for part in _ALL_BLOCKED)


def _versioning(s3: Any, name: str) -> str:
    status = s3.get_bucket_versioning(Bucket=name).get("Status", "")
    return str(status).lower() or "disabled"


def _encryption(s3: Any, name: str) -> str:
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])


def _tags(s3: Any, name: str) -> dict[str, str]:
    try:
        found = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchTagSet":
            return {}
        raise
    return {tag["Key"]: tag["Value"] for tag in found}
