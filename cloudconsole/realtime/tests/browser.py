"""A browser's websocket over ASGI itself. (The one that channels brings needs the server daphne.)"""

# mypy: allow-untyped-calls
from __future__ import annotations

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator

from cloudconsole.realtime.routing import websocket


class Socket(ApplicationCommunicator):
    def __init__(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": path, "query_string": b"", "headers": headers, "subprotocols": []}
        super().__init__(websocket, scope)

    async def connect(self) -> bool:
        """Whether the connection was accepted."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(5)
        if answer["type"] == "websocket.close":
            await self.wait()
        return bool(answer["type"] == "websocket.accept")

    async def say(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def hear(self) -> Any:
        answer = await self.receive_output(5)
        assert answer["type"] == "websocket.send", answer
        return json.loads(answer["text"])

    async def hears_nothing(self) -> bool:
        return bool(await self.receive_nothing())

    async def closed_with(self) -> int:
        answer = await self.receive_output(5)
        assert answer["type"] == "websocket.close", answer
        await self.send_input({"type": "websocket.disconnect", "code": answer["code"]})
        await self.wait()
        return int(answer["code"])

    async def leave(self) -> None:
        if self.future.done():
            return
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait()
