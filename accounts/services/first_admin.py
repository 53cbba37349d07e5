"""The first admin, from the environment, so that a new installation can be entered."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from accounts.services import people
from cloudconsole.core.permissions import Role


@dataclass(frozen=True)
class FirstAdmin:
    """`made` False: there was an active admin already. `password` is filled only when it was made up here, and only now."""

    made: bool
    username: str = ""
    password: str = field(default="", repr=False)


@transaction.atomic
def ensure(*, username: str, email: str = "", password: str = "") -> FirstAdmin:
    """Make an admin when there is none. Raises InvalidPerson or NameTaken. Running it twice makes one."""
    if User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).exists():
        return FirstAdmin(made=False)
    made_up = "" if password else secrets.token_urlsafe(15)
    new = people.NewUser(username=username, email=email, password=password or made_up, role=Role.ADMIN)
    user = people.create_user(new=new, by=None)
    return FirstAdmin(made=True, username=user.username, password=made_up)
