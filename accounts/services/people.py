"""People: making them, their role, what they are granted, and ending what they may do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import AwsAccount, Grant, User
from audit import services as audit
from audit import verbs
from audit.verbs import Verb
from cloudconsole import realtime
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Role


class InvalidPerson(CloudconsoleError):
    """An input that no person can have; `attr` names it."""

    code = "invalid_person"
    title = "The input is not valid"


class NameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "name_taken"
    title = "The name is taken"


class LastAdmin(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "last_admin"
    title = "The last admin cannot be lost"


class SignupClosed(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "signup_closed"
    title = "Sign-up is closed"


@dataclass(frozen=True)
class NewUser:
    """`password` empty: the person cannot sign in with one until it is set."""

    username: str
    email: str = ""
    password: str = field(default="", repr=False)
    role: Role = Role.VIEWER


@dataclass(frozen=True)
class PersonChanges:
    """What to change; None leaves it as it is."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    role: str | None = None
    is_active: bool | None = None


@dataclass(frozen=True)
class GrantInput:
    """A role on one AWS account, by primary key, or on all of them with None."""

    account: int | None
    role: Role


def create_user(*, new: NewUser, by: User | None) -> User:
    """Make a person. Raises InvalidPerson or NameTaken. `by` is None for the first admin, whom nobody made."""
    return _create(new, by=by, verb=verbs.USER_CREATED)


def make_first_admin(*, new: NewUser) -> User:
    """Make the first admin in a browser; `services.first_admin` decides whether. Raises InvalidPerson or NameTaken."""
    return _create(new, by=None, verb=verbs.FIRST_ADMIN_MADE)


def sign_up(*, new: NewUser) -> User:
    """Make oneself: a viewer without grants, where the installation is open to it. Raises SignupClosed.

    Where e-mail can be sent, the address has to be proven before the first sign-in.
    """
    if settings.SIGNUP != "open":
        raise SignupClosed("Ask an administrator of this installation for an account.")
    plain = NewUser(new.username, new.email, new.password)
    return _create(plain, by=None, verb=verbs.USER_SIGNED_UP, awaits_verification=settings.EMAIL_CONFIGURED)


def join(*, new: NewUser) -> User:
    """Make oneself after an invitation; `services.invitations` decides whether and as what."""
    return _create(new, by=None, verb=verbs.USER_SIGNED_UP)


def check_new(*, new: NewUser) -> None:
    """Raises InvalidPerson or NameTaken for what nobody could sign up with, whether or not the address is known here."""
    username = User.normalize_username(new.username).strip()
    _refuse_taken(username, "")
    _check(User(username=username, email=new.email.strip().lower()), new.password)


def check_email(*, user: User, email: str) -> None:
    """Raises InvalidPerson or NameTaken for an address that `user` cannot have."""
    _refuse_taken("", email)
    _check(User(username=user.username, email=email))


@transaction.atomic
def email_was_proven(*, user: User) -> None:
    """Somebody who signed up opened the link that was sent to their address."""
    if User.objects.filter(pk=user.pk, awaits_verification=True).update(awaits_verification=False):
        audit.record(verbs.EMAIL_VERIFIED, actor=None, subject=user.username)


@transaction.atomic
def change_role(*, user: User, role: Role, by: User | None) -> User:
    """Give `user` another role. Raises LastAdmin."""
    admins, user = _hold_admins(), _locked(user)
    if user.role == role:
        return user
    if user.is_admin:
        _refuse_losing_last_admin(user, admins)
    before, user.role = user.role, role
    user.save(update_fields=["role"])
    audit.record(verbs.USER_ROLE_CHANGED, actor=by, subject=user.username, detail={"before": before, "to": role.value})
    return user


@transaction.atomic
def deactivate(*, user: User, by: User | None) -> User:
    """End every session and token of `user` and let them in no more. What they did stays theirs. Raises LastAdmin."""
    admins, user = _hold_admins(), _locked(user)
    if not user.is_active:
        return user
    if user.is_admin:
        _refuse_losing_last_admin(user, admins)
    user.is_active = False
    user.save(update_fields=["is_active"])
    _end_all_access(user)
    audit.record(verbs.USER_DEACTIVATED, actor=by, subject=user.username)
    return user


