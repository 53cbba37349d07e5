"""Services that the apprise library knows. It makes its requests itself, around the door of `cloudconsole.net`: so only those
are let in whose hosts are public and written in the library, and none whose address names a host or an option of one's own."""

from __future__ import annotations

import importlib
import logging
import re
from dataclasses import dataclass

import apprise
from apprise.common import PersistentStoreMode
from apprise.plugins.base import NotifyBase

from accounts.rules import retries
from accounts.rules.retries import Verdict
from accounts.services.outcomes import Outcome


@dataclass(frozen=True)
class Service:
    """What people call it, where the library has it, and the only hosts that it then speaks to."""

    title: str
    module: str
    name: str
    hosts: tuple[str, ...]


# By the beginning of their addresses.
SERVICES = {
    "discord": Service("Discord", "discord", "NotifyDiscord", ("discord.com",)),
    "gchat": Service("Google Chat", "google_chat", "NotifyGoogleChat", ("chat.googleapis.com",)),
    "join": Service("Join", "join", "NotifyJoin", ("joinjoaomgcd.appspot.com",)),
    "line": Service("LINE", "line", "NotifyLine", ("api.line.me",)),
    "pagerduty": Service("PagerDuty", "pagerduty", "NotifyPagerDuty", ("events.pagerduty.com", "events.eu.pagerduty.com")),
    "pbul": Service("Pushbullet", "pushbullet", "NotifyPushBullet", ("api.pushbullet.com",)),
    "pover": Service("Pushover", "pushover", "NotifyPushover", ("api.pushover.net",)),
    "prowl": Service("Prowl", "prowl", "NotifyProwl", ("api.prowlapp.com",)),
    "tgram": Service("Telegram", "telegram", "NotifyTelegram", ("api.telegram.org",)),
    "wxteams": Service("Webex", "webexteams", "NotifyWebexTeams", ("webexapis.com", "api.ciscospark.com")),
}
# The one option that changes neither host nor certificate checks, and names no file and no picture.
_OPTIONS = re.compile(r"(?:region=(?:us|eu))?")
_ANSWERED = re.compile(r"error=(\d{3})\b")

logging.getLogger("apprise").propagate = False  # at its finer levels it logs addresses and what it sends


class NotSupported(ValueError):
    """The address is of none of SERVICES, or not in the form that its service takes."""


def service_of(address: str) -> Service:
    """Raises NotSupported."""
    _notifier(address)
    return SERVICES[_scheme(address)]


def send(address: str, subject: str, text: str) -> Outcome:
    """Raises NotSupported. The library tells no more than whether it worked; why not stands in what it logs."""
    notifier = _notifier(address)
    with apprise.LogCapture(level=logging.WARNING) as said:  # type: ignore[no-untyped-call]
        worked = notifier.notify(title=subject, body=text)
        words = said.getvalue()
    if worked:
        return Outcome(Verdict.SENT)
    answered = _ANSWERED.search(words)
    if answered is None:
        return Outcome(Verdict.UNKNOWN, code="no_answer", detail="The service did not answer, and may have got the message.")
    status = int(answered[1])
    verdict = retries.of_status(status)
    refused = "The service refused the message; its token or address may be wrong."
    return Outcome(Verdict.AGAIN if verdict is Verdict.SENT else verdict, status, code="refused", detail=refused)


def _scheme(address: str) -> str:
    return address.partition("://")[0].lower()


def _notifier(address: str) -> NotifyBase:
    path, _, options = address.partition("?")
    is_plain = address.isascii() and address.isprintable() and not set(address) & set(" \\#,;")
    service = SERVICES.get(_scheme(address))
    if service is None or not is_plain or not _OPTIONS.fullmatch(options) or "://" not in path:
        raise NotSupported
    known: type[NotifyBase] = getattr(importlib.import_module(f"apprise.plugins.{service.module}"), service.name)
    parts = known.parse_url(address)
    if not parts:
        raise NotSupported
    asset = apprise.AppriseAsset(http_redirects=False, storage_mode=PersistentStoreMode.MEMORY, secure_logging=True)
    try:
        return known(**parts, asset=asset)
    except TypeError:  # what the library raises for tokens that cannot be any
        raise NotSupported from None
