"""What a worker hears of the AWS calls it makes: a row for each, and whether a call that failed may have arrived."""

from __future__ import annotations

from cloudconsole.aws.attempts import Attempt
from cloudconsole.aws.calls_made import Recorder
from resources.models import Operation, OperationCall


class Watch(Recorder):
    """Records the calls of one turn. As the observer of a call it also knows whether AWS may have got it."""

    def __init__(self, account: str) -> None:
        super().__init__(account)
        self._is_under_way = False
        self._arrived = False

    @property
    def may_have_arrived(self) -> bool:
        """Whether AWS may have got a call that this observed. An attempt of which no end is known may have arrived."""
        return self._arrived or self._is_under_way

    def forget_attempts(self) -> None:
        """Before another call is observed."""
        self._arrived = self._is_under_way = False

    def before_attempt(self) -> None:
        self._is_under_way = True

    def after_attempt(self, attempt: Attempt) -> None:
        # Not called for an answer that cannot be parsed.
        self._is_under_way = False
        self._arrived = self._arrived or attempt.may_have_arrived

    def store(self, operation: Operation) -> None:
        """Keep what was heard since the last time, in the caller's transaction."""
        OperationCall.objects.bulk_create(
            OperationCall(
                operation=operation,
                service=call.service,
                operation_name=call.operation,
                account=call.account,
                region=call.region,
                request_id=call.request_id[:128],
                ms=call.milliseconds,
                retries=call.retries,
                error=call.error[:128],
                at=call.at,
            )
            for call in self.take()
        )
