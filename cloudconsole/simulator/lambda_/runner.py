"""Invocations that really happen: a process of its own for each, with limits, and what it wrote as its log."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cloudconsole.simulator.lambda_ import checks
from cloudconsole.simulator.lambda_.functions import Configuration
from cloudconsole.simulator.lambda_.sandbox import UNCONFINED

_SANDBOX = Path(__file__).with_name("sandbox.py")
_MOST_LOG = 1024 * 1024
_TASK_ROOT = "/var/task"  # where AWS keeps a function's code


@dataclass(frozen=True, slots=True)
class Ran:
    """`failed`: the function did not come to an answer of its own; `payload` then tells its error."""

    payload: bytes
    failed: bool
    log: str


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the process ended: its exit code (None after the time was up), what it told, what it wrote, how long it took."""

    code: int | None
    told: dict[str, Any] | None
    log: str
    took_ms: float


class Runner:
    """Runs Python functions. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def clear(self) -> None:
        """Forget the unpacked code."""
        with self._lock:
            if self._folder is not None:
                self._folder.cleanup()
                self._folder = None

    def run(self, function: Configuration, event: Any, request_id: str) -> Ran:
        if not function.runtime.startswith("python"):
            return _refused(function, request_id, "Simulator.RuntimeNotSimulated", _NOT_PYTHON.format(function.runtime))
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="simulated-lambda-", ignore_cleanup_errors=True) as scratch:
            task = _task(function, event, request_id, str(self._unpacked(function)), scratch)
            code, log = _execute(function, task, scratch)
            result = Path(task["result"])
            text = result.read_text() if code == 0 and result.exists() else "null"
            told, log = json.loads(text.replace(task["code"], _TASK_ROOT)), log.replace(task["code"], _TASK_ROOT)
        return _ran(function, request_id, _Ended(code, told, log, (time.monotonic() - started) * 1000))

    def _unpacked(self, function: Configuration) -> Path:
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="simulated-lambda-code-")
            target = Path(self._folder.name) / function.code_sha256.replace("/", "_")
            if not target.exists():
                with zipfile.ZipFile(io.BytesIO(function.code)) as archive:
                    archive.extractall(target)
            return target


_NOT_PYTHON = "The simulated Lambda runs Python functions only; this one is made for {}."
_NOT_CONFINED = "The simulated Lambda runs code only where the kernel can confine it (Linux with Landlock)."


def _task(function: Configuration, event: Any, request_id: str, code: str, scratch: str) -> dict[str, Any]:
    return {
        "event": event,
        "handler": function.handler,
        "code": code,
        "scratch": scratch,
        "result": str(Path(scratch) / "result.json"),
        "memory_mb": function.memory_mb,
        "timeout_s": function.timeout_s,
        "function_name": function.name,
        "function_version": function.version,
        "invoked_function_arn": function.arn,
        "aws_request_id": request_id,
    }


def _execute(function: Configuration, task: dict[str, Any], scratch: str) -> tuple[int | None, str]:
    """The exit code, None after the time was up, and the log."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-u", str(_SANDBOX)],
            stdin=subprocess.PIPE, stdout=log, stderr=log, env=_environment(function, scratch), cwd=scratch,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.communicate(json.dumps(task).encode(), timeout=function.timeout_s)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        log.seek(0)
        return code, log.read(_MOST_LOG).decode(errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """With everything that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _environment(function: Configuration, scratch: str) -> dict[str, str]:
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "HOME": scratch,
        "TMPDIR": scratch,
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        **{key: value for key, value in function.environment if "=" not in key and "\0" not in key + value},
    }


def _ran(function: Configuration, request_id: str, ended: _Ended) -> Ran:
    if ended.code == UNCONFINED:
        return _refused(function, request_id, "Simulator.NotConfined", _NOT_CONFINED)
    payload, failed = _outcome(function, request_id, ended)
    log = ended.log
    if ended.code is None:
        log += f"\n{request_id} Task timed out after {function.timeout_s:.2f} seconds\n"
    return Ran(payload, failed, _log(function, request_id, log, ended.took_ms))


def _outcome(function: Configuration, request_id: str, ended: _Ended) -> tuple[bytes, bool]:
    if ended.code is None:
        message = f"RequestId: {request_id} Error: Task timed out after {function.timeout_s:.2f} seconds"
        return _error("Sandbox.Timedout", message), True
    if ended.told is None:
        return _error("Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited {_cause(ended.code)}"), True
    payload = str(ended.told["payload"]).encode()
    if len(payload) > checks.SYNCHRONOUS:
        message = f"Response payload size exceeded maximum allowed payload size ({checks.SYNCHRONOUS} bytes)."
        return _error("Function.ResponseSizeTooLarge", message), True
    return payload, not ended.told["ok"]


def _cause(code: int) -> str:
    number = -code if code < 0 else code - 128  # a process in a namespace of its own tells it as a shell does
    named = {each.value: each.name.removeprefix("SIG").lower() for each in signal.Signals}
    return f"with error: signal: {named[number]}" if number in named else f"with error: exit status {code}"


def _refused(function: Configuration, request_id: str, kind: str, message: str) -> Ran:
    return Ran(_error(kind, message), True, _log(function, request_id, f"[ERROR] {message}\n", 0.0))


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _log(function: Configuration, request_id: str, written: str, took_ms: float) -> str:
    billed = max(1, -int(-took_ms // 1))
    body = written if not written or written.endswith("\n") else written + "\n"
    return (
        f"START RequestId: {request_id} Version: {function.version}\n{body}END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {took_ms:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {function.memory_mb} MB\tMax Memory Used: {min(function.memory_mb, 38)} MB\t\n"
    )
