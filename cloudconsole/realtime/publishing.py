"""Tell the browsers, once what changed is committed. A lost message loses nothing: pages also look from time to time."""

from __future__ import annotations

import structlog
from asgiref.sync import async_to_sync
from channels.layers import InMemoryChannelLayer, get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from cloudconsole.realtime import bridge
from cloudconsole.realtime.messages import RIGHTS, Change

log = structlog.get_logger(__name__)


def publish(type: str, id: str | int, account: int | None = None) -> None:  # noqa: A002 - the names that the browser gets
    """Say after the commit that the thing of this `type` and `id` changed; `account` is its AWS account's primary key."""
    _after_commit(Change(type=type, id=id, account=account))


def publish_everywhere(type: str, id: str | int) -> None:  # noqa: A002 - the names that the browser gets
    """The same for what concerns all AWS accounts: told to whoever may see every one of them."""
    _after_commit(Change(type=type, id=id, account=None, everywhere=True))


def publish_to(type: str, id: str | int, person: int) -> None:  # noqa: A002 - the names that the browser gets
    """The same for what concerns one person alone; their primary key."""
    _after_commit(Change(type=type, id=id, account=None, person=person))


def _after_commit(change: Change) -> None:
    transaction.on_commit(lambda: _send(change), robust=True)


def recheck(person: int) -> None:
    """Have the open browsers of a person asked after the commit whether they may still listen; those that may not are closed."""
    change = Change(type=RIGHTS, id=person, account=None, person=person)
    transaction.on_commit(lambda: _send(change), robust=True)


def _send(change: Change) -> None:
    layer = get_channel_layer()
    if isinstance(layer, InMemoryChannelLayer):
        bridge.send(change)  # workers and commands are other processes, and memory is not shared
        return
    try:
        for group in change.groups:
            async_to_sync(layer.group_send)(group, change.for_layer())
    except (RedisError, OSError) as error:
        log.warning("live_message_lost", type=change.type, reason=error.__class__.__name__)
