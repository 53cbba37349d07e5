"""The console as it is deployed, one uvicorn worker in a process of its own. Commands: prepare, serve."""

from __future__ import annotations

import json
from typing import Any

import uvicorn

from accounts.models import Scope, User
from accounts.services import personal_tokens
from cloudconsole.core.permissions import Role
from gateway.services import keys
from gateway.services.key_inputs import KeyInput


def main(command: str, given: dict[str, Any]) -> None:
    {"prepare": _prepare, "serve": _serve}[command](given)


def _prepare(given: dict[str, Any]) -> None:
    """A person with a key for each of the services in `given`, and a token to use them with."""
    ada = User.objects.create_user("ada", "ada@example.com", None, Role.OPERATOR)
    for name, url in given["services"].items():
        keys.create(given=KeyInput(api_name=name, api_key="sk-test-0123456789", base_url=url, retries=0), by=ada)
    made = personal_tokens.create(user=ada, name="program", scope=Scope.WRITE)
    print(json.dumps({"token": made.plain}))  # noqa: T201 - the parent reads it


def _serve(given: dict[str, Any]) -> None:
    from cloudconsole.asgi import application

    uvicorn.run(application, host="127.0.0.1", port=given["port"], lifespan="off", log_level="error")
