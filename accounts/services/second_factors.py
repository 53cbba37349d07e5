"""Second factors: asked for when signing in to the API, written down, and taken away from people who lost theirs."""

from __future__ import annotations

from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.db import transaction

from accounts.models import User
from accounts.services import people
from audit import services as audit
from audit import verbs
from cloudconsole.core.errors import CloudconsoleError, Kind

_ASKED_FOR = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class NoSecondFactor(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_second_factor"
    title = "There is no second factor"


def is_asked_of(user: User) -> bool:
    """Whether a password alone does not sign `user` in."""
    return bool(is_mfa_enabled(user, _ASKED_FOR))


def accepts(*, user: User, code: str) -> bool:
    """Whether `code` is of the person's authenticator app, or an unused recovery code, which it then uses up.

    Raises ValidationError after too many wrong ones.
    """
    form = AuthenticateForm(user=user, data={"code": code})
    if form.is_valid():
        form.authenticator.record_usage()
        return True
    if any(error.code == "too_many_login_attempts" for error in form.errors.as_data().get("code", [])):
        raise form.errors.as_data()["code"][0]
    return False


@transaction.atomic
def was_refused(*, user: User) -> None:
    """Write down a wrong code."""
    audit.record(verbs.SIGN_IN_FAILED, actor=None, subject=user.username, outcome="failure", detail={"at": "second factor"})


@transaction.atomic
def was_added(*, user: User, kind: str) -> None:
    audit.record(verbs.SECOND_FACTOR_ADDED, actor=user, subject=user.username, detail={"kind": kind})


@transaction.atomic
def was_renamed(*, user: User, name: str) -> None:
    audit.record(verbs.SECOND_FACTOR_RENAMED, actor=user, subject=user.username, detail={"name": name})


@transaction.atomic
def was_removed(*, user: User, kind: str) -> None:
    audit.record(verbs.SECOND_FACTOR_REMOVED, actor=user, subject=user.username, detail={"kind": kind})


@transaction.atomic
def recovery_codes_were_made(*, user: User) -> None:
    audit.record(verbs.RECOVERY_CODES_MADE, actor=user, subject=user.username)


@transaction.atomic
def remove_all(*, user: User, by: User) -> None:
    """Let `user` in by password alone again, because they lost what they had. Raises NoSecondFactor."""
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise NoSecondFactor(f"{user.username} has no second factor.")
    people.end_tokens(user=user)
    audit.record(verbs.SECOND_FACTOR_REMOVED, actor=by, subject=user.username, detail={"kind": "all of them"})