@transaction.atomic
def activate(*, user: User, by: User | None) -> User:
    """Let a deactivated person in again. Tokens from before stay dead."""
    user = _locked(user)
    if not user.is_active:
        user.is_active = True
        user.save(update_fields=["is_active"])
        audit.record(verbs.USER_REACTIVATED, actor=by, subject=user.username)
    return user


@transaction.atomic
def change(*, user: User, changes: PersonChanges, by: User) -> User:
    """All of `changes`, or none. Raises InvalidPerson, NameTaken, LastAdmin."""
    _hold_admins()
    user = change_profile(user=user, changes=changes, by=by)
    if changes.role is not None:
        user = change_role(user=user, role=Role(changes.role), by=by)
    if changes.is_active is not None:
        user = (activate if changes.is_active else deactivate)(user=user, by=by)
    return user


@transaction.atomic
def change_profile(*, user: User, changes: PersonChanges, by: User) -> User:
    """Change what a person is called and where they are reached, and nothing else. Raises InvalidPerson, NameTaken."""
    user = _locked(user)
    email = None if changes.email is None else changes.email.strip().lower()
    given = {"email": email, "first_name": changes.first_name, "last_name": changes.last_name}
    changed = {name: value for name, value in given.items() if value is not None and value != getattr(user, name)}
    if not changed:
        return user
    _refuse_taken("", changed.get("email", ""))
    for name, value in changed.items():
        setattr(user, name, value)
    _check(user)
    _save(user, "", email or "", update_fields=list(changed))
    if "email" in changed:
        EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()  # a reset link goes there no more
    audit.record(verbs.USER_CHANGED, actor=by, subject=user.username, detail={"fields": ", ".join(sorted(changed))})
    return user


@transaction.atomic
def set_password(*, user: User, password: str, by: User | None) -> User:
    """Replace the password; every session and token from before ends. Raises InvalidPerson for a weak one.

    `by` is None when it is set through a reset link.
    """
    user = _locked(user)
    _check_password(user, password)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_tokens(user=user)
    audit.record(verbs.PASSWORD_CHANGED if by else verbs.PASSWORD_RESET, actor=by, subject=user.username)
    return user


@transaction.atomic
def password_was_set(*, user: User, by: User | None) -> None:
    """What follows a new password that Django's own form has set: every token from before ends."""
    end_tokens(user=user)
    audit.record(verbs.PASSWORD_CHANGED, actor=by, subject=user.username)


@transaction.atomic
def password_link_was_made(*, user: User, by: User) -> None:
    """Write down that an admin holds a link with which the password of `user` can be set."""
    audit.record(verbs.PASSWORD_LINK_MADE, actor=by, subject=user.username)


@transaction.atomic
def give_grant(*, user: User, account: AwsAccount | None, role: Role, by: User) -> Grant:
    """Let `user` act with `role` on `account`, or on every account with None, in place of what they had there."""
    if role == Role.ADMIN:
        raise InvalidPerson("Admin is a role of a person, not of a grant.", attr="role")
    _locked(user)
    grant, _ = Grant.objects.update_or_create(user=user, account=account, defaults={"role": role})
    audit.record(verbs.GRANT_CHANGED, actor=by, subject=user.username, account=account, detail={"role": role.value})
    return grant


@transaction.atomic
def take_grant(*, grant: Grant, by: User) -> None:
    """End a grant."""
    grant.delete()
    subject = grant.user.username
    audit.record(verbs.GRANT_CHANGED, actor=by, subject=subject, account=grant.account, detail={"role": "none"})


