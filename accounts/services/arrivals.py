"""People who come by single sign-on: who they are here, and the role that their groups give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.rules import group_roles
from accounts.services import people
from accounts.services.people import LastAdmin, NewUser
from audit import services as audit
from audit import verbs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Role

_MAX_NAMESAKES = 100


class ArrivalRefused(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "sign_in_refused"
    title = "Sign-in was refused"


@dataclass(frozen=True)
class Arrival:
    """What a provider says about somebody, its token verified. `issued_at`: seconds since 1970."""

    provider: str
    uid: str
    username: str
    email: str
    groups: frozenset[str]
    issued_at: int

    @classmethod
    def from_claims(cls, provider: str, groups_claim: str, claims: Mapping[str, Any]) -> Arrival:
        named = next((claims[name] for name in _NAMES if claims.get(name)), claims["sub"])
        groups = claims.get(groups_claim) or []
        listed = [groups] if isinstance(groups, str) else groups
        email = str(claims.get("email") or "").lower() if claims.get("email_verified") in (True, "true") else ""
        return cls(provider, str(claims["sub"]), str(named), email, frozenset(map(str, listed)), int(claims["iat"]))


_NAMES = ("preferred_username", "cognito:username", "username", "email")


def arrive(*, arrival: Arrival) -> User:
    """Whom the provider means: known by its `sub` and nothing else, made on the first visit, with the role of today's groups.

    Raises ArrivalRefused for whom no group lets in and for deactivated people.
    """
    role = _role_of(arrival)
    if role is None:
        _refuse(arrival, "None of your groups may use this installation.")
    try:
        with transaction.atomic():
            user = _follow(arrival, role)
    except IntegrityError:  # the same first visit twice at once: the other one has made the person
        with transaction.atomic():
            user = _follow(arrival, role)
    if not user.is_active:
        _refuse(arrival, "This account is deactivated.")
    return user


def _role_of(arrival: Arrival) -> Role | None:
    given = settings.SINGLE_SIGN_ON
    return group_roles.role_of_groups(arrival.groups, given.group_roles, given.default_role, Role(given.max_role))


def _follow(arrival: Arrival, role: Role) -> User:
    known = SocialAccount.objects.select_related("user").filter(provider=arrival.provider, uid=arrival.uid).first()
    if known is None:
        return _make(arrival, role)
    # A token from before the last sign-in says what the groups were then.
    if known.user.is_active and arrival.issued_at > known.extra_data.get("followed", 0):
        SocialAccount.objects.filter(pk=known.pk).update(extra_data={"followed": arrival.issued_at})
        if settings.SINGLE_SIGN_ON.group_roles and known.user.role != role:
            return _change_role(known.user, role, arrival)
    user: User = known.user
    return user


def _change_role(user: User, role: Role, arrival: Arrival) -> User:
    detail = {"to": role.value, "provider": arrival.provider}
    try:
        with transaction.atomic():
            user = people.change_role(user=user, role=role, by=None)
    except LastAdmin:
        audit.record(verbs.SINGLE_SIGN_ON_LAST_ADMIN, actor=None, subject=user.username, outcome="refused", detail=detail)
        return user
    audit.record(verbs.SINGLE_SIGN_ON_ROLE, actor=None, subject=user.username, detail=detail)
    return user


def _make(arrival: Arrival, role: Role) -> User:
    new = NewUser(_free_name(arrival.username), _free_email(arrival.email), role=role)
    user = people.create_user(new=new, by=None)
    SocialAccount.objects.create(
        user=user, provider=arrival.provider, uid=arrival.uid, extra_data={"followed": arrival.issued_at}
    )
    return user


def _free_name(wanted: str) -> str:
    """`wanted`, or with a number when somebody here has it: nobody becomes another person by having their name elsewhere.

    Of an e-mail address, which many providers give as the name, what stands before the “@”.
    """
    name = "".join(letter for letter in wanted.partition("@")[0] if letter.isalnum() or letter in ".+-_")[:140] or "person"
    taken = set(User.objects.filter(username__istartswith=name).values_list("username", flat=True))
    lowered = {other.lower() for other in taken}
    names = [name, *(f"{name}-{number}" for number in range(2, _MAX_NAMESAKES))]
    return next((free for free in names if free.lower() not in lowered), name)


def _free_email(email: str) -> str:
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return "" if User.objects.filter(email__iexact=email).exists() else email


@transaction.atomic
def _record_refusal(arrival: Arrival) -> None:
    detail = {"provider": arrival.provider}
    audit.record(verbs.SIGN_IN_REFUSED, actor=None, subject=arrival.username, outcome="refused", detail=detail)


def _refuse(arrival: Arrival, why: str) -> NoReturn:
    _record_refusal(arrival)
    raise ArrivalRefused(why)
