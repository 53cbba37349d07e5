"""The browser's end of /ws/live."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer
from channels.layers import InMemoryChannelLayer
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.utils.module_loading import import_string

from cloudconsole.realtime import bridge, groups
from cloudconsole.realtime.messages import RIGHTS, Change

SIGNED_OUT = 4401  # close code: sign in again
TOO_MUCH = 4413  # close code: this socket only tells

RECHECK_S = 30
REMEMBERED = 256


def groups_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[str]:
    """The groups that `user` may hear, asked of REALTIME_AUDIENCE; none for those who are not or no longer let in."""
    if not user.is_authenticated or not getattr(user, "is_active", False):
        return frozenset()
    audience: Callable[[Any], frozenset[str]] = import_string(settings.REALTIME_AUDIENCE)
    return frozenset(audience(user)) | {groups.person(user.pk)}


def _session_store() -> type[SessionBase]:
    store: type[SessionBase] = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    return store


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Tells one browser `{type, id, account}` of what changed among what its reader may see.

    Rights are asked before every message, when they are said to have changed, and twice a minute: who was deactivated,
    signed out or lost a grant hears nothing from then on. An empty `{}` from the browser is answered with one, to prove
    that the line is alive.
    """

    async def connect(self) -> None:
        self.joined: frozenset[str] = frozenset()
        self.told: deque[str] = deque(maxlen=REMEMBERED)
        self.watch: asyncio.Task[None] | None = None
        self.bridged = False
        if not await self._refresh_rights():
            await self.close()  # before it was accepted: the browser sees a 403
            return
        if isinstance(self.channel_layer, InMemoryChannelLayer):
            bridge.join()
            self.bridged = True
        await self.accept()
        self.watch = asyncio.create_task(self._watch_rights())

    async def disconnect(self, code: int) -> None:
        if self.watch is not None and self.watch is not asyncio.current_task():
            self.watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.watch
        await self._move_to(frozenset())
        if self.bridged:
            bridge.leave()
            self.bridged = False

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None, **_: Any) -> None:
        if bytes_data is not None or (text_data or "").strip() != "{}":
            await self.close(TOO_MUCH)
        else:
            await self.send_json({})

    async def changed(self, message: dict[str, Any]) -> None:
        """A message from the channel layer."""
        change = Change(**message["change"])
        if change.nonce in self.told:
            return
        self.told.append(change.nonce)
        if not await self._refresh_rights():
            await self.close(SIGNED_OUT)
        elif change.type != RIGHTS and self.joined & set(change.groups):
            await self.send_json(change.for_browser())

    async def _watch_rights(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_S)
            if not await self._refresh_rights():
                await self.close(SIGNED_OUT)
                return

    async def _refresh_rights(self) -> bool:
        """Read the session and its person anew, and listen to just what they may hear. False: nobody to tell."""
        user = await get_user({"session": _session_store()(self.scope["session"].session_key)})
        await self._move_to(await database_sync_to_async(groups_of)(user))
        return bool(user.is_authenticated and getattr(user, "is_active", False))

    async def _move_to(self, wanted: frozenset[str]) -> None:
        for group in self.joined - wanted:
            await self.channel_layer.group_discard(group, self.channel_name)
        for group in wanted - self.joined:
            await self.channel_layer.group_add(group, self.channel_name)
        self.joined = wanted


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other address: refused before it is accepted."""

    async def connect(self) -> None:
        await self.close()
