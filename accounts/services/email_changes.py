"""Changing one's own e-mail address: whoever has it can set a new password, so it takes proof of both.

That it is oneself is proven before (a recent sign-in, or the password); the new address by a link that is sent to it.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.services import people
from accounts.services.people import PersonChanges
from accounts.services.sign_in import LockedOut
from audit import services as audit
from audit import verbs
from cloudconsole.core.errors import CloudconsoleError, Kind

_LASTS_S = 24 * 3600
_PURPOSE = "accounts.email_change"


class LinkOver(CloudconsoleError):
    """Unknown, used or expired: the answer does not tell which."""

    kind = Kind.NOT_FOUND
    code = "email_link_over"
    title = "The link is over"


class ProofRequired(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "proof_required"
    title = "Prove that it is you"


def ask(*, user: User, email: str, request: HttpRequest) -> bool:
    """Change the address, or send a link to the new one where e-mail is set up. Whether it is changed already.

    Raises InvalidPerson, NameTaken, or what sending raises.
    """
    address = email.strip().lower()
    if address == user.email:
        return True
    if not (settings.EMAIL_CONFIGURED and address):
        _change(user, address)
        return True
    people.check_email(user=user, email=address)
    link = request.build_absolute_uri(reverse("confirm-email-change", args=[_key(user, address)]))
    get_adapter(request).send_mail("account/email/email_change", address, {"user": user, "link": link})
    _record(user)
    return False


def find(*, key: str) -> tuple[User, str]:
    """Whose address a link changes, and to what. Raises LinkOver."""
    try:
        given: dict[str, Any] = signing.loads(key, salt=_PURPOSE, max_age=_LASTS_S)
    except signing.BadSignature:
        raise LinkOver(_OVER) from None
    user = User.objects.filter(pk=given["user"], is_active=True).first()
    if user is None or (user.token_stamp(), user.email) != (given["stamp"], given["before"]):
        raise LinkOver(_OVER)
    return user, str(given["email"])


@transaction.atomic
def confirm(*, key: str) -> User:
    """The new address is proven. Raises LinkOver, or NameTaken when somebody else has it by now."""
    user, email = find(key=key)
    return _change(user, email)


def check_password(*, user: User, password: str, request: HttpRequest) -> None:
    """For programs, which cannot be led to a page. Failures count as those of signing in. Raises ProofRequired, LockedOut."""
    if not user.has_usable_password():
        raise ProofRequired("You have no password here. Change the address on the settings page, which asks your provider.")
    try:
        proven = bool(password) and get_adapter(request).authenticate(request, username=user.username, password=password) == user
    except ValidationError as error:
        raise LockedOut("Too many failed attempts. Try again in five minutes.") from error
    if not proven:
        raise ProofRequired("Send your password as `current_password` to change the address.", attr="current_password")


_OVER = "It was used before, has expired, or was made before a newer change."


def _change(user: User, email: str) -> User:
    before = user.email
    user = people.change_profile(user=user, changes=PersonChanges(email=email), by=user)
    if settings.EMAIL_CONFIGURED and before:
        told = {"new_email": email}
        transaction.on_commit(lambda: get_adapter().send_notification_mail("account/email/email_was_changed", user, told, before))
    return user


def _key(user: User, email: str) -> str:
    # Dead after the next change of the address, the password, or "sign out everywhere".
    return signing.dumps({"user": user.pk, "email": email, "before": user.email, "stamp": user.token_stamp()}, salt=_PURPOSE)


@transaction.atomic
def _record(user: User) -> None:
    audit.record(verbs.EMAIL_CHANGE_ASKED, actor=user, subject=user.username)
