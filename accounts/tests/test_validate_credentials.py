"""`manage.py validate_credentials`: the terminal says what the pages say, and the exit code tells programs."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.tests.conftest import Connect
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle


def _ran(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("validate_credentials", *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_working_account_prints_each_capability_and_ends_with_zero(connect: Connect) -> None:
    connect("development")
    code, text = _ran("development")
    assert code == 0
    assert "development (433333333333, access key): Connected" in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith("  costs")] == [["costs", "ok"]]


def test_keys_that_aws_refuses_are_told_in_its_words_with_meaning_and_remedy(
    connect: Connect, simulator: SimulatorHandle
) -> None:
    connect("development")
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED, times=9))
    code, text = _ran("433333333333")
    assert code == 2
    assert "ExpiredToken: The security token included in the request is expired" in text
    assert "The session token of these credentials has expired." in text
    assert "→ Enter fresh temporary credentials" in text


def test_a_missing_right_ends_with_three_and_names_the_action(connect: Connect) -> None:
    connect("no-cost-explorer")
    code, text = _ran()
    assert code == 3
    assert "AccessDenied: For this identity no policy allows ce:GetCostAndUsage." in text


def test_a_role_says_whether_it_insists_on_its_external_id(connect: Connect, connect_role: Connect) -> None:
    role = connect_role(connect("hub"), enforced=False)
    code, text = _ran(role.alias)
    assert code == 3
    assert "The role can be assumed without its external id." in text
    assert "external_id_not_required" in text


def test_all_accounts_are_told_as_json_by_alias(connect: Connect) -> None:
    connect("development")
    code, text = _ran("--json")
    found = json.loads(text)["development"]
    assert (code, found["status"], found["capabilities"]["costs"]["status"]) == (0, "ok", "ok")


@pytest.mark.parametrize("arguments", [(), ("nobody",)])
def test_nothing_to_validate_is_a_failure(db: None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        _ran(*arguments)
