"""The first admin, so that a new installation can be entered: from the environment, or made in a browser with a setup code."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from accounts.models import FirstRun, User
from accounts.services import people
from audit import services as audit
from audit import verbs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Role


class FirstRunOver(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "first_run_over"
    title = "This installation has its first admin"


class WrongSetupCode(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "wrong_setup_code"
    title = "The setup code is wrong"


@dataclass(frozen=True)
class FirstAdmin:
    """`made` False: there was an active admin already. `password` is filled only when it was made up here, and only now."""

    made: bool
    username: str = ""
    password: str = field(default="", repr=False)


@transaction.atomic
def ensure(*, username: str, email: str = "", password: str = "") -> FirstAdmin:
    """Make an admin when there is none. Raises InvalidPerson or NameTaken. Running it twice makes one, also at once."""
    FirstRun.objects.get_or_create(pk=1)
    if User.objects.filter(role=Role.ADMIN, is_active=True).exists():
        return FirstAdmin(made=False)
    made_up = "" if password else secrets.token_urlsafe(15)
    new = people.NewUser(username=username, email=email, password=password or made_up, role=Role.ADMIN)
    user = people.create_user(new=new, by=None)
    return FirstAdmin(made=True, username=user.username, password=made_up)


def is_awaited() -> bool:
    """Whether the first admin may be made in a browser: there never was one, and the environment names none."""
    if settings.ADMIN_GIVEN or User.objects.filter(role=Role.ADMIN).exists():
        return False
    return not FirstRun.objects.exists()


def is_empty() -> bool:
    """Whether nobody at all could sign in."""
    return not User.objects.exists()


def setup_code() -> str:
    """What proves that somebody who makes the first admin can read this server's log or use its terminal.

    100 bits of a keyed hash: the same in every process, stored nowhere, worth nothing once there is an admin.
    """
    digest = salted_hmac("accounts.first_run", "setup code", algorithm="sha256").digest()
    letters = base64.b32encode(digest).decode()[:20]
    return "-".join(letters[start : start + 5] for start in range(0, 20, 5))


def make(*, code: str, username: str, email: str, password: str) -> User:
    """The first admin, by whoever has the setup code. Raises FirstRunOver, WrongSetupCode, InvalidPerson, NameTaken."""
    if not is_awaited():
        raise FirstRunOver("The first admin was made already.")
    if not hmac.compare_digest(_plain(code).encode(), _plain(setup_code()).encode()):
        _record_refusal()
        raise WrongSetupCode("That is not this installation's setup code.", attr="code")
    with transaction.atomic():
        _close()
        return people.make_first_admin(new=people.NewUser(username, email, password, role=Role.ADMIN))


def _close() -> None:
    try:
        with transaction.atomic():
            FirstRun.objects.create(pk=1)
    except IntegrityError:
        raise FirstRunOver("Somebody else has made the first admin just now.") from None


def _plain(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter.isalnum())


@transaction.atomic
def _record_refusal() -> None:
    audit.record(verbs.SETUP_REFUSED, actor=None, outcome="refused")
