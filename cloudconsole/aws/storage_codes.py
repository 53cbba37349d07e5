"""S3's error codes and what they mean. Sources: S3 API reference, "Error responses"; S3 user guide, "Conditional writes".

A HEAD answer has no body: its code is the bare HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudconsole.aws.errors import AwsErrorKind as Why
from cloudconsole.aws.readings import Reading

BAD_NAME = Reading(
    Why.INVALID_REQUEST,
    "S3 does not allow this bucket name.",
    "Use 3 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
)
TAKEN = Reading(
    Why.CONFLICT,
    "Another AWS account has a bucket of this name; bucket names are unique in all of AWS.",
    "Choose another name, for example with the name of your organization in front.",
)
OURS = Reading(
    Why.CONFLICT,
    "This account has a bucket of this name already.",
    "Use that bucket, or choose another name.",
)
NOT_EMPTY = Reading(
    Why.CONFLICT,
    "The bucket is not empty; older versions of objects and delete markers count too.",
    "Empty the bucket first, versions included, if nobody needs what is in it.",
)
BUSY = Reading(
    Why.CONFLICT,
    "S3 is still at work on another change of the same name.",
    "Try again in a few minutes; a deleted bucket's name may take an hour to be free.",
)
TOO_MANY = Reading(
    Why.CONFLICT,
    "The account has as many buckets as its quota allows.",
    "Delete buckets that nobody needs, or ask AWS for a higher quota.",
)
ELSEWHERE = Reading(
    Why.INVALID_REQUEST,
    "The bucket is in another region than the one that was asked.",
    "Synchronize the inventory: it then knows the bucket's region.",
)
BAD_REGION = Reading(
    Why.INVALID_REQUEST,
    "S3 cannot make a bucket in this region by this endpoint.",
    "Choose a region that is enabled for the account.",
)
NO_BUCKET = Reading(
    Why.NOT_FOUND,
    "There is no such bucket.",
    "Synchronize the inventory: the bucket has been deleted.",
)
NO_OBJECT = Reading(
    Why.NOT_FOUND,
    "There is no such object, version or upload in the bucket.",
    "Look at the bucket again: it has changed meanwhile.",
)
EXISTS = Reading(
    Why.CONFLICT,
    "An object with this key exists already, and it was not to be overwritten.",
    "Choose another key, or allow overwriting; in a bucket with versions the older one is kept.",
)
RACED = Reading(
    Why.CONFLICT,
    "Somebody else wrote or deleted an object with this key at the same moment.",
    "Look at the bucket, then try again.",
)
ARCHIVED = Reading(
    Why.CONFLICT,
    "The object is archived and cannot be read directly.",
    "Restore it in the AWS console first; that takes minutes to hours and is charged.",
)
MARKER = Reading(
    Why.CONFLICT,
    "This version is a delete marker; there is nothing in it.",
    "Choose an older version.",
)
DAMAGED = Reading(
    Why.GARBLED,
    "What arrived at S3 is not what was sent; S3 has not stored it.",
    "Try again; if it goes on, look at proxies between this server and AWS.",
)
TOO_LARGE = Reading(
    Why.INVALID_REQUEST,
    "The object is larger than S3 takes in this way.",
    "Divide it, or upload it with the AWS command line.",
)
BAD_KEY = Reading(
    Why.INVALID_REQUEST,
    "S3 does not allow a key of more than 1,024 bytes.",
    "Choose a shorter key.",
)

CODES: Mapping[tuple[str, str], Reading] = {
    ("s3", code): reading
    for code, reading in {
        "InvalidBucketName": BAD_NAME,
        "BucketAlreadyExists": TAKEN,
        "BucketAlreadyOwnedByYou": OURS,
        "BucketNotEmpty": NOT_EMPTY,
        "OperationAborted": BUSY,
        "TooManyBuckets": TOO_MANY,
        "PermanentRedirect": ELSEWHERE,
        "TemporaryRedirect": ELSEWHERE,
        "AuthorizationHeaderMalformed": ELSEWHERE,
        "301": ELSEWHERE,
        "InvalidLocationConstraint": BAD_REGION,
        "IllegalLocationConstraintException": BAD_REGION,
        "NoSuchBucket": NO_BUCKET,
        "NoSuchKey": NO_OBJECT,
        "NoSuchVersion": NO_OBJECT,
        "NoSuchUpload": NO_OBJECT,
        "404": NO_OBJECT,
        "PreconditionFailed": EXISTS,
        "412": EXISTS,
        "ConditionalRequestConflict": RACED,
        "InvalidObjectState": ARCHIVED,
        "MethodNotAllowed": MARKER,
        "405": MARKER,
        "BadDigest": DAMAGED,
        "InvalidDigest": DAMAGED,
        "XAmzContentSHA256Mismatch": DAMAGED,
        "IncompleteBody": DAMAGED,
        "EntityTooLarge": TOO_LARGE,
        "KeyTooLongError": BAD_KEY,
    }.items()
}
