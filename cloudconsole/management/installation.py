"""Everything `manage.py up` does, in order: prepare, start, fill, look after, stop."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

import redis
from django.conf import settings
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.services import first_admin
from cloudconsole.core import jobs
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.management import demo, static_files
from cloudconsole.management.processes import Child, Processes, Program
from cloudconsole.management.terminal import Terminal
from costs.models import CostSource, SnapshotWindow, WindowStatus
from costs.models.snapshots import OPEN
from costs.services import ticks

LOOK_EVERY_S = 0.2
PROGRESS_EVERY_S = 0.5
WEB_ANSWERS_WITHIN_S = 60.0


class Stopped(Exception):
    """Somebody asked this command to end."""


@dataclass(frozen=True)
class Progress:
    """How far the first fetch of costs is, in windows; `waiting` counts sources that nobody has asked yet."""

    done: int
    total: int
    waiting: int

    @property
    def is_over(self) -> bool:
        return self.total == 0 and self.waiting == 0


class Installation:
    """One run of `manage.py up`."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        for handler in logging.getLogger().handlers:
            handler.setLevel(logging.WARNING)  # the terminal is for people; its processes log in full
        self._started_at = time.monotonic()
        self._port = settings.PORT or free_port()
        self._address = f"http://127.0.0.1:{self._port}"
        self._organization: demo.Organization | None = None

    def run(self) -> None:
        """Until somebody stops it. Raises CommandError with a sentence when it cannot start."""
        with only_one(settings.VAR_DIR), stoppable():
            processes: Processes | None = None
            try:
                refuse_taken_port(self._port)
                admin = self._prepare()
                processes = Processes(settings.VAR_DIR / "log", self._terminal.say)
                self._start(processes)
                self._welcome(admin)
                self._fill(processes)
                self._look_after(processes)
            except Stopped:
                self._terminal.say("Stopping ...")
            finally:
                if processes is not None:
                    processes.stop()
                    self._terminal.say("Stopped. Nothing is lost; the same command starts it again.")

    def _prepare(self) -> first_admin.FirstAdmin:
        self._terminal.say("Cloudconsole")
        refuse_silent_redis()
        self._terminal.step("database", migrate())
        for message in run_checks(tags=[Tags.database], databases=["default"]):
            if message.is_serious():
                raise CommandError(str(message))
            self._terminal.say(str(message))
        with contextlib.suppress(FileNotFoundError):
            drop_stale_messages(settings.VAR_DIR / "broker" / "queue")
        try:
            return first_admin.ensure(
                username=settings.ADMIN_USERNAME, email=settings.ADMIN_EMAIL, password=settings.ADMIN_PASSWORD
            )
        except CloudconsoleError as error:
            raise CommandError(
                f"The first admin cannot be made from ADMIN_USERNAME and ADMIN_PASSWORD: {error.detail}"
            ) from error

    def _start(self, processes: Processes) -> None:
        """Start everything, the web process first and alone: it is what the person waits for."""
        self._choose_aws()
        if static_files.collect_if_changed():
            self._terminal.step("pages", "static files collected")
        self._wait_for(processes.start(Program("web", web_command(self._port))))
        if self._organization:
            processes.start(demo.program(self._organization.port))
        celery = (sys.executable, "-m", "celery", "--app", "cloudconsole", "--quiet")
        # They wait for AWS most of the time; with fewer, a fetch of costs and a look at what runs would keep a person waiting.
        worker = ("worker", "--hostname", "worker@%h", "--concurrency", "4", "--without-gossip", "--without-mingle")
        processes.start(Program("worker", (*celery, *worker)))
        processes.start(Program("scheduler", (*celery, "beat")))
        jobs.enqueue("cloudconsole.heartbeat")  # /readyz need not wait for the scheduler's first ring
        self._terminal.step("processes", f"web, worker, scheduler{', simulator' if self._organization else ''}")

    def _choose_aws(self) -> None:
        """Decide what answers AWS calls, for this process and all that it starts, and tell."""
        numbers = demo.connected_numbers()
        match demo.mode(wanted=settings.DEMO, endpoint=settings.AWS_ENDPOINT_URL, connected=numbers):
            case demo.Mode.DEMO:
                self._organization = demo.Organization(free_port())
                os.environ.update(AWS_ENDPOINT_URL=self._organization.url, DEMO_DATA="true")
            case demo.Mode.LEAVING:
                self._terminal.step("demo", f"over: {', '.join(demo.leave())} removed, they were simulated")
            case demo.Mode.AWS if settings.AWS_ENDPOINT_URL:
                self._terminal.step("AWS", f"calls go to {settings.AWS_ENDPOINT_URL}")

    def _wait_for(self, web: Child) -> None:
        deadline = time.monotonic() + WEB_ANSWERS_WITHIN_S
        while not answers(self._port):
            if not web.is_running or time.monotonic() > deadline:
                raise CommandError(f"The web process does not serve. Its log, {web.log}, ends with:\n{web.last_words()}")
            time.sleep(0.1)

    def _welcome(self, admin: first_admin.FirstAdmin) -> None:
        terminal = self._terminal
        terminal.say()
        terminal.say(f"  Open       {self._address}")
        if admin.password:
            terminal.say(f"  Sign in    {admin.username}  /  {admin.password}   (shown only now; change it in Settings)")
        elif admin.made:
            terminal.say(f"  Sign in    {admin.username}, with the password in ADMIN_PASSWORD")
        if self._organization:
            terminal.say("  Demo data  A simulated AWS organization. For your own accounts: Ctrl-C, then `make run DEMO=0`.")
        seconds = time.monotonic() - self._started_at
        terminal.say(f"  Ready after {seconds:.0f} s. Logs: {settings.VAR_DIR / 'log'}. Ctrl-C stops everything.")
        terminal.say()

    def _fill(self, processes: Processes) -> None:
        """Connect the demo's accounts on the first start, and ring for what is due instead of waiting for the scheduler."""
        organization = self._organization
        if organization is None:
            return
        if not organization.wait(lambda: processes.is_running("simulator")):
            self._terminal.say("The simulated organization does not answer; its log says why. Everything else works.")
            return
        organization.register_roles()
        try:
            organization.connect(lambda name: self._terminal.step("demo", f"connecting {name}"), after_first=ticks.tick)
        except CloudconsoleError as error:
            self._terminal.say(f"That account could not be connected: {error.detail}")

    def _look_after(self, processes: Processes) -> None:
        look_again_at, showing = 0.0, True
        while True:
            if "simulator" in processes.tend() and self._organization:
                self._organization.wait(lambda: processes.is_running("simulator"))
                self._organization.register_roles()
            if showing and time.monotonic() >= look_again_at:
                showing = self._show_progress()
                look_again_at = time.monotonic() + PROGRESS_EVERY_S
            time.sleep(LOOK_EVERY_S)

    def _show_progress(self) -> bool:
        """Show how far the first fetch is; False once there is nothing more to show."""
        if not demo.connected_numbers():
            self._terminal.step("costs", f"no AWS account is connected yet: {self._address}/accounts/add")
            return False
        found = progress()
        if found.is_over:
            self._terminal.step("costs", f"up to date, {time.monotonic() - self._started_at:.0f} s after the start")
            return False
        if found.total:
            self._terminal.progress("costs", found.done, found.total, "questions answered by Cost Explorer")
        return True


