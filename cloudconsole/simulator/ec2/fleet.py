"""Which instances each account has before anybody touches anything: the same for a seed, on every start."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from cloudconsole.simulator.ec2.instances import Instance, Kind, Reason, State, Trouble
from cloudconsole.simulator.organization import ACCOUNTS, ACQUIRED, DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING

US, EU, IE = "us-east-1", "eu-central-1", "eu-west-1"
LINUX, WINDOWS, RHEL = "Linux/UNIX", "Windows", "Red Hat Enterprise Linux"


@dataclass(frozen=True, slots=True)
class Row:
    """One instance of the story. `days`: since its last start, or since it was stopped; `zone` is the letter."""

    name: str
    region: str
    instance_type: str
    team: str
    days: int
    zone: str = "a"
    state: State = State.RUNNING
    platform: str = LINUX
    lifecycle: str = ""
    trouble: Trouble | None = None
    keeps_from_termination: bool = False
    keeps_from_stop: bool = False
    is_public: bool = False


_STOPPED = State.STOPPED
_STORY: dict[str, tuple[Row, ...]] = {
    MANAGEMENT: (
        Row("bastion", US, "t3.micro", "platform", 212, is_public=True),
        Row("identity-proxy", EU, "t3.small", "platform", 64, "b"),
    ),
    PRODUCTION: (
        Row("web-1", US, "m6i.large", "shop", 41, "a", is_public=True),
        Row("web-2", US, "m6i.large", "shop", 41, "b", is_public=True),
        Row("web-3", US, "m6i.large", "shop", 6, "c", is_public=True),
        Row("api-1", US, "m6i.2xlarge", "shop", 88, "a", keeps_from_termination=True),
        Row("api-2", US, "m6i.2xlarge", "shop", 88, "b", keeps_from_termination=True),
        Row("worker-spot-1", US, "c6i.xlarge", "shop", 2, "b", lifecycle="spot"),
        Row("worker-spot-2", US, "c6i.xlarge", "shop", 1, "c", lifecycle="spot"),
        Row("web-eu-1", EU, "m6i.xlarge", "shop", 130, "a", is_public=True),
        Row("web-eu-2", EU, "m6i.xlarge", "shop", 130, "b", is_public=True),
        Row("ledger-db", EU, "r6g.large", "payments", 301, "a", keeps_from_termination=True, keeps_from_stop=True),
        Row("report-batch", EU, "c6i.2xlarge", "payments", 19, "c", _STOPPED),
        Row("sap-gateway", IE, "m6i.xlarge", "finance", 77, "a", platform=WINDOWS),
        Row("erp-2017", IE, "m4.large", "finance", 420, "b"),
    ),
    STAGING: (
        Row("web-1", EU, "m6i.large", "shop", 12, "a", is_public=True),
        Row("web-2", EU, "m6i.large", "shop", 12, "b", is_public=True),
        Row("api-1", EU, "m6i.xlarge", "shop", 33, "a"),
        Row("ledger-db", EU, "r6g.large", "payments", 90, "b", keeps_from_termination=True),
        Row("load-generator", US, "c6i.2xlarge", "shop", 9, "a", _STOPPED),
        Row("browser-tests", US, "m6i.large", "shop", 30, "b"),
        Row("wiki", EU, "t2.medium", "platform", 300, "a"),
    ),
    DEVELOPMENT: (
        Row("ada-workstation", EU, "t3.xlarge", "shop", 4, "a"),
        Row("ben-workstation", EU, "t3.xlarge", "shop", 11, "b", _STOPPED),
        Row("cleo-workstation", EU, "t3.xlarge", "payments", 1, "a"),
        Row("build-1", EU, "c6i.2xlarge", "platform", 25, "c"),
        Row("build-2", EU, "c6i.2xlarge", "platform", 25, "c", _STOPPED),
        Row("encrypted-by-a-lost-key", EU, "m6i.large", "payments", 52, "b", _STOPPED, trouble=Trouble.FALLS_BACK),
        Row("training-gpu", IE, "p4d.24xlarge", "data", 16, "a", _STOPPED, trouble=Trouble.NO_CAPACITY),
        Row("notebook", IE, "m6i.xlarge", "data", 8, "b"),
        Row("windows-signing", US, "t3.large", "platform", 140, "a", platform=WINDOWS, keeps_from_termination=True),
    ),
    SANDBOX: (
        Row("try-out-1", US, "t3.micro", "platform", 3, "a"),
        Row("try-out-2", US, "t3.micro", "platform", 37, "b", _STOPPED),
        Row("kubernetes-lab", US, "t3.large", "platform", 5, "a", lifecycle="spot"),
    ),
    ACQUIRED: (
        Row("WEB01", IE, "t3.large", "it", 520, "a", platform=WINDOWS, is_public=True),
        Row("SQL01", IE, "r6i.xlarge", "it", 520, "a", platform=WINDOWS, keeps_from_termination=True),
        Row("intranet", IE, "t3.medium", "it", 260, "b", platform=RHEL),
    ),
}
_FURTHER_REGIONS = (US, EU, IE, "ap-southeast-2")
_FURTHER_TYPES = ("t3.micro", "t3.large", "m6i.large", "m6i.xlarge", "c6i.xlarge", "r6g.large")


class Maker:
    """Makes instances of one seed, told around the day `origin`."""

    def __init__(self, seed: int, origin: date) -> None:
        self._seed = seed
        self._morning = datetime.combine(origin, time(7, 30), tzinfo=UTC)

    def story(self, account_id: str) -> Iterator[Instance]:
        """The instances of an account at the start."""
        rows = _STORY.get(account_id) or self._further(account_id)
        for number, row in enumerate(rows):
            yield self._instance(account_id, row, f"{account_id}:{row.region}:{row.name}:{number}")

    def crowd(self, account_id: str, region: str, count: int, first: int) -> Iterator[Instance]:
        """`count` further running instances in one region, numbered from `first`."""
        for number in range(first, first + count):
            of_type = _FURTHER_TYPES[number % len(_FURTHER_TYPES)]
            row = Row(f"node-{number:05}", region, of_type, f"team-{number % 20:02}", number % 400, "abc"[number % 3])
            yield self._instance(account_id, row, f"{account_id}:{region}:crowd:{number}")

    def address(self, name: str) -> str:
        """A public address out of the blocks for documentation, which is nobody's (RFC 5737)."""
        found = self._digest(f"address:{name}")
        return f"{('203.0.113', '198.51.100', '192.0.2')[found[0] % 3]}.{found[1] % 254 + 1}"

    def _further(self, account_id: str) -> tuple[Row, ...]:
        found = self._digest(f"fleet:{account_id}")
        return tuple(
            Row(
                f"app-{number + 1}",
                _FURTHER_REGIONS[found[number] % len(_FURTHER_REGIONS)],
                _FURTHER_TYPES[found[number + 8] % len(_FURTHER_TYPES)],
                f"team-{account_id[-2:]}",
                found[number + 16] + 1,
                "abc"[found[number] % 3],
                State.STOPPED if found[number + 8] % 5 == 0 else State.RUNNING,
            )
            for number in range(3 + found[31] % 5)
        )

    def _instance(self, account_id: str, row: Row, name: str) -> Instance:
        minutes = int.from_bytes(self._digest(f"minutes:{name}")[:2]) % 600
        moment = self._morning - timedelta(days=row.days, minutes=minutes)
        launched = moment - timedelta(hours=9) if row.state is State.STOPPED else moment
        stopped = Reason.of_user("Client.UserInitiatedShutdown", "User initiated shutdown", moment)
        is_public = row.is_public and row.state is State.RUNNING
        return Instance(
            kind=self._kind(account_id, row, name, launched),
            state=row.state,
            launched_at=launched,
            public_ip=self.address(name) if is_public else "",
            tags=self._tags(account_id, row),
            reason=stopped if row.state is State.STOPPED else Reason(),
            trouble=row.trouble,
            keeps_from_termination=row.keeps_from_termination,
            keeps_from_stop=row.keeps_from_stop,
        )

    def _kind(self, account_id: str, row: Row, name: str, launched: datetime) -> Kind:
        found = self._digest(f"instance:{name}")
        network = self._digest(f"network:{account_id}:{row.region}")
        return Kind(
            instance_id=f"i-0{found.hex()[:16]}",
            account_id=account_id,
            region=row.region,
            zone=f"{row.region}{row.zone}",
            instance_type=row.instance_type,
            image_id=f"ami-0{self._digest(f'image:{row.region}:{row.platform}').hex()[:16]}",
            key_name="" if row.platform == LINUX and row.lifecycle else f"{row.team}-2025",
            subnet_id=f"subnet-0{self._digest(f'subnet:{account_id}:{row.region}{row.zone}').hex()[:16]}",
            vpc_id=f"vpc-0{network.hex()[:16]}",
            private_ip=f"10.{network[0]}.{found[2]}.{found[3] % 250 + 4}",
            platform=row.platform,
            architecture="arm64" if "g." in row.instance_type else "x86_64",
            lifecycle=row.lifecycle,
            first_launched_at=launched - timedelta(days=found[4]),
        )

    @staticmethod
    def _tags(account_id: str, row: Row) -> dict[str, str]:
        account = ACCOUNTS.get(account_id)
        return {"Name": row.name, "team": row.team, "environment": account.name if account else "development"}

    def _digest(self, name: str) -> bytes:
        return hmac.digest(f"cloudconsole-simulator-ec2-{self._seed}".encode(), name.encode(), hashlib.sha256)
