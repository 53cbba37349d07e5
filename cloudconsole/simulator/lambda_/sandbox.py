"""Runs one handler, confined by the kernel. It is a program of its own (`python -I -S sandbox.py`) and imports nothing of ours.

Before any foreign code is imported the process gives up its network and, by Landlock, every file but Python itself, the
function's own code and a scratch folder. Where the kernel has no Landlock it refuses to run anything.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import sys
import time
import traceback
from types import SimpleNamespace

UNCONFINED = 97  # the exit code that says: this kernel cannot confine the function

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture (Linux, unistd.h)
_PATH_BENEATH, _NO_NEW_PRIVILEGES, _VERSION_FLAG = 1, 38, 1
_NEW_USER, _NEW_PROCESSES, _NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000
_EXECUTE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 2, 1 << 3
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
# What each version of Landlock can forbid (Linux, Documentation/userspace-api/landlock.rst).
_FILES = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom", "/dev/zero")
_libc = ctypes.CDLL(None, use_errno=True)


class _Rules(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def confine(code: str, scratch: str) -> bool:
    """Give up everything that a function does not need. False where the kernel cannot take it away."""
    if _libc.unshare(_NEW_USER | _NEW_PROCESSES | _NEW_NETWORK) == 0:
        resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))  # counted in the new user namespace only
        _enter_process_namespace()
    version = _libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    files = max(mask for since, mask in _FILES.items() if since <= version)
    # Connecting and binding by TCP; signals to and hidden sockets of other processes.
    rules = _Rules(files, 3 if version >= 4 else 0, 3 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = _libc.syscall(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    if ruleset < 0:
        return False
    for path in (*_SYSTEM, sys.base_prefix, code):
        _allow(ruleset, path, _READ & files)
    _allow(ruleset, scratch, files & ~_EXECUTE)
    _libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    return bool(_libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)


def _enter_process_namespace() -> None:
    """Go on as the first process of the new namespace: with it everything ends that the function has started."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not every system has every folder
    allowed = access if os.path.isdir(path) else access & ~_READ_FOLDER
    _libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(_Beneath(allowed, parent)), 0)
    os.close(parent)


def _limit(memory_mb: int, timeout_s: int) -> None:
    room = (memory_mb + 192) * 1024 * 1024  # Python itself needs some before the function has any
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CPU, (timeout_s + 1, timeout_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _context(task: dict[str, object]) -> SimpleNamespace:
    """What a handler gets beside its event (Lambda guide, "Lambda context object in Python")."""
    ends = time.monotonic() + float(str(task["timeout_s"]))
    told = {name: task[name] for name in ("function_name", "function_version", "invoked_function_arn", "aws_request_id")}
    context = SimpleNamespace(**told, memory_limit_in_mb=str(task["memory_mb"]), identity=None, client_context=None)
    context.log_group_name = f"/aws/lambda/{task['function_name']}"
    context.log_stream_name = f"simulated/[{task['function_version']}]"
    context.get_remaining_time_in_millis = lambda: max(0, int((ends - time.monotonic()) * 1000))
    return context


def _failure(error: BaseException, request_id: object) -> dict[str, object]:
    inside = os.getcwd()
    frames = [line for line in traceback.format_tb(error.__traceback__) if inside in line]
    sys.stdout.write(f"[ERROR] {type(error).__name__}: {error}\nTraceback (most recent call last):\n{''.join(frames)}")
    return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": request_id, "stackTrace": frames}


def _load(handler: str) -> object:
    """The function that a handler names. The error types are those of Lambda's Python runtime."""
    module, _, name = handler.rpartition(".")
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        raise type("Runtime.ImportModuleError", (Exception,), {})(f"Unable to import module '{module}': {error}") from None
    if not hasattr(loaded, name):
        raise type("Runtime.HandlerNotFound", (Exception,), {})(f"Handler '{name}' missing on module '{module}'")
    return getattr(loaded, name)


def _outcome(task: dict[str, object]) -> dict[str, object]:
    try:
        handler = _load(str(task["handler"]))
        result = handler(task["event"], _context(task))  # type: ignore[operator]
        try:
            return {"ok": True, "payload": json.dumps(result)}
        except (TypeError, ValueError) as error:
            raise type("Runtime.MarshalError", (Exception,), {})(f"Unable to marshal response: {error}") from None
    except Exception as error:  # noqa: BLE001 - whatever a function raises is its answer
        return {"ok": False, "payload": json.dumps(_failure(error, task["aws_request_id"]))}


def main() -> int:
    task = json.load(sys.stdin)
    code, scratch, result = task["code"], task["scratch"], task["result"]
    _limit(task["memory_mb"], task["timeout_s"])
    if not confine(code, scratch):
        return UNCONFINED
    sys.path.insert(0, code)
    os.chdir(code)
    outcome = _outcome(task)
    sys.stdout.flush()
    with open(result, "w", encoding="utf-8") as file:
        json.dump(outcome, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