@transaction.atomic
def replace_grants(*, user: User, grants: Sequence[GrantInput], by: User) -> list[Grant]:
    """Make `grants` the only ones of `user`. Raises InvalidPerson for an unknown account or one that is named twice."""
    user = _locked(user)
    wanted = {grant.account: grant.role for grant in grants}
    if len(wanted) != len(grants):
        raise InvalidPerson("An account is named twice.", attr="account")
    if Role.ADMIN in wanted.values():
        raise InvalidPerson("Admin is a role of a person, not of a grant.", attr="role")
    numbers = [pk for pk in wanted if pk is not None]
    if AwsAccount.objects.filter(pk__in=numbers, deleted_at=None).count() != len(numbers):
        raise InvalidPerson("There is no such AWS account.", attr="account")
    Grant.objects.filter(user=user).delete()
    made = Grant.objects.bulk_create(Grant(user=user, account_id=pk, role=role) for pk, role in wanted.items())
    audit.record(verbs.GRANTS_REPLACED, actor=by, subject=user.username, detail={"grants": _in_words(made)})
    return made


@transaction.atomic
def sign_out_everywhere(*, user: User, by: User) -> None:
    """End every session and token of `user`, personal access tokens included. They may sign in again."""
    user = _locked(user)
    _end_all_access(user)
    audit.record(verbs.SIGNED_OUT_EVERYWHERE, actor=by, subject=user.username)


@transaction.atomic
def end_sessions(*, user: User) -> None:
    """One's own "sign out everywhere": every session, access and refresh token. Personal access tokens are ended one by one."""
    end_tokens(user=user)
    audit.record(verbs.SIGNED_OUT_EVERYWHERE, actor=user, subject=user.username, detail={"kept": "personal access tokens"})


def seen(*, user: User) -> None:
    """Note that `user` is here."""
    User.objects.filter(pk=user.pk).update(last_seen_at=clock.now())


def end_tokens(*, user: User) -> None:
    """End every session, access and refresh token that was made so far."""
    User.objects.filter(pk=user.pk).update(token_version=F("token_version") + 1)
    user.refresh_from_db(fields=["token_version"])
    realtime.recheck(user.pk)


@transaction.atomic
def _create(new: NewUser, *, by: User | None, verb: Verb, awaits_verification: bool = False) -> User:
    # As it will be kept: full-width letters, for one, become plain ones, and the name may be taken then.
    username, email = User.normalize_username(new.username).strip(), new.email.strip().lower()
    _refuse_taken(username, email)
    user = User(username=username, email=email, role=new.role)
    user.awaits_verification = awaits_verification
    _check(user, new.password)
    user.set_password(new.password or None)
    _save(user, username, email, force_insert=True)
    audit.record(verb, actor=by, subject=user.username, detail={"to": user.role})
    return user


def _end_all_access(user: User) -> None:
    end_tokens(user=user)
    user.personal_tokens.all().delete()


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _hold_admins() -> list[User]:
    """Every active admin, held in one order and before any other row: two admins cannot demote each other at once."""
    return list(User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True).order_by("pk"))


def _refuse_losing_last_admin(user: User, admins: Sequence[User]) -> None:
    if [admin.pk for admin in admins] == [user.pk]:
        raise LastAdmin("Make another person an admin first.")


def _save(user: User, username: str, email: str, **how: Any) -> None:
    """Save, and tell what was taken when two people were given it at the same time."""
    try:
        with transaction.atomic():
            user.save(**how)
    except IntegrityError:
        _refuse_taken(username, email)
        raise


def _refuse_taken(username: str, email: str) -> None:
    if username and User.objects.filter(username__iexact=username).exists():
        raise NameTaken("This name is taken.", attr="username")
    if email and User.objects.filter(email__iexact=email).exists():
        raise NameTaken("This e-mail address is taken.", attr="email")


def _check(user: User, password: str = "") -> None:
    if "@" in user.username:
        # Sign-in takes either: a name that reads as an address could be another person's address.
        raise InvalidPerson("A user name may not contain “@”.", attr="username")
    try:
        user.clean_fields(exclude=["password"])
    except ValidationError as error:
        attr, messages = next(iter(error.message_dict.items()))
        raise InvalidPerson(messages[0], attr=attr) from error
    if password:
        _check_password(user, password)


def _check_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidPerson(" ".join(error.messages), attr="password") from error


def _in_words(grants: Sequence[Grant]) -> str:
    return ", ".join(f"{grant.account_id or 'all accounts'}: {grant.role}" for grant in grants) or "none"
