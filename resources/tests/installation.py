"""An installation of its own in other processes, which a test may kill. Commands: prepare, work, sweep, tell."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime

import time_machine


def main(command: str, given: dict[str, str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    with time_machine.travel(datetime.fromisoformat(given["now"]), tick=True):
        {"prepare": _prepare, "work": _work, "sweep": _sweep, "tell": _tell}[command](given)


def _prepare(given: dict[str, str]) -> None:
    from django.core.management import call_command

    from accounts.models import AuthMethod, AwsAccount, User
    from accounts.services import credentials
    from accounts.services.inputs import KeyInput
    from cloudconsole.core.permissions import Role
    from resources.services import operations
    from resources.services.operations import Target

    call_command("migrate", verbosity=0)
    ada = User.objects.create_user("ada", "ada@example.com", role=Role.ADMIN)
    account = AwsAccount.objects.create(
        alias="development", account_id=given["account"], auth_method=AuthMethod.ACCESS_KEY, capabilities=["ec2.operate"]
    )
    credentials.store(account=account, key=KeyInput(given["key"], given["secret"]))
    operations.request(action="ec2.stop", target=Target(account, given["region"], given["instance"]), by=ada)


def _work(given: dict[str, str]) -> None:
    """A worker that heard the bell once."""
    from resources.models import Operation
    from resources.services import operations

    operations.run(operation_id=Operation.objects.get().pk)


def _sweep(given: dict[str, str]) -> None:
    """What beat rings and a worker then does. Nothing else tells of the operation: every message was lost."""
    from resources.models import Operation
    from resources.services import operations
    from resources.services.operations import moves

    operations.tick()
    for pk in Operation.objects.filter(moves.due()).values_list("pk", flat=True):
        operations.run(operation_id=pk)
    _tell(given)


def _tell(given: dict[str, str]) -> None:
    from audit.models import AuditEvent
    from resources.models import Operation

    operation = Operation.objects.get()
    told = {
        name: getattr(operation, name) for name in ("status", "phase", "accepted", "attempts", "outcome_code", "outcome_detail")
    }
    trail = list(AuditEvent.objects.filter(subject=str(operation.pk)).order_by("seq").values_list("action", flat=True))
    print(json.dumps({**told, "trail": trail}))  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.stdin.read()))
