"""Which operation a REST request is, and which permissions it needs (S3 user guide, "Required permissions")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from cloudconsole.simulator.wire import Request

# What the query names beside method and path: the first sub-resource found decides.
_SERVICE = {("GET", ""): "ListBuckets"}
_BUCKET = {
    ("PUT", ""): "CreateBucket",
    ("HEAD", ""): "HeadBucket",
    ("DELETE", ""): "DeleteBucket",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "encryption"): "GetBucketEncryption",
    ("PUT", "encryption"): "PutBucketEncryption",
    ("GET", "publicAccessBlock"): "GetPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutPublicAccessBlock",
    ("GET", "tagging"): "GetBucketTagging",
    ("PUT", "tagging"): "PutBucketTagging",
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteObjects",
}
_OBJECT = {
    ("PUT", ""): "PutObject",
    ("GET", ""): "GetObject",
    ("HEAD", ""): "HeadObject",
    ("DELETE", ""): "DeleteObject",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("GET", "uploadId"): "ListParts",
}

_ACTIONS = {
    "ListBuckets": "ListAllMyBuckets",
    "HeadBucket": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "HeadObject": "GetObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_OF_A_VERSION = frozenset({"GetObject", "DeleteObject"})


@dataclass(frozen=True, slots=True)
class S3Request:
    """A request, read: `bucket` and `key` are empty where the path names none."""

    operation: str
    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def action(self) -> str:
        """The IAM action; the one of a version where the request names it. Each key of DeleteObjects has its own."""
        name = _ACTIONS.get(self.operation, self.operation)
        return f"s3:{name}Version" if name in _OF_A_VERSION and "versionId" in self.query else f"s3:{name}"

    @property
    def resource(self) -> str:
        if not self.bucket:
            return "*"
        return f"arn:aws:s3:::{self.bucket}" + (f"/{self.key}" if self.key else "")


def read(request: Request) -> S3Request:
    """Every request can be read; an operation that S3 does not know has the name of its method and path."""
    bucket, _, key = request.path.removeprefix("/").partition("/")
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    table = _OBJECT if key else _BUCKET if bucket else _SERVICE
    found = next((name for (method, part), name in table.items() if part and method == request.method and part in query), None)
    operation = found or _plain(table, request.method, query) or f"{request.method} {request.path}"
    return S3Request(operation, unquote(bucket), unquote(key), query, request.headers, request.body)


def operation_of(request: Request) -> str:
    return read(request).operation


def _plain(table: Mapping[tuple[str, str], str], method: str, query: Mapping[str, str]) -> str | None:
    """The operation without a sub-resource; one that is not simulated must not be taken for it."""
    return None if _NOT_SIMULATED & set(query) else table.get((method, ""))


_NOT_SIMULATED = frozenset(
    (
        "acl", "accelerate", "analytics", "attributes", "cors", "intelligent-tiering", "inventory", "legal-hold", "lifecycle",
        "logging", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus", "replication",
        "requestPayment", "restore", "retention", "select", "torrent", "website",
    )
)  # fmt: skip
