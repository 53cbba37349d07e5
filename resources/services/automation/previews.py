"""What a scaling rule would have done in the last day, from what CloudWatch knows of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.services import credentials
from cloudconsole.aws import attempts, cloudwatch
from cloudconsole.core import clock
from resources.models import ScalingRule
from resources.rules import scaling as rules
from resources.rules.scaling import Moment, Point, Spares, Stops
from resources.rules.schedules import Deed
from resources.selectors import fleets
from resources.services.automation.readings import series_of

BACK = timedelta(days=1)
_WITHIN_S = 8.0


@dataclass(frozen=True, slots=True)
class Preview:
    """The points of the last day, oldest first, what the rule would have done, and how many instances it means now."""

    points: tuple[Point, ...]
    moments: tuple[Moment, ...]
    instances: int


def preview(*, rule: ScalingRule) -> Preview:
    """Asks CloudWatch once, for at most eight seconds; `rule` need not be stored. Raises AwsError, and what keeps from asking."""
    end = rules.latest_end(clock.now(), rule.period)
    points = _points(rule, end)
    machines = [one for one in fleets.of_rule(rule) if one.instance_id != rule.watched]
    startable, stoppable = (
        rules.choose(deed, machines, 0, started=None, watched=rule.watched).possible for deed in (Deed.START, Deed.STOP)
    )
    spares = Spares(startable, stoppable if rule.stops == Stops.ANY else 0)
    return Preview(points, tuple(rules.replay(rule.terms, rule.limits, points, rule.period, spares)), len(machines))


def _points(rule: ScalingRule, end: datetime) -> tuple[Point, ...]:
    series, count = series_of(rule), int(BACK / rule.period)
    access = credentials.access_for(rule.account, None)
    with attempts.until(time.monotonic() + _WITHIN_S):
        found = cloudwatch.points(access, rule.region, [series], start=end - BACK, end=end, period_s=rule.period_s)
    return rules.window_before(end, rule.period, count, found[series])
