"""Start the simulator as a process of its own and talk to its control API."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from cloudconsole.simulator.calls import Call
from cloudconsole.simulator.ec2.handle import Ec2Handle
from cloudconsole.simulator.faults import Fault
from cloudconsole.simulator.lambda_.handle import LambdaHandle
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.organization import DemoKey
from cloudconsole.simulator.quotas.handle import QuotaHandle
from cloudconsole.simulator.s3.handle import S3Handle

_PROJECT = Path(__file__).resolve().parents[2]
_STOP_S = 5
_OPENER = build_opener(ProxyHandler({}))  # a proxy for the world has no business on loopback


class SimulatorFailed(RuntimeError):
    """The simulator did not start; its own words are in the message."""


class SimulatorHandle:
    """A running simulator: its address, and what its control API can do."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self.url = url
        self.ec2 = Ec2Handle(self._ask)
        self.s3 = S3Handle(self._ask)
        self.functions = LambdaHandle(self._ask)
        self.quotas = QuotaHandle(self._ask)
        about = self.organization()
        self.seed: int = about["seed"]
        self.origin = date.fromisoformat(about["origin"])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ledger(self) -> Ledger:
        """The truth of the costs that this simulator tells."""
        return Ledger(self.seed, self.origin)

    def now(self) -> datetime:
        """The simulated moment, which decides what Cost Explorer shows."""
        return datetime.fromisoformat(self.organization()["now"])

    def organization(self) -> dict[str, Any]:
        """Accounts, roles, demo keys, seed, origin and now (`GET /_simulator/organization`)."""
        found: dict[str, Any] = self._ask("GET", "organization")
        return found

    def key(self, name: str) -> DemoKey:
        """Demo credentials by name: hub, development, sandbox, unknown, wrong-secret, deactivated, expired, …"""
        found = self.organization()["keys"][name]
        expires_at = datetime.fromisoformat(found["expires_at"]) if found["expires_at"] else None
        return DemoKey(**{**found, "expires_at": expires_at})

    def register_role(
        self,
        role_arn: str,
        external_id: str | None,
        *,
        max_session_s: int = 3600,
        trusted_principal: str | None = None,
        may_operate: bool | None = None,
    ) -> None:
        """Make the role as the admin of its account would; external_id None forgets the trust policy's condition.

        `may_operate`: whether its policy lets it change anything; None as the account's admins see it (staging's: no).
        """
        body = {"role_arn": role_arn, "external_id": external_id, "max_session_s": max_session_s, "may_operate": may_operate}
        if trusted_principal is not None:
            body["trusted_principal"] = trusted_principal
        self._ask("POST", "roles", body)

    def set_organization(self, size: int, delegated: Sequence[str] = ()) -> list[str]:
        """Make the organization `size` accounts large; `delegated` accounts may read it too. The numbers of its accounts."""
        found: list[str] = self._ask("POST", "organization", {"size": size, "delegated": list(delegated)})["accounts"]
        return found

    def deploy_stack_set(self, role_name: str, external_ids: Mapping[str, str]) -> None:
        """Make the role in many accounts at once, as a StackSet does; in a large organization two of them go wrong."""
        self._ask("POST", "stack-set", {"role_name": role_name, "external_ids": dict(external_ids)})

    def add_faults(self, *faults: Fault) -> None:
        self._ask("POST", "faults", [dataclasses.asdict(fault) for fault in faults])

    def clear_faults(self) -> None:
        self._ask("DELETE", "faults")

    def calls(self) -> list[Call]:
        """The AWS requests received, oldest first."""
        return [Call(**call) for call in self._ask("GET", "calls")]

    def clear_calls(self) -> None:
        self._ask("DELETE", "calls")

    def reset(self) -> None:
        """As after the start: no faults, no calls, no registered roles, the clock and the page size of the start."""
        self._ask("POST", "reset")

    def set_today(self, today: date) -> None:
        """Stand still at midday of `today`."""
        self._ask("POST", "clock", {"today": today.isoformat()})

    def set_now(self, moment: datetime | None) -> None:
        """Stand still at `moment`; None runs with real time again."""
        self._ask("POST", "clock", {"now": moment.isoformat()} if moment else {})

    def set_page_size(self, groups: int) -> None:
        """How many groups Cost Explorer puts on a page."""
        self._ask("POST", "page-size", {"groups": groups})

    def set_metrics_page(self, points: int) -> None:
        """How many data points CloudWatch puts on a page."""
        self._ask("POST", "metrics", {"points": points})

    def put_metric(
        self,
        account: str,
        region: str,
        name: tuple[str, str],
        dimensions: Mapping[str, str],
        *,
        value: float | None,
        since: datetime | None = None,
    ) -> None:
        """From `since` (now) on each minute of the series `name` (namespace and metric) has `value`; None: no data."""
        moment = since.isoformat() if since else None
        place = {"account": account, "region": region, "namespace": name[0], "metric": name[1]}
        self._ask("POST", "metrics/put", {**place, "dimensions": dict(dimensions), "value": value, "since": moment})

    def stop(self) -> None:
        """End the process, by force where it does not listen."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def _ask(self, method: str, name: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/_simulator/{name}", data=data, method=method)  # noqa: S310 - our own http address
        with _OPENER.open(request, timeout=10) as answer:
            return json.load(answer)


def start(
    port: int | None = None,
    *,
    seed: int = 1,
    today: date | None = None,
    origin: date | None = None,
    page_size: int | None = None,
    memory: Path | None = None,
) -> SimulatorHandle:
    """Start the simulator on `port` (a free one by default) and wait until it serves; raises SimulatorFailed.

    `today` makes its time stand still; `origin` is the day the costs are told around (see `ledger`);
    `memory` is a file that keeps the origin and the registered roles over a restart.
    """
    command = [sys.executable, "-m", "cloudconsole.simulator", "--parent", str(os.getpid())]
    command += _arguments(port=port or 0, seed=seed, today=today, origin=origin, page_size=page_size, memory=memory)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=None, text=True, cwd=_PROJECT)
    assert process.stdout is not None  # noqa: S101 - it is a pipe, see above
    line = process.stdout.readline()
    if not line.startswith("ready "):
        process.stdout.close()
        process.kill()
        process.wait()
        raise SimulatorFailed(f"the simulator did not start (exit code {process.returncode}): {line.strip()}")
    return SimulatorHandle(process, line.split()[1])


@contextmanager
def running(
    port: int | None = None,
    *,
    seed: int = 1,
    today: date | None = None,
    origin: date | None = None,
    page_size: int | None = None,
    memory: Path | None = None,
) -> Iterator[SimulatorHandle]:
    """`start` for a with block; the process is gone at its end."""
    handle = start(port, seed=seed, today=today, origin=origin, page_size=page_size, memory=memory)
    try:
        yield handle
    finally:
        handle.stop()


def _arguments(**options: object) -> Sequence[str]:
    given = ((name.replace("_", "-"), value) for name, value in options.items() if value is not None)
    return [part for name, value in given for part in (f"--{name}", str(value))]