def progress() -> Progress:
    windows = SnapshotWindow.objects.filter(snapshot__status__in=OPEN).exclude(status=WindowStatus.SPLIT)
    waiting = CostSource.objects.filter(account__deleted_at=None, covered_by=None, next_refresh_at=None)
    return Progress(windows.exclude(status=WindowStatus.WAITING).count(), windows.count(), waiting.count())


def migrate() -> str:
    """Bring the database to today's shape, and say in words what was done."""
    where = "SQLite, " + str(settings.DATABASES["default"]["NAME"]) if connection.vendor == "sqlite" else "PostgreSQL"
    try:
        Path(settings.VAR_DIR).mkdir(parents=True, exist_ok=True)
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as error:
        raise CommandError(f"The database in DATABASE_URL does not answer: {str(error).strip().splitlines()[0]}") from error
    return f"{where} ({len(plan)} migrations applied)" if plan else where


def refuse_silent_redis() -> None:
    if not settings.REDIS_URL:
        return
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=5)
    try:
        client.ping()
    except redis.RedisError as error:
        raise CommandError(f"Redis in REDIS_URL does not answer: {error}") from error
    finally:
        client.close()


def drop_stale_messages(queue: Path) -> None:
    """Messages are doorbells that nobody has waited for; the next tick finds in the rows what is due."""
    for path in queue.iterdir():
        path.unlink(missing_ok=True)


def web_command(port: int) -> tuple[str, ...]:
    server = (sys.executable, "-m", "uvicorn", "cloudconsole.asgi:application", "--host", "127.0.0.1", "--port", str(port))
    # X-Forwarded-* are read in one place, when BEHIND_PROXY says so; uvicorn believes them of anybody on this machine.
    return (*server, "--no-proxy-headers", "--no-access-log", "--lifespan", "off", "--timeout-graceful-shutdown", "3")


def refuse_taken_port(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandError(
                f"Port {port} is taken or not allowed ({error.strerror}). Choose another: make run PORT={port + 1}"
            ) from error


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def answers(port: int) -> bool:
    """Whether an HTTP server serves there; what it says does not matter."""
    http = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        http.request("GET", "/healthz")
        http.getresponse()
    except (OSError, HTTPException):
        return False
    else:
        return True
    finally:
        http.close()


@contextlib.contextmanager
def only_one(var_dir: Path) -> Iterator[None]:
    """Hold the installation's lock. The kernel gives it back when this process ends, however it ends."""
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        lock = (var_dir / "up.lock").open("a")
    except OSError as error:
        raise CommandError(
            f"{var_dir} cannot be written ({error.strerror}). Let VAR_DIR name a folder that this user may write."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError(f"Cloudconsole runs already on the data in {var_dir}. Stop that one first.") from error
        yield


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C, a closed terminal and SIGTERM become Stopped, once; while stopping, more of them change nothing."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
