"""Making, emptying and deleting a bucket, and deleting objects in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cloudconsole.aws import codes, s3
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.s3 import BucketFacts, Deletion, Emptied
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.services.actions.handlers import (
    Accepted,
    Handler,
    Missed,
    NotYet,
    Reached,
    Sight,
    SoFar,
    Trouble,
    Unclear,
    Work,
    register,
)
from resources.services.inventory import buckets as inventory
from resources.services.inventory.instances import Asked

EXISTS, ABSENT = "exists", "absent"
_NO_WAY_IN = (AwsErrorKind.ACCESS_DENIED, AwsErrorKind.INVALID_REQUEST)  # somebody else's: 403, or 301 from another region
# A call whose answer was lost may still be at work in AWS for as long as a client waits for it.
_STILL_AT_WORK = timedelta(minutes=2)


class BucketNameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "bucket_name_taken"
    title = "The name is taken"
    remedy = "Names of buckets are unique all over AWS: choose another one."


class BucketNotEmpty(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "bucket_not_empty"
    title = "The bucket is not empty"
    remedy = "Ask for it to be emptied as well; versions, delete markers and unfinished uploads count too."


class BucketGone(CloudconsoleError):
    """The inventory knows it, AWS does not any more."""

    kind = Kind.CONFLICT
    code = "bucket_gone"
    title = "AWS does not know the bucket any more"


class BucketIncomplete(CloudconsoleError):
    """It is there, but not set up as it was wanted."""

    kind = Kind.CONFLICT
    code = "bucket_incomplete"
    title = "The bucket is only half made"
    remedy = "See its settings on its page. Set what is missing in AWS, or delete the bucket and make it again."

    def __init__(self, cause: AwsError) -> None:
        super().__init__(f"The bucket was made, but {cause.operation} failed: {cause.detail}")


class _BucketHandler(Handler):
    """What they have in common: the bucket has to be there, and AWS's codes have words of ours."""

    def look_before(self, work: Work) -> str:
        if not is_there(work):
            raise BucketGone(f"AWS knows no bucket {work.target} any more.")
        return EXISTS

    def explain(self, error: AwsError) -> Trouble:
        of_ours = _TROUBLES.get(error.aws_code)
        if of_ours is None:
            return Trouble(error.code, error.detail, error.remedy)
        return Trouble(of_ours.code, error.detail, of_ours.remedy)


_TROUBLES: Mapping[str, Trouble] = {
    "BucketAlreadyExists": Trouble(BucketNameTaken.code, "", BucketNameTaken.remedy),
    "BucketAlreadyOwnedByYou": Trouble(BucketNameTaken.code, "", "The account has this bucket already: use it."),
    "BucketNotEmpty": Trouble(BucketNotEmpty.code, "", BucketNotEmpty.remedy),
    "NoSuchBucket": Trouble(BucketGone.code, "", ""),
}


_UNTIL_IT_IS_THERE = frozenset({"HeadBucket", "CreateBucket"})
_SETTINGS = frozenset({"PutPublicAccessBlock", "PutBucketVersioning"})


class CreateBucket(_BucketHandler):
    """Private and encrypted, as AWS makes them and as it is told once more; versions where they are wanted."""

    name = "s3.create"

    def look_before(self, work: Work) -> str:
        if is_there(work):
            raise BucketNameTaken(f"The account has a bucket {work.target} already.")
        return ABSENT

    def mutate(self, work: Work) -> Accepted:
        asked_at = clock.now()
        try:
            made = s3.create_bucket(
                work.access, work.region, work.target, versioning=work.parameters["versioning"], observer=work.observer
            )
        except AwsError as error:
            if error.operation in _UNTIL_IT_IS_THERE:
                raise
            remember(work, BucketFacts(work.target, work.region, None), Asked(asked_at, clock.now()))
            if error.operation in _SETTINGS:
                raise BucketIncomplete(error) from error
        else:
            remember(work, made, Asked(asked_at, clock.now()))
        return Accepted(state=EXISTS, is_done=True)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        if not is_there(work):
            return NotYet(ABSENT) if so_far.age < _STILL_AT_WORK else Unclear(_NO_ANSWER, state=ABSENT)
        details = s3.bucket_details(work.access, work.region, work.target)
        remember(work, BucketFacts(work.target, work.region, None).with_details(details), Asked(clock.now(), clock.now()))
        wanted = "enabled" if work.parameters["versioning"] else details.versioning
        if details.public_access_blocked is False or details.versioning != wanted:
            return Missed(
                BucketIncomplete.code, "The bucket was made, but not all of its settings.", BucketIncomplete.remedy, EXISTS
            )
        return Reached(EXISTS, _ANSWER_LOST)


