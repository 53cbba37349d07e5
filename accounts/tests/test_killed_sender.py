"""A worker killed with -9 while the receiver has its message: nobody gets it twice who could not tell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from cloudconsole.net.tests.listeners import Asked, Reply, http_listener
from tests import installations
from tests.installations import Installation


class Sender(Installation):
    def __init__(self, kind: str, address: str, database_url: str, folder: Path) -> None:
        super().__init__("accounts.tests.sender", database_url=database_url, folder=folder, EGRESS_ALLOW_CIDRS="127.0.0.0/8")
        self.kind, self.address = kind, address

    def given(self) -> Mapping[str, str]:
        return {"kind": self.kind, "address": self.address}


@pytest.mark.parametrize(("kind", "after", "calls"), [("slack", "unknown", 1), ("webhook", "sent", 2)])
def test_a_message_whose_worker_was_killed(database_url: str, tmp_path: Path, kind: str, after: str, calls: int) -> None:
    arrived, killed = threading.Event(), threading.Event()

    def answer(asked: Asked) -> Reply:
        arrived.set()
        killed.wait(timeout=60)
        return Reply()

    with http_listener(answer) as listener:
        sender = Sender(kind, listener.url(), database_url, tmp_path)
        sender.do("prepare")
        worker = sender.start("work")
        assert arrived.wait(timeout=60)
        installations.kill(worker)
        killed.set()
        held = sender.told("work")  # the lease still holds: nobody else may go on
        assert (held, len(listener.asked)) == ({"status": "sending", "attempts": 1}, 1)
        ended = sender.told("resume")
        assert (ended["status"], len(listener.asked)) == (after, calls)
        assert len({asked.headers.get("webhook-id") for asked in listener.asked}) == 1
