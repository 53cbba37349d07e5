"""What is about to be sent to another service, within which bounds, and whether its key allows it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.net.addresses import Address
from cloudconsole.net.egress import Upload
from gateway.models import ApiKey, RateWindow
from gateway.rules import attempts
from gateway.rules.bindings import Binding
from gateway.rules.headers import Headers
from gateway.rules.injection import Injected
from gateway.services.request_log import Draft


class KeyNotAllowed(CloudconsoleError):
    """The key's own rules do not allow this address or method; nothing was sent."""

    kind = Kind.FORBIDDEN
    code = "key_not_allowed"
    title = "The key is not for this"


@dataclass(frozen=True)
class Caps:
    """Seconds for each wait and for everything, attempts and pauses included; bytes of the answer, decompressed."""

    read_s: float
    total_s: float
    body_bytes: int


@dataclass
class Outgoing:
    """What is about to be sent. `address` has the placeholder where a path holds the secret; the secret is in `injected`."""

    method: str
    address: Address
    headers: Headers
    body: bytes | Upload
    key: ApiKey | None
    binding: Binding | None
    injected: Injected
    caps: Caps
    draft: Draft
    windows: Sequence[RateWindow] = ()
    warning: str = ""
    began: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        return self.body.length if isinstance(self.body, Upload) else len(self.body)

    @property
    def remaining_s(self) -> float:
        return self.caps.total_s - (time.monotonic() - self.began)

    @property
    def most_retries(self) -> int:
        return self.key.retries if self.key is not None else 0

    @property
    def may_repeat(self) -> bool:
        return attempts.may_repeat(self.method, frozenset(name.lower() for name, _ in self.headers))

    def refuse_unless_allowed(self) -> None:
        """Raises KeyNotAllowed."""
        why = self.binding.why_not(self.method, self.address) if self.binding else ""
        if why:
            raise KeyNotAllowed(why)