class DeleteObjects(_BucketHandler):
    """Objects, or versions of them. In a bucket with versions an object without its version gets a delete marker."""

    name = "s3.delete_objects"

    def mutate(self, work: Work) -> Accepted:
        targets = [(key, version_id) for key, version_id in work.parameters["objects"]]
        outcomes = s3.delete_objects(work.access, work.region, work.target, targets, observer=work.observer)
        refused = [outcome for outcome in outcomes if not outcome.deleted]
        if refused:
            raise _refusal(refused[0], len(refused), len(outcomes))
        markers = sum(outcome.marker_version_id is not None for outcome in outcomes)
        return Accepted(result={"deleted": len(outcomes) - markers, "markers": markers}, is_done=True)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        return Unclear("AWS did not answer, so that nobody knows which of the objects are gone.", "Look into the bucket.")


class EmptyBucket(_BucketHandler):
    """Everything in it: objects, versions, delete markers, unfinished uploads. Goes on where it was left."""

    name = "s3.empty"

    def mutate(self, work: Work) -> Accepted:
        done = emptied(work)
        return Accepted(result=_counted(done), is_done=True)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        if has_anything(work):
            return Missed(BucketNotEmpty.code, "There is something left in the bucket.", "Ask for it again: it goes on.")
        return Reached("empty", _ANSWER_LOST)


class DeleteBucket(_BucketHandler):
    """The bucket itself; with the parameter `empty` everything in it before."""

    name = "s3.delete"

    def look_before(self, work: Work) -> str:
        state = super().look_before(work)
        if not work.parameters["empty"] and has_anything(work):
            raise BucketNotEmpty(f"There is something in {work.target}.")
        return state

    def mutate(self, work: Work) -> Accepted:
        done = emptied(work) if work.parameters["empty"] else Emptied()
        if done.stopped:
            return Accepted(result=_counted(done), is_done=True)
        s3.delete_bucket(work.access, work.region, work.target, observer=work.observer)
        forget(work)
        return Accepted(state=ABSENT, result=_counted(done), is_done=True)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        if not is_there(work):
            forget(work)
            return Reached(ABSENT, _ANSWER_LOST)
        if so_far.age < _STILL_AT_WORK:
            return NotYet(EXISTS)
        return Missed("bucket_not_deleted", _NOT_DELETED, "Ask for it again: it goes on with what is left.", EXISTS)


for _handler in (CreateBucket(), DeleteObjects(), EmptyBucket(), DeleteBucket()):
    register(_handler)

_ANSWER_LOST = "AWS's answer was lost, but it is as it was wanted."
_NO_ANSWER = "AWS was asked to make the bucket, but no answer came, and there is none."
_NOT_DELETED = "It broke off on the way. The bucket is still there; some of what was in it may be gone."


def is_there(work: Work) -> bool:
    """Whether the account can see the bucket. Raises AwsError where AWS cannot be asked."""
    try:
        s3.bucket_region(work.access, work.target)
    except AwsError as error:
        if error.cause is AwsErrorKind.NOT_FOUND or error.cause in _NO_WAY_IN:
            return False
        raise
    return True


def has_anything(work: Work) -> bool:
    """Versions and delete markers count."""
    page = s3.object_versions(work.access, work.region, work.target, size=1)
    return bool(page.versions)


def emptied(work: Work) -> Emptied:
    """Empty the bucket, telling how far it is. Raises AwsError for what AWS refuses to delete."""
    done = s3.empty_bucket(
        work.access,
        work.region,
        work.target,
        on_progress=lambda so_far: work.report(so_far.total, None),
        should_stop=work.is_stopped,
        observer=work.observer,
    )
    if done.first_refusal is not None:
        raise _refusal(done.first_refusal, done.refused, done.refused + done.total)
    return done


def remember(work: Work, made: BucketFacts, asked: Asked) -> None:
    """What a worker knows of the bucket goes into the inventory at once."""
    inventory.observe(account=work.account, facts=[made], asked=asked)
    details = s3.BucketDetails(made.public_access_blocked, made.versioning, made.encryption, made.tags)
    inventory.look(account=work.account, looks=[inventory.Look(made.name, details)], asked=asked)


def forget(work: Work) -> None:
    """AWS deleted it: that is known without waiting for the next scan."""
    inventory.mark_deleted(account=work.account, name=work.target, at=clock.now())


def _counted(done: Emptied) -> dict[str, Any]:
    return {"objects": done.objects, "versions": done.versions, "markers": done.markers, "uploads": done.uploads}


def _refusal(first: Deletion, refused: int, total: int) -> AwsError:
    """Some were deleted, some not: told as the failure that it is, with the first reason."""
    reading = codes.reading_of("s3", "DeleteObjects", first.code, first.message, 403)
    return AwsError(
        service="s3",
        operation="DeleteObjects",
        cause=reading.cause,
        meaning=f"AWS refused to delete {refused} of {total}, for the first of them: {reading.meaning}",
        remedy=reading.remedy,
        aws_code=first.code,
        aws_message=first.message,
    )
