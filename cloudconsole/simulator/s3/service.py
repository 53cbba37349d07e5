"""S3 of all accounts and regions: one namespace of names, and for each request who may do what where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from threading import RLock

from cloudconsole.simulator import permissions
from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.cloudwatch import BucketFigures
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.policies import Decision
from cloudconsole.simulator.s3 import demo, exports, listings, reads, routes, settings, writes, xml
from cloudconsole.simulator.s3.bodies import Shelf, whole
from cloudconsole.simulator.s3.buckets import Bucket, Version
from cloudconsole.simulator.s3.routes import S3Request
from cloudconsole.simulator.wire import AwsError, Protocol, Request, Response

_MAKING = frozenset({"ListBuckets", "CreateBucket"})

_GETTERS = frozenset(
    ("GetBucketLocation", "GetBucketVersioning", "GetBucketEncryption", "GetPublicAccessBlock", "GetBucketTagging")
)
_PUTTERS = frozenset(("PutBucketVersioning", "PutBucketEncryption", "PutPublicAccessBlock", "PutBucketTagging"))
_PROTOCOL = Protocol.REST_XML


class S3:
    """The buckets of the world. Safe to use from many threads."""

    def __init__(self, seed: int, clock: SimulatedClock, ledger: Ledger | None = None) -> None:
        self._seed = seed
        self._clock = clock
        self._ledger = ledger
        self._lock = RLock()
        self._shelf = Shelf()
        self.reset()

    def reset(self) -> None:
        """As at the start of the story."""
        with self._lock:
            self._shelf.clear()
            self._buckets = {bucket.name: bucket for bucket in demo.buckets(self._seed, self._shelf)}
            self._exported_on: date | None = None
            if self._ledger is not None:
                self._buckets[exports.BUCKET] = exports.bucket()

    def buckets_of(self, account_id: str) -> list[Bucket]:
        """What the account owns now."""
        with self._lock:
            return [bucket for bucket in self._buckets.values() if bucket.account_id == account_id]

    def figures(self, account_id: str, region: str) -> list[BucketFigures]:
        """What CloudWatch measures: the story's figures, and of other buckets what is really in them; of empty ones nothing."""
        with self._lock:
            here = (bucket for bucket in self.buckets_of(account_id) if bucket.region == region and not bucket.is_empty)
            return [_figures(bucket) for bucket in here]

    def export_files(self, name: str) -> list[tuple[str, bytes]]:
        """What Athena reads of an export."""
        with self._lock:
            bucket = self._buckets.get(exports.BUCKET)
            if bucket is None:
                return []
            self._export_into(bucket)
            return exports.data_files(bucket, name)

    # --- for the control API

    def make(self, account_id: str, region: str, count: int) -> list[str]:
        with self._lock:
            first = len(self._buckets)
            names = [f"example-{account_id}-{number:05}" for number in range(first, first + count)]
            now = self._clock.now()
            self._buckets |= {name: settings.new_bucket(name, account_id, region, now) for name in names}
        return names

    def fill(self, name: str, prefix: str, count: int, storage_class: str) -> None:
        with self._lock:
            bucket, now = self._buckets[name], self._clock.now()
            body = whole(self._shelf.blob(b"filled\n"))
            for number in range(count):
                key = f"{prefix}{number:06}.txt"
                bucket.put(Version(key, bucket.next_version_id(), now, body, "text/plain", storage_class))

    def lock(self, name: str, prefix: str) -> None:
        with self._lock:
            self._buckets[name].locked = (*self._buckets[name].locked, prefix)

    def unfinished(self, name: str) -> list[str]:
        with self._lock:
            return sorted(upload.key for upload in self._buckets[name].uploads.values())

    # --- operations

    def answer(self, request: Request, identity: Identity, request_id: str) -> Response:
        """Permission included. Raises AwsError."""
        asked = routes.read(request)
        with self._lock:
            if asked.operation in _MAKING:
                return self._account_operation(asked, identity, request_id)
            bucket = self._bucket(asked, identity)
            return self._bucket_operation(bucket, asked, identity, request_id)

    def _account_operation(self, asked: S3Request, identity: Identity, request_id: str) -> Response:
        permissions.require(identity, _PROTOCOL, asked.action, asked.resource)
        if asked.operation == "ListBuckets":
            owned = self.buckets_of(identity.account_id)
            return xml.answer("ListAllMyBucketsResult", settings.list_buckets(owned, asked, identity.account_id), request_id)
        taken_by = self._buckets.get(asked.bucket)
        if settings.check_new(asked, identity.region, taken_by, identity.account_id):
            made = settings.new_bucket(asked.bucket, identity.account_id, identity.region, self._clock.now())
            self._buckets[asked.bucket] = made
        return xml.empty(request_id, Location=f"/{asked.bucket}")

    def _bucket(self, asked: S3Request, identity: Identity) -> Bucket:
        """The bucket that is asked for, in the order in which S3 refuses: no such name, other region, somebody else's."""
        bucket = self._buckets.get(asked.bucket)
        if bucket is None:
            members = {"BucketName": asked.bucket}
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, members=members)
        if bucket.region != identity.region and asked.operation != "GetBucketLocation":
            raise _elsewhere(bucket)
        if bucket.account_id != identity.account_id:
            headers = {"x-amz-bucket-region": bucket.region}
            raise AwsError("AccessDenied", "Access Denied", 403, headers=headers)
        self._export_into(bucket)
        return bucket

    def _export_into(self, bucket: Bucket) -> None:
        """AWS writes its exports once a day; here that is done when somebody looks."""
        today = self._clock.now().date()
        if bucket.name == exports.BUCKET and self._ledger is not None and self._exported_on != today:
            exports.refresh(bucket, self._ledger, self._clock.now(), self._shelf)
            self._exported_on = today

    def _bucket_operation(self, bucket: Bucket, asked: S3Request, identity: Identity, request_id: str) -> Response:
        if asked.operation == "DeleteObjects":
            inside = reads.delete_objects(bucket, asked, self._shelf, self._clock.now(), _per_key(bucket, identity))
            return xml.answer("DeleteResult", inside, request_id)
        permissions.require(identity, _PROTOCOL, asked.action, asked.resource)
        if asked.operation in _GETTERS:
            return settings.get(bucket, asked.operation, request_id)
        if asked.operation in _PUTTERS:
            settings.put(bucket, asked.operation, asked.body)
            return xml.empty(request_id)
        served = self._served(bucket, asked, request_id).get(asked.operation)
        if served is None:
            message = "A header or parameter you provided implies functionality that is not implemented"
            raise AwsError("NotImplemented", message, 501)
        return served()

    def _served(self, bucket: Bucket, asked: S3Request, request_id: str) -> dict[str, Callable[[], Response]]:
        now, shelf = self._clock.now(), self._shelf
        return {
            "HeadBucket": lambda: xml.empty(request_id, x_amz_bucket_region=bucket.region),
            "DeleteBucket": lambda: self._delete_bucket(bucket, request_id),
            "ListObjectsV2": lambda: xml.answer("ListBucketResult", listings.objects(bucket, asked), request_id),
            "ListObjectVersions": lambda: xml.answer("ListVersionsResult", listings.versions(bucket, asked), request_id),
            "ListMultipartUploads": lambda: xml.answer("ListMultipartUploadsResult", listings.uploads(bucket, asked), request_id),
            "PutObject": lambda: writes.put_object(bucket, asked, shelf, now, request_id),
            "GetObject": lambda: reads.read_object(bucket, asked, request_id),
            "HeadObject": lambda: reads.read_object(bucket, asked, request_id),
            "DeleteObject": lambda: reads.delete_object(bucket, asked, shelf, now, request_id),
            "CreateMultipartUpload": lambda: writes.start_upload(bucket, asked, now, request_id),
            "UploadPart": lambda: writes.upload_part(bucket, asked, shelf, request_id),
            "CompleteMultipartUpload": lambda: writes.complete_upload(bucket, asked, shelf, now, request_id),
            "AbortMultipartUpload": lambda: writes.abort_upload(bucket, asked, shelf, request_id),
            "ListParts": lambda: writes.list_parts(bucket, asked, request_id),
        }

    def _delete_bucket(self, bucket: Bucket, request_id: str) -> Response:
        settings.check_deletable(bucket)
        for upload in bucket.uploads.values():
            self._shelf.discard(list(upload.parts.values()))
        del self._buckets[bucket.name]
        return xml.empty(request_id, status=204)


