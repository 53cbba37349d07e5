"""Demo credentials of the simulated organization as Access."""

from __future__ import annotations

import itertools

from cloudconsole.aws.credentials import Access, StaticKey
from cloudconsole.simulator.process import SimulatorHandle

_numbers = itertools.count()


def access_as(simulator: SimulatorHandle, name: str) -> Access:
    """Access by the demo key `name`, with rate limits of its own."""
    key = simulator.key(name)
    source = StaticKey(key.access_key_id, key.secret_access_key, key.session_token)
    return Access(f"{name}-{next(_numbers)}:1", source)
