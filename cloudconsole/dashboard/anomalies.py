"""The unusual costs that go on, for the overview."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from accounts.scope import Scope
from cloudconsole.core import clock
from costs.models import AnomalyStatus, CostAnomaly
from costs.selectors import anomalies
from costs.views.anomaly_names import AnomalyNames

SHOWN = 5


@dataclass(frozen=True)
class Unusual:
    anomaly: CostAnomaly
    where: str


def going_on(user: User, shown: Scope) -> list[Unusual]:
    """The newest of those in scope that are not muted."""
    found = anomalies.visible(user).filter(status=AnomalyStatus.OPEN).unmuted(clock.today())
    narrowed = anomalies.of_accounts(found, shown.accounts) if shown.narrowed else found
    first = list(narrowed[:SHOWN])
    called = AnomalyNames.of(user, first) if first else AnomalyNames({})
    return [Unusual(one, called.where(one)) for one in first]
