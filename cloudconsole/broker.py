"""The broker of the embedded mode: kombu's, made of files, with messages that appear whole.

kombu writes a message under its final name, so a worker that looks at that moment takes half of it and dies of it.
"""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

from kombu.transport import filesystem


class Channel(filesystem.Channel):
    """Queues are files in one folder, named by the moment they were sent so that they are taken in order."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        for folder in (self.control_folder, Path(self.data_folder_in), Path(self.data_folder_out)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns()}_{uuid.uuid4()}"
        draft = Path(self.data_folder_out) / f"{name}.draft"
        draft.write_text(json.dumps(payload))
        draft.replace(draft.with_name(f"{name}.{queue}.msg"))


class Transport(filesystem.Transport):
    Channel = Channel
