"""Sending one message once, by whichever kind of channel, and saying honestly how it went. Typed addresses go by the door."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from accounts.models import ChannelKind, NotificationChannel
from accounts.rules import retries, signatures
from accounts.rules.retries import Verdict
from accounts.services import messages, other_services
from accounts.services.channel_secrets import ChannelSecret
from accounts.services.messages import Message
from accounts.services.outcomes import Outcome
from cloudconsole.core import clock
from cloudconsole.net.egress import Answer, Limits, Refused, Request, Unanswered, door

LIMITS = Limits(connect_s=5, read_s=15, total_s=30, body_bytes=4096)
IDEMPOTENT = (ChannelKind.WEBHOOK,)  # their receivers tell a second attempt by its id
_ANSWER_SHOWN = 500

_REFUSED = {
    401: "The receiver does not accept the key or token in the address.",
    403: "The receiver does not accept the key or token in the address.",
    404: "The receiver does not know this address. It may have been deleted there.",
    410: "The receiver says that this address is gone for good.",
}


def send(channel: NotificationChannel, secret: ChannelSecret, message: Message) -> Outcome:
    """One attempt. Never raises for what receivers do; nothing of the secret is in the outcome."""
    match ChannelKind(channel.kind):
        case ChannelKind.EMAIL:
            return _by_mail(channel, message)
        case ChannelKind.SLACK:
            return _post(channel, secret, messages.for_slack(message))
        case ChannelKind.TEAMS:
            return _post(channel, secret, messages.for_teams(message))
        case ChannelKind.WEBHOOK:
            body = messages.for_webhook(message)
            signed = signatures.headers(secret.signing_key, message.id, int(clock.now().timestamp()), body)
            return _post(channel, secret, body, signed)
        case ChannelKind.APPRISE:
            return _by_apprise(secret, message)


def _post(channel: NotificationChannel, secret: ChannelSecret, body: bytes, headers: Mapping[str, str] | None = None) -> Outcome:
    request = Request("POST", secret.address, {"Content-Type": "application/json", **(headers or {})}, body)
    try:
        answer = door(limits=LIMITS).send(request)
    except Refused as refusal:
        return Outcome(Verdict.NEVER, code=refusal.code, detail=refusal.detail)
    except Unanswered as silence:
        is_lost = silence.may_have_acted and channel.kind not in IDEMPOTENT
        return Outcome(Verdict.UNKNOWN if is_lost else Verdict.AGAIN, code=silence.code, detail=silence.detail)
    return _answered(answer, secret)


def _answered(answer: Answer, secret: ChannelSecret) -> Outcome:
    shown = _shown(answer.body.decode(errors="replace"), secret)
    verdict = retries.of_status(answer.status)
    if verdict is Verdict.SENT:
        return Outcome(verdict, answer.status, shown)
    detail = _REFUSED.get(answer.status) or f"The receiver answered with status {answer.status}."
    wait = retries.retry_after(answer.header("Retry-After"), clock.now())
    return Outcome(verdict, answer.status, shown, f"http_{answer.status}", detail, wait)


def _shown(text: str, secret: ChannelSecret) -> str:
    """The beginning of an answer as a person may see it: one line, no control characters, nothing of ours said back."""
    printable = "".join(one if one.isprintable() else " " for one in secret.scrubbed(text))
    return " ".join(printable.split())[:_ANSWER_SHOWN]


def _by_apprise(secret: ChannelSecret, message: Message) -> Outcome:
    try:
        return other_services.send(secret.address, message.subject, message.text)
    except other_services.NotSupported:
        return Outcome(Verdict.NEVER, code="not_supported", detail="This service is not supported any more.")


def _by_mail(channel: NotificationChannel, message: Message) -> Outcome:
    if not settings.EMAIL_CONFIGURED:
        return Outcome(Verdict.NEVER, code="no_mail_server", detail="This installation has no mail server. Set EMAIL_URL.")
    connection = get_connection()
    try:
        connection.open()
    except smtplib.SMTPAuthenticationError:
        return Outcome(
            Verdict.NEVER, code="mail_sign_in", detail="The mail server does not accept EMAIL_URL's name and password."
        )
    except (OSError, smtplib.SMTPException):
        return Outcome(Verdict.AGAIN, code="mail_unreachable", detail="The mail server does not answer.")
    _, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[::2]
    mail = EmailMessage(
        subject=message.subject,
        body=message.text,
        to=channel.recipients,
        headers={"Message-ID": f"<{message.id}@{domain or 'cloudconsole'}>"},
        connection=connection,
    )
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        return _mail_failed(error)
    except ValueError:  # Django refuses headers with line breaks before anything is sent
        return Outcome(Verdict.NEVER, code="mail_invalid", detail="The message cannot be written as an e-mail.")
    finally:
        connection.close()
    return Outcome(Verdict.SENT)


def _mail_failed(error: OSError | smtplib.SMTPException) -> Outcome:
    """A reply of the server says that it has not taken the message; without one nobody knows."""
    codes = [code for code, _ in error.recipients.values()] if isinstance(error, smtplib.SMTPRecipientsRefused) else []
    if isinstance(error, smtplib.SMTPResponseException):
        codes = [error.smtp_code]
    if not codes:
        return Outcome(Verdict.UNKNOWN, code="mail_lost", detail="The mail server went away, and may have got the message.")
    verdict = Verdict.AGAIN if any(400 <= code < 500 for code in codes) else Verdict.NEVER
    return Outcome(verdict, code="mail_refused", detail=f"The mail server refused the message with code {codes[0]}.")
