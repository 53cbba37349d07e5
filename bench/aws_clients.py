"""What a further AWS account costs: shared clients beside a boto3 Session and its clients per account.

Run it with `python -m bench.aws_clients`. Each way is measured in a process of its own, so that neither warms the other.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SERVICES = ("sts", "ce", "organizations", "iam")
REGION = "us-east-1"
SHARED_ACCOUNTS = 5_000
SEPARATE_ACCOUNTS = 15

MAX_MEGABYTES = 1.0
MAX_MILLISECONDS = 5.0


@dataclass(frozen=True)
class Cost:
    """Of one further account: resident memory in MB, wall time in milliseconds."""

    megabytes: float
    milliseconds: float


@dataclass(frozen=True)
class Result:
    """One line of the table of benchmarks."""

    name: str
    measured: str
    promised: str
    kept: bool


def main() -> list[Result]:
    """Measure both ways now and compare them."""
    shared, separate = _in_its_own_process("shared"), _in_its_own_process("separate")
    return [
        Result(
            "memory of a further AWS account",
            f"{shared.megabytes:.4f} MB shared, {separate.megabytes:.1f} MB with a Session of its own "
            f"({_times(separate.megabytes, shared.megabytes)})",
            f"< {MAX_MEGABYTES:g} MB",
            shared.megabytes < MAX_MEGABYTES,
        ),
        Result(
            "client set-up of a further AWS account",
            f"{shared.milliseconds:.3f} ms shared, {separate.milliseconds:.0f} ms with a Session of its own "
            f"({_times(separate.milliseconds, shared.milliseconds)})",
            f"< {MAX_MILLISECONDS:g} ms",
            shared.milliseconds < MAX_MILLISECONDS,
        ),
    ]


def _times(separate: float, shared: float) -> str:
    return f"{separate / shared:,.0f} times" if shared > 0 else "no growth measurable"


def _in_its_own_process(way: str) -> Cost:
    command = [sys.executable, "-m", "bench.aws_clients", way]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Cost(**json.loads(told))


def shared_accounts() -> Cost:
    """Further accounts on the shared clients, each up to the signature of a request for every service."""
    from cloudconsole.aws.clients import acting_as, client
    from cloudconsole.aws.credentials import Access, StaticKey

    kept = []

    def add(number: int) -> None:
        access = Access(f"{number}:1", StaticKey(f"AKIA{number:016}", "secret"), REGION)
        kept.append(access)
        with acting_as(access):
            for service in SERVICES:
                client(service, REGION)  # type: ignore[call-overload]  # a loop over the literal names
            client("sts", REGION).generate_presigned_url("get_caller_identity")

    return _measure(add, SHARED_ACCOUNTS)


def separate_accounts() -> Cost:
    """What boto3's documentation suggests: a Session per account, and clients from it."""
    import boto3

    kept = []

    def add(number: int) -> None:
        session = boto3.Session(f"AKIA{number:016}", "secret", region_name=REGION)
        clients = [session.client(service) for service in SERVICES]  # type: ignore[call-overload]  # as above
        clients[0].generate_presigned_url("get_caller_identity")
        kept.append((session, clients))

    return _measure(add, SEPARATE_ACCOUNTS)


def _measure(add: Callable[[int], None], accounts: int) -> Cost:
    add(0)
    add(1)  # the first accounts pay for what all share
    memory, started = _resident_megabytes(), time.perf_counter()
    for number in range(2, accounts + 2):
        add(number)
    elapsed = time.perf_counter() - started
    return Cost(max(0.0, _resident_megabytes() - memory) / accounts, elapsed * 1000 / accounts)


def _resident_megabytes() -> float:
    """Resident now; where the system does not tell (macOS), the peak so far."""
    gc.collect()
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


WAYS: dict[str, Callable[[], Cost]] = {"shared": shared_accounts, "separate": separate_accounts}


def _print_table(results: list[Result]) -> int:
    for result in results:
        verdict = "kept" if result.kept else "BROKEN"
        print(f"{result.name}: {result.measured}; promised {result.promised}: {verdict}")
    return 0 if all(result.kept for result in results) else 1


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(vars(WAYS[sys.argv[1]]())))
    else:
        sys.exit(_print_table(main()))
