"""Whether a service still takes a key: its test request is sent, and the answer read for what it says about the key."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from audit import services as audit
from cloudconsole.core import clock
from cloudconsole.net.egress import Refused, Unanswered
from gateway import verbs
from gateway.models import ApiKey, Via
from gateway.services import proxying
from gateway.services.proxying import Call


@dataclass(frozen=True)
class Tested:
    """`works` is None where an answer came that says nothing about the key."""

    works: bool | None
    detail: str
    status_code: int | None = None
    time_taken_ms: int = 0


def test(*, key: ApiKey, by: User) -> Tested:
    """Send the test request. Raises what is in the way before anything is sent: KeyUnusable, KeyNotAllowed, BudgetUsedUp."""
    call = Call(method=key.test_method, url=key.test_path or "/", via=Via.TEST)
    try:
        answer = proxying.send(call=call, key=key, by=by)
    except (Refused, Unanswered) as error:
        return _noted(key, Tested(False, error.detail), by)
    works, detail = _meaning(answer.status)
    return _noted(key, Tested(works, detail, answer.status, answer.duration_ms), by)


def _meaning(status: int) -> tuple[bool | None, str]:
    if status < 300:
        return True, f"The service took the key: it answered {status}."
    if status in (401, 403):
        return False, f"The service does not take the key: it answered {status}."
    if status == 429:
        return None, "The service says that there were too many requests; it did not look at the key."
    if status >= 500:
        return None, f"The service has trouble of its own: it answered {status}."
    return None, f"The service answered {status}, which says nothing about the key. Another test path may tell more."


@transaction.atomic
def _noted(key: ApiKey, tested: Tested, by: User) -> Tested:
    ApiKey.objects.filter(pk=key.pk).update(tested_at=clock.now(), test_works=tested.works, test_detail=tested.detail[:300])
    outcome = "failure" if tested.works is False else "success"
    audit.record(verbs.KEY_TESTED, actor=by, subject=key.api_name, outcome=outcome, detail={"result": tested.detail})
    return tested
