"""The demo: a simulated AWS organization, connected through the same services that people use.

Whether it runs is decided anew at each start, from the rows alone; `docs/decisions/0006-demo-mode.md` says why it is so.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings

from accounts.models import AwsAccount, User
from accounts.services import aws_accounts
from accounts.services.inputs import KeyInput, NewAccount, RoleInput
from audit import services as audit
from cloudconsole.core.permissions import Role
from cloudconsole.management.processes import Program
from cloudconsole.simulator.organization import ACCOUNTS, DEVELOPMENT, MANAGEMENT, PRODUCTION, ROLE_NAME, STAGING

BY = "cloudconsole up"  # who did it, as the audit trail says
HUB_ALIAS = "management"
# Accounts reached by a role through the management account, as most organizations do it; alias and environment alike.
BY_ROLE = {PRODUCTION: "production", STAGING: "staging"}
BY_KEY = {DEVELOPMENT: "development"}
ANSWERS_WITHIN_S = 30.0

_opener = build_opener(ProxyHandler({}))  # a proxy for the world has no business on loopback


class Mode(Enum):
    """What answers the AWS calls of this start."""

    AWS = "AWS"
    DEMO = "the simulated organization"
    LEAVING = "AWS, after the demo's accounts are removed"


def mode(*, wanted: bool, endpoint: str, connected: Iterable[str]) -> Mode:
    """Decide from DEMO, AWS_ENDPOINT_URL and the numbers of the connected accounts (empty: not verified yet).

    One proven account of somebody's own ends the demo for good: figures of both kinds never stand on one page, and no
    real account is ever led to the simulator.
    """
    numbers = set(connected)
    simulated = numbers & ACCOUNTS.keys()
    own = numbers - ACCOUNTS.keys() - {""}
    if endpoint:
        return Mode.AWS
    if not wanted or own:
        return Mode.LEAVING if simulated else Mode.AWS
    return Mode.DEMO if simulated or not numbers else Mode.AWS


def connected_numbers() -> list[str]:
    return list(AwsAccount.objects.filter(deleted_at=None).values_list("account_id", flat=True))


def leave() -> list[str]:
    """Disconnect the demo's accounts, those behind others first; their aliases. Their history stays, but counts no more."""
    admin = _admin()
    present = AwsAccount.objects.filter(deleted_at=None, account_id__in=ACCOUNTS)
    ordered = sorted(present, key=lambda account: account.hub_id is None)
    with audit.by_itself(BY):
        for account in ordered:
            aws_accounts.delete(account=account, confirm=account.alias, by=admin)
    return [account.alias for account in ordered]


def program(port: int) -> Program:
    """The simulator's process. Its memory keeps the roles and the story over restarts."""
    memory = settings.VAR_DIR / "simulator.json"
    options = ("--port", str(port), "--memory", str(memory), "--parent", str(os.getpid()))
    return Program("simulator", (sys.executable, "-m", "cloudconsole.simulator", *options))


@dataclass(frozen=True)
class Organization:
    """The simulator on this machine, by its port."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait(self, alive: Callable[[], bool]) -> bool:
        """Whether it answers in time; False at once when its process is gone."""
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while time.monotonic() < deadline and alive():
            try:
                self._ask("GET", "health")
            except (URLError, ConnectionError):
                time.sleep(0.1)
            else:
                return True
        return False

    def connect(self, say: Callable[[str], None], after_first: Callable[[], None]) -> int:
        """Connect what is not connected yet, as an admin would by hand; how many were new.

        `after_first` is called once the first is connected: the costs of all come with it, as it pays for all.
        """
        admin, keys = _admin(), self._ask("GET", "organization")["keys"]
        connected = set(connected_numbers())
        missing = [number for number in (MANAGEMENT, *BY_ROLE, *BY_KEY) if number not in connected]
        for number in missing:
            say(ACCOUNTS[number].name)
            with audit.by_itself(BY):
                aws_accounts.create(new=self._new_account(number, keys), by=admin)
            if number == missing[0]:
                after_first()
        return len(missing)

    def register_roles(self) -> None:
        """Tell the simulator the external ids of the connected roles, as their owners did in their trust policies."""
        roles = AwsAccount.objects.filter(deleted_at=None, account_id__in=ACCOUNTS).exclude(role_arn="")
        for arn, external_id in roles.values_list("role_arn", "external_id"):
            self._register(arn, external_id)

    def _new_account(self, number: str, keys: dict[str, Any]) -> NewAccount:
        if number in BY_ROLE:
            arn = f"arn:aws:iam::{number}:role/{ROLE_NAME}"
            reservation = aws_accounts.reserve_external_id()
            self._register(arn, reservation.external_id)
            alias = BY_ROLE[number]
            return NewAccount(alias, RoleInput(arn, MANAGEMENT), environment=alias, reservation=reservation.note)
        key = keys["hub" if number == MANAGEMENT else BY_KEY[number]]
        credentials = KeyInput(key["access_key_id"], key["secret_access_key"])
        if number == MANAGEMENT:
            return NewAccount(HUB_ALIAS, credentials, environment="production")
        return NewAccount(BY_KEY[number], credentials, environment=BY_KEY[number])

    def _register(self, arn: str, external_id: str) -> None:
        self._ask("POST", "roles", {"role_arn": arn, "external_id": external_id})

    def _ask(self, method: str, name: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/_simulator/{name}", data=data, method=method)  # noqa: S310 - an address made here
        with _opener.open(request, timeout=10) as answer:
            return json.load(answer)


def _admin() -> User:
    admin: User = User.objects.filter(role=Role.ADMIN, is_active=True).earliest("pk")
    return admin
