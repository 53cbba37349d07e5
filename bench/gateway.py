"""What the proxy adds to a call, how many streams one worker carries, and what a large answer takes of its memory.

Run it with `python -m bench.gateway`; `SMALL=1` measures less of everything. The console is one uvicorn worker as it is
deployed, the service another process on loopback; both ways are asked by the same client over kept connections.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.aws_clients import Result
from tests.services import free_port

ROOT = Path(__file__).resolve().parent.parent
SMALL = bool(os.environ.get("SMALL"))
CALLS = 60 if SMALL else 400
STREAMS = 50
EVENTS = 5 if SMALL else 20  # of each stream, one every 100 ms
GIB = 1024**3
LARGE = 64 * 1024**2 if SMALL else GIB
MAX_MEGABYTES = 150
SECRET = "bench-secret-0123456789"  # noqa: S105 - of the service of this benchmark

_MAKE = """
import django; django.setup()
from accounts.models import User
from accounts.services import personal_tokens
from accounts.models import Scope
from gateway.services import keys
from gateway.services.key_inputs import KeyInput
user = User.objects.create_user("bench", "bench@example.com", None, "operator")
keys.create(given=KeyInput(api_name="svc", api_key="{secret}", base_url="{base}", retries=0), by=user)
print(personal_tokens.create(user=user, name="bench", scope=Scope.WRITE).plain)
"""


@dataclass(frozen=True)
class Running:
    """A console and the service behind it; `token` signs in, `pid` is the console's only worker."""

    console: int
    service: int
    token: str
    pid: int


def main() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder)) as running:
        return [_overhead(running), _streams(running), _memory(running)]


def _overhead(running: Running) -> Result:
    direct, through = _timed(running, running.service, "/small"), _timed(running, running.console, "/api/proxy/svc/small")
    empty = statistics.median(_timed(running, running.console, "/healthz"))
    p50 = (statistics.median(through) - statistics.median(direct)) * 1000
    p95 = (_p95(through) - _p95(direct)) * 1000
    return Result(
        "what the proxy adds to a call",
        f"p50 {p50:.1f} ms, p95 {p95:.1f} ms over {CALLS} calls (direct: {statistics.median(direct) * 1000:.1f} ms); "
        f"{statistics.median(through) / empty:.1f} times the {empty * 1000:.1f} ms of an empty answer of the same worker",
        "p50 < 8 ms, p95 < 20 ms",
        p50 < 8 and p95 < 20,
    )


def _timed(running: Running, port: int, path: str) -> list[float]:
    """Seconds of each call, one after the other on one connection, after some that do not count."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken = []
    for number in range(CALLS + 10):
        began = time.perf_counter()
        connection.request("GET", path, headers=_signed(running))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
        if number >= 10:
            taken.append(time.perf_counter() - began)
    connection.close()
    return taken


def _streams(running: Running) -> Result:
    """All at once; what counts is how late an event comes that the service sends every tenth of a second."""
    late: list[float] = []
    threads = [threading.Thread(target=_listen, args=(running, late)) for _ in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    whole = len(late) == STREAMS * EVENTS
    return Result(
        f"{STREAMS} streams through one worker",
        f"{len(late)} of {STREAMS * EVENTS} events, p95 {_p95(late) * 1000:.0f} ms after they were sent" if late else "none came",
        f"{STREAMS} at once, every event",
        whole,
    )


def _listen(running: Running, late: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.console, timeout=60)
    connection.request("GET", f"/api/proxy/svc/events/{EVENTS}", headers=_signed(running))
    answer = connection.getresponse()
    while line := answer.readline():
        if line.startswith(b"data: "):
            late.append(time.time() - float(line[6:]))
    connection.close()


def _memory(running: Running) -> Result:
    before, began = _megabytes(running.pid), time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", running.console, timeout=60)
    connection.request("GET", f"/api/proxy/svc/large/{LARGE}", headers=_signed(running))
    answer, size, peak = connection.getresponse(), 0, before
    while chunk := answer.read(1024**2):
        size += len(chunk)
        if size % (16 * 1024**2) < len(chunk):
            peak = max(peak, _megabytes(running.pid))
    connection.close()
    seconds = time.perf_counter() - began
    return Result(
        f"{LARGE // 1024**2} MiB streamed through",
        f"{peak - before:.0f} MB more at its peak than the {before:.0f} MB before, {size / 1024**2 / seconds:.0f} MiB/s",
        f"under {MAX_MEGABYTES} MB more than the idle worker has",
        size == LARGE and peak - before < MAX_MEGABYTES,
    )


def _signed(running: Running) -> Mapping[str, str]:
    return {"Authorization": f"Token {running.token}", "Accept-Encoding": "identity"}


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1] if len(values) > 1 else values[0]


def _megabytes(pid: int) -> float:
    """Resident size, as Linux tells it."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


@contextmanager
def _running(folder: Path) -> Iterator[Running]:
    service, console = free_port(), free_port()
    environment = {
        **os.environ,
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'bench.sqlite3'}",
        "REDIS_URL": "",
        "EGRESS_ALLOW_CIDRS": "127.0.0.1/32",
        "DJANGO_SETTINGS_MODULE": "cloudconsole.settings",
        "LOG_LEVEL": "WARNING",
    }
    _run(environment, "manage.py", "migrate", "-v0")
    made = _run(environment, "-c", _MAKE.format(secret=SECRET, base=f"http://127.0.0.1:{service}"))
    server = ("-m", "uvicorn", "cloudconsole.asgi:application", "--lifespan", "off", "--no-access-log", "--log-level", "warning")
    with (
        _started(environment, "-m", "bench.gateway", "serve", str(service)),
        _started(environment, *server, "--host", "127.0.0.1", "--port", str(console)) as worker,
    ):
        _wait(service)
        _wait(console)
        yield Running(console, service, made.strip().splitlines()[-1], worker.pid)


def _run(environment: Mapping[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return done.stdout


@contextmanager
def _started(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(port)


# --- the service


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", port, backlog=256)
    async with server:
        await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1].decode()
            await _write(path, writer)
            if b"connection: close" in head.lower() or path.startswith("/events"):
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def _write(path: str, writer: asyncio.StreamWriter) -> None:
    if path.startswith("/events/"):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        for _ in range(int(path.rpartition("/")[2])):
            await asyncio.sleep(0.1)
            writer.write(f"data: {time.time()}\n\n".encode())
            await writer.drain()
    elif path.startswith("/large/"):
        left = int(path.rpartition("/")[2])
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n".encode())
        block = bytes(range(256)) * 1024
        while left:
            piece = block[: min(left, len(block))]
            writer.write(piece)
            await writer.drain()
            left -= len(piece)
    else:
        body = json.dumps({"ok": True, "path": path}).encode()
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(_serve(int(sys.argv[2])))
    else:
        from bench.__main__ import print_table

        print_table(main())
