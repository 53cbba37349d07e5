"""Logging is set up once for a whole process, so each test starts one."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SCRIPT = """
import logging, structlog
from cloudconsole import logs
logs.configure(debug=True, as_json={as_json}, level="INFO")
def fail():
    secret = "canary-" + "in-a-local"
    raise ValueError("it broke")
try:
    fail()
except ValueError as error:
    {log}
"""
OF_DJANGO = 'logging.getLogger("django.request").error("Internal Server Error", exc_info=error)'
OF_OURS = 'structlog.get_logger("cloudconsole").error("failed", exc_info=error)'


def logged(log: str, *, as_json: bool = True) -> str:
    script = SCRIPT.format(as_json=as_json, log=log)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60).stderr


@pytest.mark.parametrize("log", [OF_DJANGO, OF_OURS])
def test_a_failure_is_logged_with_its_stack_as_one_line_of_json(log: str) -> None:
    (line,) = logged(log).splitlines()
    stack = json.loads(line)["exception"]
    assert "in fail" in stack
    assert "ValueError: it broke" in stack


@pytest.mark.parametrize("log", [OF_DJANGO, OF_OURS])
def test_a_stack_on_the_terminal_shows_no_values(log: str) -> None:
    text = logged(log, as_json=False)
    assert "ValueError: it broke" in text
    assert "canary-in-a-local" not in text


def test_libraries_that_print_what_they_handle_stay_quiet_at_every_level() -> None:
    names = ("botocore.endpoint", "urllib3.connectionpool", "django.template")
    said = "; ".join(f'logging.getLogger("{name}").debug("canary")' for name in names)
    assert "canary" not in logged(said)
