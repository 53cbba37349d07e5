"""What a test or a benchmark may arrange with the simulated functions from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[[str, str, object], Any]


class LambdaHandle:
    """The Lambda part of a running simulator. Accounts are 12 digits, regions as AWS names them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def make(self, account: str, region: str, count: int) -> list[str]:
        """`count` more functions; their names."""
        found: list[str] = self._say("make", account=account, region=region, count=count)["names"]
        return found

    def spoil(self, account: str, region: str, name: str, reason: str) -> None:
        """Updates of the function end as Failed with this reason; "" lets them succeed again."""
        self._say("spoil", account=account, region=region, function=name, reason=reason)

    def set_pace(self, *, transition_s: float = 1, concurrency: int = 10) -> None:
        """How long making and updating take, and how many invocations may run at once."""
        self._say("pace", transition=transition_s, concurrency=concurrency)

    def _say(self, name: str, **body: object) -> Any:
        return self._ask("POST", f"lambda/{name}", body)
