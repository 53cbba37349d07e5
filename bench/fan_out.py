"""One question to every account, region and service: the fan-out beside a loop over boto3, and beside the AWS CLI.

Run it with `python -m bench.fan_out`. All of them ask a stand-in for AWS that takes 50 ms for an answer.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

from bench.aws_clients import Result

ACCOUNTS, LATENCY_S, CONCURRENCY = 20, 0.05, 64
SERVICES = ("ec2", "s3", "lambda")
REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
)  # fmt: skip
CELLS = ACCOUNTS * len(REGIONS) * len(SERVICES)
LOOPED_ACCOUNTS, CLI_CALLS = 2, 5  # of the slow ways, as many as it takes to know the rest

MOST_OF_THE_FLOOR = 1.5
LEAST_GAIN = 10


def main() -> list[Result]:
    """Measure each way in a process of its own, one after the other."""
    with _stub(LATENCY_S) as slow, _stub(0) as quick:
        fan_out, saturated = _in_its_own_process("fan_out", slow), _in_its_own_process("saturated", quick)
        looped = _in_its_own_process("looped", slow) * ACCOUNTS / LOOPED_ACCOUNTS
        others = [_beside(name, seconds, fan_out) for name, seconds in (("AWS CLI", _cli(slow)),) if seconds is not None]
    ideal = CELLS * LATENCY_S / CONCURRENCY
    floor = max(ideal, saturated)
    return [
        Result(
            f"asking {CELLS} places with {LATENCY_S * 1000:.0f} ms latency",
            f"{fan_out:.1f} s; latency alone {ideal:.1f} s, this machine without latency {saturated:.1f} s "
            f"({fan_out / floor:.2f} of the larger)",
            f"≤ {MOST_OF_THE_FLOOR:g} of the larger",
            fan_out <= MOST_OF_THE_FLOOR * floor,
        ),
        Result(
            "the same by a loop over boto3",
            f"{looped:.0f} s (from {LOOPED_ACCOUNTS} of {ACCOUNTS} accounts), {looped / fan_out:.0f} times as long",
            f"≥ {LEAST_GAIN} times",
            looped >= LEAST_GAIN * fan_out,
        ),
        *others,
    ]


def _beside(name: str, seconds: float, fan_out: float) -> Result:
    measured = f"{seconds:.0f} s (from {CLI_CALLS} calls), {seconds / fan_out:.0f} times as long"
    return Result(f"the same by the {name}", measured, "slower", seconds > fan_out)


def fan_out() -> float:
    """The way of the inventory: shared clients, one budget for each account and region, all at once."""
    from cloudconsole.aws import fanout
    from cloudconsole.aws.fanout import Answered, Budget

    cells = list(product(range(ACCOUNTS), REGIONS, SERVICES))
    _warm_up()
    started = time.perf_counter()
    outcomes = fanout.run(
        cells,
        lambda cell: _ask(*cell),
        concurrency=CONCURRENCY,
        deadline_s=120,
        rate=Budget(key_of=lambda cell: cell[:2]),
    )
    elapsed = time.perf_counter() - started
    if not all(isinstance(outcome, Answered) and outcome.value for outcome in outcomes):
        raise RuntimeError("not everybody answered")
    return elapsed


def saturated() -> float:
    """As many bare calls of botocore as there are cells, at an endpoint that answers at once: what this machine can do."""
    from concurrent.futures import ThreadPoolExecutor

    from cloudconsole.aws.clients import acting_as, client

    def bare(cell: tuple[int, str, str]) -> None:
        account, region, service = cell
        with acting_as(_access(account, region)):
            made: Any = client(service, region)  # type: ignore[call-overload]  # a loop over the literal names
            getattr(made, _OPERATIONS[service])()

    cells = list(product(range(ACCOUNTS), REGIONS, SERVICES))
    _warm_up()
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        started = time.perf_counter()
        list(pool.map(bare, cells))
        return time.perf_counter() - started


def looped() -> float:
    """What a script does: a Session for each account, a client for each region and service, one call after the other."""
    import boto3

    started = time.perf_counter()
    for account in range(LOOPED_ACCOUNTS):
        session = boto3.Session(f"AKIA{account:016}", "secret")
        for region, service in product(REGIONS, SERVICES):
            made = session.client(service, region_name=region)  # type: ignore[call-overload]  # as above
            getattr(made, _OPERATIONS[service])()
    return time.perf_counter() - started


_OPERATIONS = {"ec2": "describe_instances", "s3": "list_buckets", "lambda": "list_functions"}


def _access(account: int, region: str) -> Any:
    from cloudconsole.aws.credentials import Access, StaticKey

    return Access(f"bench-{account}:1", StaticKey(f"AKIA{account:016}", "secret"), region)


def _ask(account: int, region: str, service: str) -> int:
    """How many resources there are, by the functions that the inventory uses."""
    from cloudconsole.aws import ec2, lambda_, s3

    access = _access(account, region)
    if service == "s3":
        return len(s3.buckets(access))
    pages = ec2.instances(access, region) if service == "ec2" else lambda_.functions(access, region)
    return sum(len(page) for page in pages)


def _warm_up() -> None:
    """Clients are made once in the life of a process, which is not what this is about."""
    from cloudconsole.aws.clients import client

    for region, service in product(REGIONS, SERVICES):
        client(service, region)  # type: ignore[call-overload]  # as above


def _cli(endpoint: str) -> float | None:
    """Seconds that the AWS CLI would take for all cells; None where it is not installed."""
    found = shutil.which("aws")
    if found is None or subprocess.run([found, "--version"], check=False, capture_output=True).returncode:
        return None
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}
    command = [found, "ec2", "describe-instances", "--region", "eu-central-1", "--output", "json"]
    started = time.perf_counter()
    for _ in range(CLI_CALLS):
        subprocess.run(command, check=True, capture_output=True, env=environment)
    return (time.perf_counter() - started) / CLI_CALLS * CELLS


@contextmanager
def _stub(latency_s: float) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.stub", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None  # noqa: S101 - both are pipes, see above
        assert server.stdout is not None  # noqa: S101
        yield server.stdout.readline().strip()
        server.stdin.close()


def _in_its_own_process(way: str, endpoint: str) -> float:
    command = [sys.executable, "-m", "bench.fan_out", way]
    environment = {**os.environ, "AWS_ENDPOINT_URL": endpoint}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return float(json.loads(told))


WAYS: dict[str, Callable[[], float]] = {"fan_out": fan_out, "saturated": saturated, "looped": looped}


if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(WAYS[sys.argv[1]]()))
    else:
        from bench.__main__ import print_table

        print_table(main())
