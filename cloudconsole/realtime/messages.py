"""What travels: the kind and the id of what changed, never its content."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from cloudconsole.realtime import groups

RIGHTS = "rights"  # no news for a browser, but a reason to ask anew what its person may hear
HANDLER = "changed"  # the consumer's method that a message on the channel layer calls


@dataclass(frozen=True)
class Change:
    """`type` such as "snapshot"; `account` is the primary key of the AWS account it belongs to, if any.

    `nonce` lets a reader who hears it through two groups pass it on once.
    """

    type: str
    id: str | int
    account: int | None
    everywhere: bool = False  # of no one account, but for everybody who may see all of them
    person: int | None = None  # whom alone it is for
    nonce: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def groups(self) -> tuple[str, ...]:
        if self.person is not None:
            return (groups.person(self.person),)
        return (groups.EVERY_ACCOUNT, groups.ADMINS) if self.everywhere else groups.audience(self.account)

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
