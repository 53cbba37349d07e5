"""What is shipped fits together: compose file, image, examples and pins are read, not run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.http.request import validate_host

from cloudconsole.environment import VARIABLES
from cloudconsole.management.installation import web_command

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {variable.name for variable in VARIABLES}
OURS = ("migrate", "web", "worker", "scheduler")
OF_COMPOSE = {"POSTGRES_PASSWORD"}
OF_BOTO = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
EMBEDDED_ONLY = {"VAR_DIR", "PORT", "DEMO", "DEMO_DATA", "DEBUG"}
OF_THE_FIRST_ADMIN = {"ADMIN_USERNAME", "ADMIN_PASSWORD", "ADMIN_EMAIL"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_compose_gives_our_services_only_variables_that_are_read(compose: dict[str, Any]) -> None:
    for name in OURS:
        assert compose["services"][name]["environment"].keys() <= KNOWN | OF_BOTO


def test_compose_gives_our_services_every_variable_that_they_read(compose: dict[str, Any]) -> None:
    for name in OURS:
        missing = (KNOWN | OF_BOTO) - EMBEDDED_ONLY - compose["services"][name]["environment"].keys()
        assert missing == (set() if name == "migrate" else OF_THE_FIRST_ADMIN)


def test_compose_waits_for_migrations_before_anything_serves(compose: dict[str, Any]) -> None:
    for name in ("web", "worker", "scheduler"):
        assert compose["services"][name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert compose["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_the_broker_never_evicts(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_no_secret_has_a_default_in_compose(compose: dict[str, Any]) -> None:
    environment = compose["services"]["migrate"]["environment"]
    for name in ("SECRET_KEY", "FERNET_KEYS", "AUDIT_KEY"):
        assert environment[name].startswith(f"${{{name}:?")
    for name in ("ADMIN_PASSWORD", "OIDC_CLIENT_SECRET", "AWS_SECRET_ACCESS_KEY"):
        assert environment[name] is None  # given on from outside, or not there
    assert "${POSTGRES_PASSWORD:?" in environment["DATABASE_URL"]


def test_only_this_machine_reaches_the_ports(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_example_environment_names_what_compose_asks_for(compose: dict[str, Any]) -> None:
    text = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^([A-Z_]+)=", text, re.MULTILINE))
    demanded = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert demanded <= named <= KNOWN | OF_COMPOSE


def test_the_image_holds_every_package_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = {line.split()[1] for line in lines if line.startswith("COPY ") and len(line.split()) == 3}
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages | {"templates", "static"} <= copied
    assert "USER cloudconsole" in lines
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {f"!{name}" for name in packages | {"templates", "static", "manage.py", "requirements.txt"}} <= set(ignored)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_by_hash_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.findall(r"^[a-z0-9][^\s=]*==\S+", text, re.MULTILINE | re.IGNORECASE)
    assert len(pins) > 50
    blocks = re.split(r"\n(?=[a-z0-9])", text, flags=re.IGNORECASE)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)
    assert "://" not in text


def test_development_pins_what_the_product_pins() -> None:
    def versions(name: str) -> dict[str, str]:
        found = re.findall(r"^([a-z0-9][^\s=\[;]*)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE | re.IGNORECASE)
        return dict(found)

    product, development = versions("requirements.txt"), versions("requirements-dev.txt")
    assert {name: development.get(name) for name in product} == product


def test_every_dependency_has_its_reason() -> None:
    declared = re.findall(r'^    "([A-Za-z0-9-]+)', (ROOT / "pyproject.toml").read_text().split("[tool.", 1)[0], re.MULTILINE)
    told = (ROOT / "docs" / "dependencies.md").read_text().lower()
    assert [name for name in declared if name.lower() not in told] == []


def test_callers_cannot_say_where_they_come_from() -> None:
    (served,) = re.findall(r"^CMD .*uvicorn.*$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert "--no-proxy-headers" in served
    assert "--no-proxy-headers" in web_command(8000)


def test_what_a_worker_writes_outside_the_database_has_a_volume(compose: dict[str, Any]) -> None:
    folder, image = settings.AUDIT_CHECKPOINTS.parent.relative_to(settings.VAR_DIR), (ROOT / "Dockerfile").read_text()
    assert "VAR_DIR=/srv/cloudconsole/var" in image
    assert f"chown cloudconsole var/{folder}" in image
    assert f"audit:/srv/cloudconsole/var/{folder}" in compose["services"]["worker"]["volumes"]


@pytest.mark.parametrize("allowed", ["localhost,127.0.0.1", "console.example.com,localhost", ".example.com", "*"])
def test_the_image_is_asked_for_its_health_by_a_name_that_it_answers_to(allowed: str) -> None:
    (probe,) = re.findall(r"^ +CMD (\[.*urlopen.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    asked: list[str] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Web) as web:
        Thread(target=web.handle_request, daemon=True).start()
        code = json.loads(probe)[2].replace(":8000/", f":{web.server_port}/")
        subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "ALLOWED_HOSTS": allowed}, timeout=20)
    assert len(asked) == 1
    assert validate_host(asked[0], allowed.split(","))
