"""An installation of its own in other processes, which a test may kill.

Commands: prepare, work, sweep, tell; of a scaling rule prepare_rule, beat, read, tell_rule; of quotas prepare_quotas, limits,
series, minutes, metrics, tell_quotas.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import time_machine

from accounts.models import Alert, AuthMethod, AwsAccount, User
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from resources.models import Decision, Instance, ModelMinute, Operation, Quota, QuotaPlace, QuotaSample, Slot
from resources.rules.metrics import Kind, Statistic
from resources.services import automation, operations, quotas
from resources.services.automation import scaling_rules
from resources.services.operations import Target, moves
from resources.services.quotas import places


def main(command: str, given: dict[str, str]) -> None:
    with time_machine.travel(datetime.fromisoformat(given["now"]), tick=True):
        _COMMANDS[command](given)


def _prepare(given: dict[str, str]) -> None:
    ada, account = _people_and_account(given)
    operations.request(action="ec2.stop", target=Target(account, given["region"], given["instance"]), by=ada)


def _people_and_account(given: dict[str, str]) -> tuple[User, AwsAccount]:
    ada = User.objects.create_user("ada", "ada@example.com", role=Role.ADMIN)
    account = AwsAccount.objects.create(
        alias="development", account_id=given["account"], auth_method=AuthMethod.ACCESS_KEY, capabilities=["ec2.operate"]
    )
    credentials.store(account=account, key=KeyInput(given["key"], given["secret"]))
    return ada, account


def _work(given: dict[str, str]) -> None:
    """A worker that heard the bell once."""
    operations.run(operation_id=Operation.objects.get().pk)


def _sweep(given: dict[str, str]) -> None:
    """What beat rings and a worker then does. Nothing else tells of the operation: every message was lost."""
    operations.tick()
    for pk in Operation.objects.filter(moves.due()).values_list("pk", flat=True):
        operations.run(operation_id=pk)
    _tell(given)


def _tell(given: dict[str, str]) -> None:
    operation = Operation.objects.get()
    told = {
        name: getattr(operation, name) for name in ("status", "phase", "accepted", "attempts", "outcome_code", "outcome_detail")
    }
    trail = list(AuditEvent.objects.filter(subject=str(operation.pk)).order_by("seq").values_list("action", flat=True))
    print(json.dumps({**told, "trail": trail}))  # noqa: T201 - the parent reads it


def _prepare_rule(given: dict[str, str]) -> None:
    """An armed rule that starts one stopped instance while the given one is busy."""
    ada, account = _people_and_account(given)
    now = clock.now()
    spare = Instance.objects.create(
        account=account, region=given["region"], instance_id="i-00000000000000001", name="spare", state="stopped",
        instance_type="t3.micro", observed_at=now, first_seen_at=now,
    )  # fmt: skip
    wanted = scaling_rules.WantedRule(
        name="Spare", account=account, region=given["region"], kind=Kind.INSTANCE, watched=given["instance"], metric="cpu",
        statistic=Statistic.AVERAGE, period_s=300, start_above=70, stop_below=30, needed=2, window=3, cooldown=timedelta(),
        starts_per_hour=9, instances=[spare.instance_id],
    )  # fmt: skip
    scaling_rules.arm(plan=scaling_rules.create(wanted=wanted, by=ada), by=ada)


def _beat(given: dict[str, str]) -> None:
    """What the scheduler rings; every message is lost."""
    automation.scaling_tick()


def _read(given: dict[str, str]) -> None:
    """A worker that heard the bell once."""
    automation.run_scaling_rules(account_id=AwsAccount.objects.get().pk, region=given["region"])


def _tell_rule(given: dict[str, str]) -> None:
    told = {
        "slots": list(Slot.objects.order_by("at").values_list("status", "detail")),
        "decisions": Decision.objects.count(),
        "operations": list(Operation.objects.values_list("action", flat=True)),
    }
    print(json.dumps(told))  # noqa: T201 - the parent reads it


def _prepare_quotas(given: dict[str, str]) -> None:
    """An account whose quotas are to be read in one region."""
    _, account = _people_and_account(given)
    account.capabilities, account.enabled_regions, account.status = ["quotas.read"], [given["region"]], "ok"
    account.save()
    places.ensure()


def _tell_quotas(given: dict[str, str]) -> None:
    place = QuotaPlace.objects.get()
    told = {
        "minutes": list(ModelMinute.objects.order_by("at").values_list("input_tokens", flat=True)),
        "samples": [int(used) for used in QuotaSample.objects.filter(quota__code="L-417A185B").values_list("usage", flat=True)],
        "quotas": Quota.objects.present().count(),
        "used": list(Quota.objects.exclude(usage=None).exclude(usage=0).order_by("code").values_list("code", flat=True)),
        "alerts": list(Alert.objects.order_by("pk").values_list("severity", flat=True)),
        "read": place.limits_at is not None,
        "left": place.services_left,
    }
    print(json.dumps(told))  # noqa: T201 - the parent reads it


def _reads(name: str) -> Callable[[dict[str, str]], None]:
    """A worker that heard the bell once, and whose turn it is; the other one's turn was over, or is not."""

    def read(given: dict[str, str]) -> None:
        getattr(quotas, name)()

    return read


_COMMANDS = {
    "prepare": _prepare,
    "work": _work,
    "sweep": _sweep,
    "tell": _tell,
    "prepare_rule": _prepare_rule,
    "beat": _beat,
    "read": _read,
    "tell_rule": _tell_rule,
    "prepare_quotas": _prepare_quotas,
    "limits": _reads("read_limits"),
    "series": _reads("find_series"),
    "minutes": _reads("sample_minutes"),
    "metrics": _reads("sample_metrics"),
    "tell_quotas": _tell_quotas,
}
