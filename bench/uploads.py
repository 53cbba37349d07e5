"""What an upload of 1 GiB takes: memory of the process that reads a stream and sends it to S3 in parts.

Run it with `python -m bench.uploads`. The upload has a process of its own, whose largest size is what counts; beside it
stands reading the file as a whole and sending that, which is what a straightforward program does. S3 is the simulator.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

from bench.aws_clients import Result
from cloudconsole.aws import clients, s3
from cloudconsole.aws.credentials import Access, StaticKey
from cloudconsole.simulator import process

MIB = 1024 * 1024
GIB = 1024 * MIB
MAX_MEGABYTES = 150
# Reading it whole needs the file's size several times over; this much of it tells enough.
WHOLE_SIZE = 256 * MIB
REGION, BUCKET = "eu-central-1", "example-dev-lambda-code"


@dataclass(frozen=True)
class Cost:
    """The largest resident size of the process in MB, before and by the upload, and the seconds it took."""

    before_megabytes: float
    megabytes: float
    seconds: float


class Made(io.RawIOBase):
    """A stream of `size` bytes that are nowhere stored."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        taken = self._left if size < 0 else min(size, self._left)
        self._left -= taken
        return b"\xa5" * taken


def main() -> list[Result]:
    """Measure both ways now and compare them."""
    streamed, whole = _in_its_own_process("streamed"), _in_its_own_process("whole")
    return [
        Result(
            "memory of uploading 1 GiB to S3",
            f"{streamed.megabytes:.0f} MB at its peak ({streamed.before_megabytes:.0f} MB before), "
            f"{GIB / MIB / streamed.seconds:.0f} MiB/s; {whole.megabytes:.0f} MB for 256 MiB read as a whole",
            f"< {MAX_MEGABYTES} MB",
            streamed.megabytes < MAX_MEGABYTES,
        )
    ]


def streamed(stream_of: Callable[[int], BinaryIO]) -> None:
    """As the product does it, without knowing the size before."""
    done = s3.upload(_access(), REGION, BUCKET, "bench/streamed", stream_of(GIB))
    if done.size != GIB:
        raise RuntimeError(f"{done.size} bytes arrived")


def whole(stream_of: Callable[[int], BinaryIO]) -> None:
    """As a straightforward program does it."""
    with clients.acting_as(_access()):
        clients.client("s3", REGION).put_object(Bucket=BUCKET, Key="bench/whole", Body=stream_of(WHOLE_SIZE).read())


def _access() -> Access:
    """A demo key of the simulator, passed on by `_in_its_own_process`."""
    return Access("bench:1", StaticKey(os.environ["BENCH_KEY"], os.environ["BENCH_SECRET"]), REGION)


def _in_its_own_process(way: str) -> Cost:
    with process.running() as simulator:
        key = simulator.key("development")
        told = subprocess.run(
            [sys.executable, "-m", "bench.uploads", way],
            check=True, capture_output=True, text=True,
            env={
                **os.environ,
                "AWS_ENDPOINT_URL": simulator.url,
                "BENCH_KEY": key.access_key_id,
                "BENCH_SECRET": key.secret_access_key,
            },
        ).stdout  # fmt: skip
    return Cost(**json.loads(told))


def _measured(upload: Callable[[Callable[[int], BinaryIO]], None]) -> Cost:
    before, began = _peak_megabytes(), time.perf_counter()
    upload(lambda size: cast("BinaryIO", Made(size)))
    return Cost(before, _peak_megabytes(), time.perf_counter() - began)


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(vars(_measured({"streamed": streamed, "whole": whole}[sys.argv[1]]))))
    else:
        from bench.__main__ import print_table

        print_table(main())
