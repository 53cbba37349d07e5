"""Why an operation is not taken on, not decided on, or not sent."""

from __future__ import annotations

from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Operation


class NotConfirmed(CloudconsoleError):
    """What has to be typed was not, or not exactly."""

    code = "confirmation_required"
    title = "This has to be confirmed"


class TooManyTargets(CloudconsoleError):
    code = "too_many_targets"
    title = "One operation may not hit that many targets"


class NoTargets(CloudconsoleError):
    code = "no_targets"
    title = "There is nothing to act on"


class OwnOperation(CloudconsoleError):
    """Whoever asks for something cannot be the second person who agrees."""

    kind = Kind.FORBIDDEN
    code = "own_operation"
    title = "Somebody else has to decide"


class TargetBusy(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "operation_in_progress"
    title = "Something is being done to it already"


class NotWaiting(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "operation_not_waiting"
    title = "The operation waits for no decision"


class UnderWay(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "operation_under_way"
    title = "The operation can no longer be stopped"


class OperationIsOver(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "operation_is_over"
    title = "The operation has already ended"


class AccountGone(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "account_disconnected"
    title = "The AWS account is no longer connected"


class NotInTime(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "not_sent_in_time"
    title = "It was not sent in time"
    remedy = "Ask for it again."

    @classmethod
    def of(cls, operation: Operation) -> NotInTime:
        """What AWS turned away in the middle, such as emptying a bucket, may have been done in part."""
        if operation.sent_at is None:
            return cls("It was not sent in time. Nothing was changed.")
        return cls("AWS was too busy to go on with it in time. What had been done until then stays done.")
