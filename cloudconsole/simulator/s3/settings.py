"""Making, finding, setting and deleting buckets (S3 API reference)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from cloudconsole.simulator.s3 import names, xml
from cloudconsole.simulator.s3.buckets import ALL_BLOCKED, Bucket, Versioning
from cloudconsole.simulator.s3.routes import S3Request
from cloudconsole.simulator.wire import AwsError, Response, element

_FIRST_REGION = "us-east-1"
_ALGORITHMS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})
_MOST_BUCKETS = 10_000


def list_buckets(owned: Iterable[Bucket], request: S3Request, owner: str) -> str:
    """By name. The region comes only to those who ask with a parameter (S3 API reference, ListBuckets)."""
    query = request.query
    after, prefix, region = query.get("continuation-token", ""), query.get("prefix", ""), query.get("bucket-region", "")
    most = int(query.get("max-buckets", _MOST_BUCKETS)) if query.get("max-buckets", "1").isdigit() else 0
    if not 1 <= most <= _MOST_BUCKETS:
        raise AwsError("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000.")
    found = sorted((bucket for bucket in owned if bucket.name > after), key=lambda bucket: bucket.name)
    found = [bucket for bucket in found if bucket.name.startswith(prefix) and region in ("", bucket.region)]
    page = found[:most]
    rows = (
        element("Name", bucket.name)
        + element("CreationDate", xml.moment(bucket.created_at))
        + (element("BucketRegion", bucket.region) if query else "")
        for bucket in page
    )
    token = element("ContinuationToken", page[-1].name) if len(found) > most else ""
    return f"<Owner>{element('ID', owner)}</Owner><Buckets>{xml.many('Bucket', rows)}</Buckets>{token}"


def check_new(request: S3Request, region: str, taken_by: Bucket | None, account_id: str) -> bool:
    """Raise what stands against a new bucket; False where us-east-1 answers 200 for a bucket that is there already."""
    if not names.is_allowed(request.bucket):
        message = "The specified bucket is not valid."
        raise AwsError("InvalidBucketName", message, members={"BucketName": request.bucket})
    _check_region(request, region)
    if request.bucket in names.TAKEN or (taken_by is not None and taken_by.account_id != account_id):
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )
        raise AwsError("BucketAlreadyExists", message, 409, members={"BucketName": request.bucket})
    if taken_by is None:
        return True
    if taken_by.region == _FIRST_REGION == region:
        return False
    message = "Your previous request to create the named bucket succeeded and you already own it."
    raise AwsError("BucketAlreadyOwnedByYou", message, 409, members={"BucketName": request.bucket})


def _check_region(request: S3Request, region: str) -> None:
    constraint = _text(request.body, "LocationConstraint") if request.body else ""
    if region == _FIRST_REGION and constraint == _FIRST_REGION:
        raise AwsError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            members={"LocationConstraint": constraint},
        )
    if region == _FIRST_REGION:
        if constraint:
            raise _illegal(constraint)
        return
    if constraint != region:
        raise _illegal(constraint or "unspecified")


def _illegal(constraint: str) -> AwsError:
    message = f"The {constraint} location constraint is incompatible for the region specific endpoint this request was sent to."
    return AwsError("IllegalLocationConstraintException", message)


def new_bucket(name: str, account_id: str, region: str, now: datetime) -> Bucket:
    """As AWS makes them since 2023: encrypted, and closed to the public."""
    return Bucket(name, account_id, region, now)


def check_deletable(bucket: Bucket) -> None:
    if bucket.is_empty:
        return
    message = "The bucket you tried to delete is not empty."
    if bucket.versioning is not Versioning.OFF:
        message += " You must delete all versions in the bucket."
    raise AwsError("BucketNotEmpty", message, 409, members={"BucketName": bucket.name})


def get(bucket: Bucket, operation: str, request_id: str) -> Response:
    """GetBucketLocation, GetBucketVersioning, GetBucketEncryption, GetPublicAccessBlock, GetBucketTagging."""
    name, inside = _GETTERS[operation](bucket)
    return xml.answer(name, inside, request_id)


def _location(bucket: Bucket) -> tuple[str, str]:
    return "LocationConstraint", "" if bucket.region == _FIRST_REGION else bucket.region


def _versioning(bucket: Bucket) -> tuple[str, str]:
    return "VersioningConfiguration", xml.optional("Status", bucket.versioning)


def _encryption(bucket: Bucket) -> tuple[str, str]:
    default = (
        f"<ApplyServerSideEncryptionByDefault>{element('SSEAlgorithm', bucket.encryption)}</ApplyServerSideEncryptionByDefault>"
    )
    return "ServerSideEncryptionConfiguration", f"<Rule>{default}{element('BucketKeyEnabled', 'false')}</Rule>"


def _public_access(bucket: Bucket) -> tuple[str, str]:
    if bucket.public_access_block is None:
        message = "The public access block configuration was not found"
        raise AwsError("NoSuchPublicAccessBlockConfiguration", message, 404, members={"BucketName": bucket.name})
    parts = bucket.public_access_block.items()
    return "PublicAccessBlockConfiguration", "".join(element(name, str(on).lower()) for name, on in parts)


def _tagging(bucket: Bucket) -> tuple[str, str]:
    if not bucket.tags:
        raise AwsError("NoSuchTagSet", "The TagSet does not exist", 404, members={"BucketName": bucket.name})
    tags = (element("Key", key) + element("Value", value) for key, value in bucket.tags.items())
    return "Tagging", f"<TagSet>{xml.many('Tag', tags)}</TagSet>"


_GETTERS = {
    "GetBucketLocation": _location,
    "GetBucketVersioning": _versioning,
    "GetBucketEncryption": _encryption,
    "GetPublicAccessBlock": _public_access,
    "GetBucketTagging": _tagging,
}


def put(bucket: Bucket, operation: str, body: bytes) -> None:
    """PutBucketVersioning, PutBucketEncryption, PutPublicAccessBlock, PutBucketTagging."""
    root = xml.parse(body)
    match operation:
        case "PutBucketVersioning":
            status = root.findtext("Status", "")
            if status not in ("Enabled", "Suspended"):
                raise AwsError("IllegalVersioningConfigurationException", "The Versioning element must be specified")
            bucket.versioning = Versioning(status)
        case "PutBucketEncryption":
            algorithm = _text(body, "SSEAlgorithm")
            if algorithm not in _ALGORITHMS:
                raise xml.malformed()
            bucket.encryption = algorithm
        case "PutPublicAccessBlock":
            bucket.public_access_block = {name: root.findtext(name, "false").lower() == "true" for name in ALL_BLOCKED}
        case _:
            bucket.tags = _tags(body)


def _tags(body: bytes) -> dict[str, str]:
    found = [(tag.findtext("Key", ""), tag.findtext("Value", "")) for tag in xml.parse(body).iter("Tag")]
    tags: Mapping[str, str] = dict(found)
    if len(tags) != len(found):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    return dict(tags)


def _text(body: bytes, name: str) -> str:
    return next((found.text or "" for found in xml.parse(body).iter(name)), "")
