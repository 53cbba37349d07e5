"""What a test or a benchmark may arrange with the simulated quotas from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Ask = Callable[[str, str, object], Any]


class QuotaHandle:
    """Quotas and their use in a running simulator. Accounts are 12 digits, regions as AWS names them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def add(self, service: str, code: str, name: str, default: float, **more: object) -> None:
        """A quota that there was not, everywhere where its service is offered."""
        self._say("add", service=service, service_name=service.title(), code=code, name=name, default=default, **more)

    def remove(self, service: str, code: str) -> None:
        """From now on AWS lists it nowhere."""
        self._say("remove", service=service, code=code)

    def apply(self, account: str, region: str, code: str, value: float | None) -> None:
        """The limit that AWS applies; None: none of its own, so that only the default is told."""
        self._say("apply", account=account, region=region, code=code, value=value)

    def decide(self, account: str, code: str, status: str) -> None:
        """Answer the open requests for a quota: APPROVED, DENIED, CASE_OPENED, …"""
        self._say("decide", account=account, code=code, status=status)

    def set_page(self, size: int) -> None:
        """How many quotas are on a page."""
        self._say("page", size=size)

    def minute(self, account: str, region: str, model: str, at: datetime, **figures: object) -> None:
        """What a model did in one minute: input_tokens, output_tokens, cache_write, invocations, throttles, estimates."""
        self._say("minute", account=account, region=region, model=model, at=at.isoformat(), figures=figures)

    def usage(self, account: str, region: str, metric: tuple[str, str, Mapping[str, str]], at: datetime, value: float) -> None:
        """A data point of a usage metric: namespace, name and dimensions."""
        namespace, name, dimensions = metric
        self._say(
            "usage", account=account, region=region, namespace=namespace, metric=name, dimensions=dict(dimensions),
            at=at.isoformat(), value=value,
        )  # fmt: skip

    def _say(self, name: str, /, **body: object) -> Any:
        return self._ask("POST", f"quotas/{name}", body)
