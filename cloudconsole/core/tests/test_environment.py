from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from cloudconsole.environment import VARIABLES, environment


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable.name, raising=False)
        monkeypatch.delenv(f"{variable.name}_FILE", raising=False)
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))


def test_secrets_are_made_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    first, second = environment(tmp_path), environment(tmp_path)
    assert (first.secret_key, first.fernet_keys, first.audit_key) == (second.secret_key, second.fernet_keys, second.audit_key)
    assert len({first.secret_key, first.fernet_keys[0], first.audit_key}) == 3
    for path in (tmp_path / "var" / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    path.write_text("from-a-file\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(path))
    assert environment(tmp_path).secret_key == "from-a-file"


def test_several_fernet_keys_stay_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERNET_KEYS", "newest, older")
    assert environment(tmp_path).fernet_keys == ("newest", "older")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEBUG", "maybe"),
        ("HTTPS", "2"),
        ("SIGNUP", "sometimes"),
        ("COST_EXPLORER_MONTHLY_REQUEST_CAP", "-1"),
        ("COST_EXPLORER_MONTHLY_REQUEST_CAP", "many"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        environment(tmp_path)
