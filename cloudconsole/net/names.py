"""Names that mean something near: this machine, its neighbours, its cloud. And asking what a name means, within a time."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Protocol

from cloudconsole.net.ranges import IPAddress
from cloudconsole.net.refusals import Cause, Refused

RESOLVE_S = 2.0

METADATA_NAMES = frozenset(
    {"metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"}
)
_NEAR_NAMES = frozenset({"localhost", "host.docker.internal", "gateway.docker.internal", "rancher-metadata"})
_NEAR_ENDS = (".localhost", ".local", ".internal", ".home.arpa", ".localdomain", ".lan", ".intranet", ".corp", ".home")


class Resolver(Protocol):
    """Asks once what a name means."""

    def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        """Every address of the name. Raises Refused when there is none or the answer takes too long."""
        ...


def is_metadata(host: str) -> bool:
    """A name under which clouds hand out credentials. Never allowed."""
    return host in METADATA_NAMES


def is_near(host: str) -> bool:
    """A name that is not of the public internet. Allowed only where all its addresses are the operator's exceptions."""
    return "." not in host or host in _NEAR_NAMES or host.endswith(_NEAR_ENDS) or host.startswith("kubernetes.")


def is_own(host: str, own: Sequence[str]) -> bool:
    """Whether `own` (as Django's ALLOWED_HOSTS has them) says that this installation answers to the name."""
    return any(host == name or (name.startswith(".") and (host == name[1:] or host.endswith(name))) for name in own)


# The C library's resolver knows no time limit of its own: a name whose servers hang holds a thread for longer than anybody waits.
# As many as this may hang before a name of somebody else has to wait for one of them.
_askers = ThreadPoolExecutor(max_workers=32, thread_name_prefix="resolver")


def system_resolver(host: str, port: int) -> Sequence[IPAddress]:
    """What the machine's own resolver says, hosts file included."""
    asked = _askers.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        answers = asked.result(timeout=RESOLVE_S)
    except FutureTimeout:
        asked.cancel()
        raise Refused(Cause.RESOLVER_SLOW) from None
    except (OSError, UnicodeError):
        raise Refused(Cause.UNRESOLVED) from None
    # A link-local answer may carry a zone; it is denied without one as well.
    return list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))
