"""Signing up by the API, in the mode that this installation is in: open, by invitation, or closed."""

from __future__ import annotations

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from accounts.services import invitations, people
from accounts.services.people import NewUser


def sign_up(*, request: HttpRequest, new: NewUser, invitation: str = "") -> User:
    """Make oneself an account. Raises SignupClosed, InvitationOver, InvalidPerson, NameTaken.

    Where e-mail can be sent, the answer is the same whether the address is known here or not: the person without an id
    yet. What happens next is told by mail, to the address alone.
    """
    if invitation:
        return invitations.accept(key=invitation, username=new.username, email=new.email, password=new.password)
    if settings.SIGNUP != "open" or not settings.EMAIL_CONFIGURED:
        return people.sign_up(new=new)
    people.check_new(new=new)
    told = User(username=new.username.strip(), email=new.email.strip().lower())
    if User.objects.filter(email__iexact=told.email).exists():
        told.set_password(new.password)  # takes as long as it does for somebody new
        address = EmailAddress(user=None, email=told.email)
    else:
        user = people.sign_up(new=new)
        address = EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    send_verification_email_to_address(request, address, signup=True)
    return told
