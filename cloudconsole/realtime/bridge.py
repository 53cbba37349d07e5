"""The channel layer of the embedded mode, where no Redis joins the processes.

Every web process that has a listening browser binds a datagram socket in one folder; every process sends what
changed to all sockets there. Where nobody listens nothing happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import tempfile
import uuid
from pathlib import Path

import structlog
from channels.layers import get_channel_layer
from django.conf import settings

from cloudconsole.realtime.messages import Change

MAX_BYTES = 8192
_PATH_LIMIT = 90  # of the 104 (macOS) or 108 (Linux) bytes that a socket's address holds

log = structlog.get_logger(__name__)


def folder() -> Path:
    """Where the sockets are: in VAR_DIR, or in a folder of our own with a shorter name."""
    wanted = Path(settings.VAR_DIR) / "live"
    if len(os.fsencode(wanted)) + 40 > _PATH_LIMIT:
        name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
        wanted = Path(tempfile.gettempdir()) / f"cloudconsole-{os.getuid()}-{name}"
    wanted.mkdir(mode=0o700, parents=True, exist_ok=True)
    if wanted.stat().st_uid != os.getuid():
        raise PermissionError(f"{wanted} belongs to somebody else.")
    return wanted


def send(change: Change) -> None:
    """Hand `change` to every web process that listens. Never waits, never fails."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for path in folder().glob("*.sock"):
            _send_to(sender, path, change.to_bytes())


def _send_to(sender: socket.socket, path: Path, data: bytes) -> None:
    try:
        sender.sendto(data, os.fspath(path))
    except (ConnectionRefusedError, FileNotFoundError):
        path.unlink(missing_ok=True)  # its process is gone
    except OSError as error:
        log.warning("live_message_lost", reason=type(error).__name__)


class Listener:
    """One process's end: passes what arrives to the groups of its own channel layer. Lives in one event loop."""

    def __init__(self) -> None:
        self._path = folder() / f"{os.getpid()}-{uuid.uuid4().hex[:8]}.sock"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(os.fspath(self._path))
        self._path.chmod(0o600)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._at_work: set[asyncio.Task[None]] = set()

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := self._socket.recv(MAX_BYTES):
                self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        try:
            change = Change.from_bytes(data)
        except (ValueError, TypeError):
            log.warning("live_message_unreadable", bytes=len(data))
            return
        task = self._loop.create_task(_tell_groups(change))
        self._at_work.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._at_work.discard)


async def _tell_groups(change: Change) -> None:
    layer = get_channel_layer()
    for group in change.groups:
        await layer.group_send(group, change.for_layer())


_listeners: dict[asyncio.AbstractEventLoop, tuple[Listener, int]] = {}


def join() -> None:
    """One more browser is connected through the running event loop."""
    loop = asyncio.get_running_loop()
    listener, users = _listeners.get(loop) or (Listener(), 0)
    _listeners[loop] = (listener, users + 1)


def leave() -> None:
    """One browser less; with the last one the socket goes."""
    loop = asyncio.get_running_loop()
    listener, users = _listeners.pop(loop)
    if users > 1:
        _listeners[loop] = (listener, users - 1)
    else:
        listener.close()
