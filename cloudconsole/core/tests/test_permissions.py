from __future__ import annotations

import pytest

from cloudconsole.core.permissions import ROLE_PERMISSIONS, Perm, Role, lower_of, roles_with


def test_every_role_carries_all_that_the_role_below_it_carries() -> None:
    assert ROLE_PERMISSIONS[Role.VIEWER] < ROLE_PERMISSIONS[Role.OPERATOR] < ROLE_PERMISSIONS[Role.ADMIN]


def test_an_admin_may_do_everything() -> None:
    assert ROLE_PERMISSIONS[Role.ADMIN] == set(Perm)


def test_viewers_look_and_do_not_touch() -> None:
    assert {Perm.COSTS_REFRESH, Perm.ACCOUNTS_MANAGE, Perm.PEOPLE_MANAGE}.isdisjoint(ROLE_PERMISSIONS[Role.VIEWER])


@pytest.mark.parametrize("permission", list(Perm))
def test_the_roles_with_a_permission_are_those_that_list_it(permission: Perm) -> None:
    assert all(permission in ROLE_PERMISSIONS[role] for role in roles_with(permission))
    assert Role.ADMIN in roles_with(permission)


def test_the_lower_of_two_roles_is_the_one_that_allows_less() -> None:
    assert lower_of(Role.OPERATOR, Role.VIEWER) == lower_of(Role.VIEWER, Role.ADMIN) == Role.VIEWER
    assert lower_of(Role.OPERATOR, Role.ADMIN) == Role.OPERATOR
