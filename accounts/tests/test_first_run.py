"""The first admin, made in a browser by whoever can read the server's log or use its terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from accounts.models import FirstRun, User
from accounts.services import first_admin
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.environment import SingleSignOn
from conftest import PASSWORD

pytestmark = pytest.mark.django_db
ROOT = {"username": "root", "email": "root@example.com", "password": PASSWORD}


@pytest.fixture(autouse=True)
def _nobody_named(settings: Any) -> None:
    settings.ADMIN_GIVEN = False


def printed() -> str:
    """The setup code as the terminal tells it."""
    out = StringIO()
    call_command("ensure_admin", "--json", stdout=out)
    return str(json.loads(out.getvalue())["setup_code"])


def make(client: Client, **changes: str) -> Any:
    return client.post("/first-run", {"code": printed(), **ROOT, **changes})


def test_opening_a_new_installation_leads_to_making_the_first_admin() -> None:
    client = Client()
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1][0] == "/first-run"
    assert printed() not in page.content.decode()
    assert make(client)["Location"] == "/"
    assert client.get("/api/auth/me").json()["role"] == "admin"
    event = AuditEvent.objects.get(action="user.first_admin_made")
    assert (event.subject, event.detail["to"]) == ("root", "admin")


def test_the_code_is_taken_as_people_type_it() -> None:
    assert make(Client(), code=f" {printed().lower().replace('-', ' ')} ")["Location"] == "/"


def test_opening_the_page_shows_the_code_in_the_log_and_not_for_every_visitor(caplog: pytest.LogCaptureFixture) -> None:
    code = printed()
    for _ in range(3):
        assert code not in Client().get("/first-run").content.decode()
    assert caplog.text.count(code) == 1


@pytest.mark.parametrize("code", ["", "AAAAA-AAAAA-AAAAA-AAAAA", "ü"])
def test_without_the_code_nobody_becomes_admin(code: str) -> None:
    answer = make(Client(), code=code)
    assert answer.status_code in (400, 403)
    assert answer.context["form"].errors["code"]
    assert not User.objects.exists()
    assert AuditEvent.objects.filter(action="session.setup_refused").count() == (1 if code else 0)


def test_guessing_the_code_is_throttled() -> None:
    client = Client()
    assert [make(client, code="guess").status_code for _ in range(11)] == [403] * 10 + [429]
    assert make(client).status_code == 429
    assert not User.objects.exists()


def test_a_weak_password_is_refused_at_its_field_and_the_page_stays_open() -> None:
    client = Client()
    answer = make(client, password="short")
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["password"])
    assert make(client)["Location"] == "/"


def test_the_page_is_closed_for_ever_after_the_first_admin() -> None:
    code = printed()
    make(Client())
    assert printed() == ""
    for _ in range(2):
        client = Client()
        assert client.get("/first-run")["Location"] == "/sign-in"
        assert make(client, code=code, username="second", email="")["Location"] == "/sign-in"
        assert not User.objects.filter(username="second").exists()
        User.objects.all().delete()  # as somebody with the database might


def test_an_admin_from_the_environment_closes_it_too(settings: Any) -> None:
    code = printed()
    first_admin.ensure(username="root", password=PASSWORD)
    User.objects.all().delete()
    assert make(Client(), code=code)["Location"] == "/sign-in"


def test_it_is_never_open_while_the_environment_names_an_admin(settings: Any) -> None:
    code = printed()
    settings.ADMIN_GIVEN = True
    assert make(Client(), code=code)["Location"] == "/sign-in"
    assert Client().get("/sign-in").status_code == 200


def test_somebody_who_signs_up_before_the_admin_does_not_lock_the_admin_out(settings: Any) -> None:
    settings.SIGNUP = "open"
    Client().post("/sign-up", {"username": "early", "email": "early@example.com", "password1": PASSWORD})
    client = Client()
    assert 'href="/first-run"' in client.get("/sign-in").content.decode()
    assert make(client)["Location"] == "/"
    assert 'href="/first-run"' not in Client().get("/sign-in").content.decode()


def test_where_people_come_by_single_sign_on_the_sign_in_page_stays_in_sight(settings: Any) -> None:
    settings.SINGLE_SIGN_ON = SingleSignOn(issuer="http://127.0.0.1:9", client_id="console")
    page = Client().get("/sign-in").content.decode()
    assert 'href="/sign-in/with/oidc"' in page
    assert 'href="/first-run"' in page


def test_two_who_try_at_once_make_one_admin(threads: Callable[..., None], settings: Any) -> None:
    code, answers = printed(), dict[str, str]()

    def trying(name: str) -> Callable[[], None]:
        def run() -> None:
            answers[name] = make(Client(), code=code, username=name, email="")["Location"]

        return run

    threads(trying("one"), trying("other"), trying("third"), lambda: call_command("ensure_admin", stdout=StringIO()))
    assert sorted(answers.values()) == ["/", "/sign-in", "/sign-in"]
    assert User.objects.filter(role=Role.ADMIN).count() == FirstRun.objects.count() == 1
