"""S3: buckets, what is in them, uploads and links. Every function raises AwsError."""

from cloudconsole.aws.s3.buckets import (
    BucketDetails,
    BucketFacts,
    bucket_details,
    bucket_region,
    buckets,
    create_bucket,
    delete_bucket,
)
from cloudconsole.aws.s3.deletion import Deletion, Emptied, delete_objects, empty_bucket
from cloudconsole.aws.s3.downloads import download, read
from cloudconsole.aws.s3.links import presign_get
from cloudconsole.aws.s3.objects import (
    ObjectFacts,
    ObjectPage,
    VersionFacts,
    VersionPage,
    object_versions,
    objects,
)
from cloudconsole.aws.s3.uploads import MULTIPART_FROM, Uploaded, upload

__all__ = [
    "MULTIPART_FROM",
    "BucketDetails",
    "BucketFacts",
    "Deletion",
    "Emptied",
    "ObjectFacts",
    "ObjectPage",
    "Uploaded",
    "VersionFacts",
    "VersionPage",
    "bucket_details",
    "bucket_region",
    "buckets",
    "create_bucket",
    "delete_bucket",
    "delete_objects",
    "download",
    "empty_bucket",
    "object_versions",
    "objects",
    "presign_get",
    "read",
    "upload",
]