def _figures(bucket: Bucket) -> BucketFigures:
    told = demo.measured(bucket.name)
    if told is not None:
        return BucketFigures(bucket.name, bucket.created_at, *told)
    bodies = [version.body for versions in bucket.objects.values() for version in versions if version.body]
    size = sum(body.size for body in bodies)
    return BucketFigures(bucket.name, bucket.created_at, {demo.STANDARD: size} if size else {}, len(bodies))


def _per_key(bucket: Bucket, identity: Identity) -> Callable[[str, bool], AwsError | None]:
    """DeleteObjects asks for each key, and one that may not be deleted leaves the others alone."""

    def refuse(key: str, versioned: bool) -> AwsError | None:
        action = "s3:DeleteObjectVersion" if versioned else "s3:DeleteObject"
        resource = f"arn:aws:s3:::{bucket.name}/{key}"
        if versioned and bucket.is_locked(key):
            return AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)
        if identity.decision(action, resource) is Decision.ALLOWED:
            return None
        return permissions.denied(identity, _PROTOCOL, action, resource)

    return refuse


def _elsewhere(bucket: Bucket) -> AwsError:
    message = (
        "The bucket you are attempting to access must be addressed using the specified endpoint. "
        "Please send all future requests to this endpoint."
    )
    members = {"Bucket": bucket.name, "Endpoint": f"{bucket.name}.s3.{bucket.region}.amazonaws.com"}
    return AwsError("PermanentRedirect", message, 301, members=members, headers={"x-amz-bucket-region": bucket.region})
