"""`python -m cloudconsole.simulator --port P`: serve the simulated organization until told to stop."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Event, Thread

from cloudconsole.simulator import clock, cost_explorer, memory
from cloudconsole.simulator.app import SimulatedAws
from cloudconsole.simulator.server import SimulatorServer

_PARENT_CHECK_S = 0.5
_POLL_S = 0.1  # how soon the server notices that it shall stop


def main() -> int:
    options = _options()
    frozen_at = clock.middle_of(options.today) if options.today else None
    try:
        aws = _simulated_aws(options, clock.SimulatedClock(frozen_at))
        server = SimulatorServer(options.host, options.port, aws)
    except memory.UnreadableMemory as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {error.strerror}\n")
        return 1
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True).start()
    sys.stdout.write(f"ready {server.url}\n")
    sys.stdout.flush()
    _wait(stop, options.parent)
    server.shutdown()
    server.server_close()
    return 0


def _simulated_aws(options: argparse.Namespace, now: clock.SimulatedClock) -> SimulatedAws:
    origin = options.origin or options.today or datetime.now(UTC).date()
    known = memory.load(options.memory, otherwise=origin) if options.memory else memory.Memory(origin)
    aws = SimulatedAws(options.seed, options.origin or known.origin, now, options.page_size, options.memory)
    aws.remember(known.roles)
    return aws


def _wait(stop: Event, parent: int | None) -> None:
    """Until a signal, or until the process that started this one is gone."""
    while not stop.wait(_PARENT_CHECK_S):
        if parent is not None and os.getppid() != parent:
            return


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cloudconsole.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other figures and keys")
    parser.add_argument("--today", type=date.fromisoformat, help="stand still at midday of this day (UTC)")
    parser.add_argument("--origin", type=date.fromisoformat, help="the day the costs are told around (default: today)")
    parser.add_argument("--page-size", type=int, default=cost_explorer.DEFAULT_PAGE_SIZE, help="groups on a page")
    parser.add_argument("--memory", type=Path, help="a file that keeps origin and registered roles over a restart")
    parser.add_argument("--parent", type=int, help="stop when this process is no longer the parent")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
