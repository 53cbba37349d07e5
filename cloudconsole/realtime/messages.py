"""What travels: the kind and the id of what changed, never its content."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cloudconsole.realtime import groups

HANDLER = "changed"  # the consumer's method that a message on the channel layer calls


@dataclass(frozen=True)
class Change:
    """`type` such as "snapshot"; `account` is the primary key of the AWS account it belongs to, if any.

    `nonce` lets a reader who hears it through two groups pass it on once.
    """

    type: str
    id: str | int
    account: int | None
    person: int | None = None  # not news, but a reason to ask anew what this person may hear
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def groups(self) -> tuple[str, ...]:
        return groups.audience(self.account) if self.person is None else (groups.person(self.person),)

    def for_browser(self) -> dict[str, str | int | None]:
        return {"type": self.type, "id": self.id, "account": self.account}

    def for_layer(self) -> dict[str, Any]:
        return {"type": HANDLER, "change": asdict(self)}

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises ValueError or TypeError for what is no change."""
        return cls(**json.loads(data))
