"""Invitations: a link that lets one person make themselves an account, with the role that an admin chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts.models import Grant, Invitation, User
from accounts.rules import random_keys
from accounts.services import people
from accounts.services.people import InvalidPerson, NameTaken, NewUser, SignupClosed
from audit import services as audit
from audit import verbs
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Role

LONGEST_DAYS = 30
DEFAULT_DAYS = 7


class InvitationOver(CloudconsoleError):
    """Unknown, used, taken back or expired: the answer does not tell which."""

    kind = Kind.NOT_FOUND
    code = "invitation_over"
    title = "The invitation is not valid"


@dataclass(frozen=True)
class Invited:
    """An invitation as it was made. `key` belongs in the link, is shown once and stored nowhere."""

    invitation: Invitation
    key: str = field(repr=False)


@transaction.atomic
def invite(*, by: User, role: Role, email: str = "", everywhere: bool = False, days: int = DEFAULT_DAYS) -> Invited:
    """Make an invitation. Raises SignupClosed, InvalidPerson, or NameTaken when somebody has that address already."""
    if settings.SIGNUP == "closed":
        raise SignupClosed("This installation takes nobody in by themselves: its SIGNUP setting is “closed”.")
    address = email.strip().lower()
    if not 1 <= days <= LONGEST_DAYS:
        raise InvalidPerson(f"An invitation lasts 1 to {LONGEST_DAYS} days.", attr="days")
    if address and User.objects.filter(email__iexact=address).exists():
        raise NameTaken("Somebody with this e-mail address is here already.", attr="email")
    key = random_keys.new_link_key()
    invitation = Invitation.objects.create(
        digest=random_keys.digest_of(key),
        email=address,
        role=role,
        everywhere=everywhere and role != Role.ADMIN,  # admins may everything without a grant
        invited_by=by,
        expires_at=clock.now() + timedelta(days=days),
    )
    audit.record(verbs.INVITED, actor=by, subject=address or "somebody", detail={"to": role.value, "days": days})
    return Invited(invitation, key)


@transaction.atomic
def revoke(*, invitation: Invitation, by: User) -> None:
    """Take an invitation back. One that is over already stays as it is."""
    if Invitation.objects.open().filter(pk=invitation.pk).update(revoked_at=clock.now()):
        audit.record(verbs.INVITATION_REVOKED, actor=by, subject=invitation.email or "somebody")


def find(*, key: str) -> Invitation:
    """The open invitation that `key` belongs to. Raises InvitationOver."""
    found = Invitation.objects.open().filter(digest=random_keys.digest_of(key)).first()
    if found is None or settings.SIGNUP == "closed":
        raise InvitationOver("This invitation was used, taken back, or has expired. Ask an admin for another one.")
    return found


@transaction.atomic
def accept(*, key: str, username: str, email: str, password: str) -> User:
    """Make the invited person. An invitation for an address is for that address.

    Raises InvitationOver, InvalidPerson, NameTaken.
    """
    invitation = find(key=key)
    if not Invitation.objects.open().filter(pk=invitation.pk).update(accepted_at=clock.now()):
        raise InvitationOver("This invitation was used just now.")
    if not password:
        raise InvalidPerson("Choose a password.", attr="password")
    role = Role(invitation.role)
    user = people.join(new=NewUser(username, invitation.email or email, password, role))
    if invitation.everywhere:
        Grant.objects.create(user=user, account=None, role=role)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user)
    detail = {"to": role.value, "invited_by": invitation.invited_by.username if invitation.invited_by else ""}
    audit.record(verbs.INVITATION_ACCEPTED, actor=user, subject=user.username, detail=detail)
    return user
