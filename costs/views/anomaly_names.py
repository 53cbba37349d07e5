"""Whose unusual costs they are, in the words of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from accounts.models import User
from cloudconsole.core import figures
from costs.models import AnomalyMute, CostAnomaly
from costs.rules.drivers import Driver
from costs.selectors import anomalies as selectors


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be muted: an episode's service, in its account, in its region, or alone."""

    label: str
    service: str
    account: str
    region: str


@dataclass(frozen=True, slots=True)
class AnomalyNames:
    """`accounts`: names by number."""

    accounts: Mapping[str, str]

    @classmethod
    def of(cls, user: User, anomalies: Iterable[CostAnomaly]) -> AnomalyNames:
        return cls(selectors.account_names(user, {one.account_number for one in anomalies}))

    @classmethod
    def of_drivers(cls, user: User, drivers: Iterable[Driver]) -> AnomalyNames:
        return cls(selectors.account_names(user, {one.key for one in drivers}))

    def of_account(self, number: str) -> str:
        return self.accounts.get(number, figures.account_number(number))

    def where(self, anomaly: CostAnomaly) -> str:
        if anomaly.region:
            return f"{anomaly.region} · all accounts of {anomaly.source.account.alias}"
        return self.of_account(anomaly.account_number)

    def about(self, mute: AnomalyMute) -> str:
        account = self.of_account(mute.account_number) if mute.account_number else ""
        return " · ".join(filter(None, (mute.service, account, mute.region)))

    def of_driver(self, driver: Driver) -> str:
        account = self.of_account(driver.key)
        return f"{account} · {driver.region}" if driver.region else account

    def choices(self, anomaly: CostAnomaly) -> Sequence[Choice]:
        service, account, region = anomaly.service, anomaly.account_number, anomaly.region
        place = self.of_account(account) if account else region
        return [
            Choice(f"{service} in {place}", service, account, region),
            Choice(f"{service} everywhere", service, "", ""),
            Choice(f"Everything in {place}", "", account, region),
        ]
