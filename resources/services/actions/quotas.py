"""Asking AWS for a higher quota. Its answer may take days: done is here that AWS has the request."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from cloudconsole.aws import service_quotas
from cloudconsole.aws.service_quotas import IncreaseFacts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Quota
from resources.services.actions.handlers import Accepted, Handler, NotYet, Reached, Sight, SoFar, Unclear, Work, register
from resources.services.quotas import increases

_OPEN = frozenset({"PENDING", "CASE_OPENED"})
# So long after the call, a request that is not shown did not arrive. Clocks differ by less than the leeway.
_SETTLED, _LEEWAY = timedelta(minutes=1), timedelta(minutes=5)


class RequestOpen(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "increase_open"
    title = "A request for this quota is open"
    remedy = "Wait for AWS's answer to it."


class _RequestIncrease(Handler):
    """Its target is "service/code", its parameter `desired` the limit that is wanted, as text."""

    name = "quotas.request_increase"

    def look_before(self, work: Work) -> str:
        for one in _of_target(work):
            if one.status in _OPEN:
                raise RequestOpen(f"AWS has a request for {one.desired.normalize():,f} that it has not answered yet.")
        quota = _quota(work)
        return f"limit {quota.limit.normalize():,f}" if quota and quota.limit is not None else ""

    def mutate(self, work: Work) -> Accepted:
        service, _, code = work.target.partition("/")
        asked = service_quotas.request_increase(work.access, work.region, service, code, _desired(work), observer=work.observer)
        return Accepted(asked.aws_request_id, asked.increase.status, {"request": asked.increase.request_id})

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        since = clock.now() - so_far.age - _LEEWAY
        made = [one for one in _of_target(work) if one.desired == _desired(work) and one.created_at and one.created_at >= since]
        if made:
            return _reached(work, max(made, key=lambda one: str(one.created_at)))
        if so_far.accepted or so_far.age <= _SETTLED:
            return NotYet(so_far.last_state)
        return Unclear("No answer came from AWS, and it shows no such request.", state=so_far.last_state)


def _reached(work: Work, one: IncreaseFacts) -> Reached:
    quota = _quota(work)
    if quota is not None:
        increases.accepted(quota=quota, facts=one)
    detail = "AWS has the request; its answer is shown at the quota." if one.status in _OPEN else ""
    return Reached(one.status.lower(), detail, {"request": one.request_id})


def _desired(work: Work) -> Decimal:
    return Decimal(str(work.parameters["desired"]))


def _of_target(work: Work) -> list[IncreaseFacts]:
    service, _, code = work.target.partition("/")
    told = (one for page in service_quotas.increases(work.access, work.region) for one in page)
    return [one for one in told if (one.service_code, one.code) == (service, code)]


def _quota(work: Work) -> Quota | None:
    service, _, code = work.target.partition("/")
    here = Quota.objects.present().filter(account=work.account, region=work.region)
    return here.filter(service_code=service, code=code).first()


register(_RequestIncrease())
