from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from cloudconsole.environment import environment


@pytest.fixture(autouse=True)
def sound(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation with nothing to complain about."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    settings.VAR_DIR = tmp_path
    settings.DEBUG = False
    settings.DEMO_DATA = False
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
    settings.SECRET_KEY, settings.FERNET_KEYS, settings.AUDIT_KEY = "s" * 50, ["f" * 43], "a" * 43
    settings.REDIS_URL = ""
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.sqlite3")


def complaints() -> set[str]:
    return {
        str(message.id)
        for message in run_checks(tags=["security", "installation"])
        if str(message.id).startswith("cloudconsole.")
    }


def test_a_sound_installation_has_no_complaints() -> None:
    assert complaints() == set()


def test_debug_for_others_is_an_error(settings: Any) -> None:
    settings.DEBUG, settings.ALLOWED_HOSTS = True, ["console.example.com"]
    assert "cloudconsole.E001" in complaints()


def test_one_key_for_two_purposes_is_an_error(settings: Any) -> None:
    settings.AUDIT_KEY = settings.FERNET_KEYS[0]
    assert complaints() == {"cloudconsole.E002"}


def test_secrets_that_others_can_read_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secret_key").touch(mode=0o644)
    assert complaints() == {"cloudconsole.E003"}


def test_no_https_for_others_is_a_warning(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["console.example.com"]
    assert complaints() == {"cloudconsole.W001"}
    settings.SESSION_COOKIE_SECURE = True
    assert complaints() == set()


def test_a_shared_database_without_a_shared_broker_is_a_warning(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", "django.db.backends.postgresql")
    assert complaints() == {"cloudconsole.W003"}
    settings.REDIS_URL = "redis://redis/0"
    assert complaints() == set()


def test_redis_beside_sqlite_is_a_warning(settings: Any) -> None:
    settings.REDIS_URL = "redis://redis/0"
    assert complaints() == {"cloudconsole.W002"}


def test_any_host_name_is_a_warning(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE = ["*"], True
    assert complaints() == {"cloudconsole.W004"}


def test_an_endpoint_that_is_not_aws_is_a_warning_where_others_see_it(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    assert complaints() == set()
    settings.ALLOWED_HOSTS, settings.SESSION_COOKIE_SECURE = ["console.example.com"], True
    assert complaints() == {"cloudconsole.W005"}


def test_a_short_fernet_key_is_a_warning(settings: Any) -> None:
    settings.FERNET_KEYS = ["short"]
    assert complaints() == {"cloudconsole.W006"}


@pytest.mark.parametrize("everything", ["0.0.0.0/0", "::/0"])
def test_a_private_network_of_everything_is_an_error(settings: Any, everything: str) -> None:
    settings.EGRESS_ALLOW_CIDRS = [ip_network("192.168.1.0/24")]
    assert complaints() == set()
    settings.EGRESS_ALLOW_CIDRS = [ip_network(everything)]
    assert complaints() == {"cloudconsole.E007"}


@pytest.mark.parametrize("wrong", ["192.168.1.7/24", "printer.local", "10.0.0.0/33", "10.0.0.0 - 10.0.0.9"])
def test_a_network_that_is_none_is_said_at_the_start(wrong: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EGRESS_ALLOW_CIDRS", wrong)
    with pytest.raises(ImproperlyConfigured, match="EGRESS_ALLOW_CIDRS takes networks"):
        environment(tmp_path)


def test_an_engine_that_is_none_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COST_ENGINE", "spark")
    with pytest.raises(ImproperlyConfigured, match="COST_ENGINE"):
        environment(tmp_path)
