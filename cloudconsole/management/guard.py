"""The guard of `manage.py up`: when `up` is gone, however it went, nothing that it started stays behind.

A process of its own that reads "+<process group>" and "-<process group>" from its standard input. `up` holds the other
end: when that closes, even because `up` was killed with -9, every group still known is asked to end, then ended.
Standard library only, so that it starts at once and weighs little.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 8.0


def watch(lines: Iterable[str]) -> set[int]:
    """Follow `lines` until they end; the groups that are known then."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def end(groups: set[int], grace_s: float = GRACE_S) -> None:
    """Ask `groups` to end, and after `grace_s` seconds end those that did not."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.kill(group, signal.SIGTERM)  # its leader, which ends the others in good order
    left = groups
    deadline = time.monotonic() + grace_s
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = {group for group in left if send(group, 0)}
    for group in left:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether the process group was still there to be told."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end(watch(sys.stdin))
