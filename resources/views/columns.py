"""The columns of each list: which there are, which are shown at first, and by which one can sort."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.http import QueryDict

PARAMETER = "column"


@dataclass(frozen=True, slots=True)
class Column:
    """`order`: the list's order that its heading offers. `css`: where it is shown, and whether it holds figures."""

    name: str
    label: str
    order: str = ""
    css: str = ""
    at_first: bool = True


def chosen(columns: Sequence[Column], query: QueryDict) -> list[Column]:
    """Those that the address asks for, in their own order; the usual ones when it names none that exist."""
    wanted: Collection[str] = set(query.getlist(PARAMETER))
    shown = [column for column in columns if column.name in wanted]
    return shown or [column for column in columns if column.at_first]


NAME = Column("name", "Name", "name")  # always there, and first

INSTANCES = (
    Column("state", "State", "state"),
    Column("account", "Account", "account", "mid-only"),
    Column("region", "Region", "region", "mid-only"),
    Column("type", "Type", "instance_type", "mid-only"),
    Column("uptime", "Running for", "launched_at", "num mid-only"),
    Column("month", "Last 30 days", "", "num wide-only"),
    Column("estimate", "Monthly estimate", "", "num wide-only"),
    Column("address", "Addresses", "", "wide-only"),
    Column("launched", "Launched", "launched_at", "wide-only", at_first=False),
    Column("vpc", "Network", "", "wide-only", at_first=False),
    Column("platform", "Platform", "", "wide-only", at_first=False),
    Column("tags", "Tags", "", "wide-only", at_first=False),
    Column("observed", "Seen", "observed_at", "num wide-only", at_first=False),
)

BUCKETS = (
    Column("account", "Account", "account", "mid-only"),
    Column("region", "Region", "region", "mid-only"),
    Column("size", "Size", "size_bytes", "num"),
    Column("objects", "Objects", "object_count", "num mid-only"),
    Column("public", "Public access", "", "mid-only"),
    Column("versioning", "Versioning", "", "wide-only"),
    Column("encryption", "Encryption", "", "wide-only"),
    Column("created", "Created", "created_at", "wide-only", at_first=False),
    Column("tags", "Tags", "", "wide-only", at_first=False),
    Column("observed", "Seen", "observed_at", "num wide-only", at_first=False),
)

FUNCTIONS = (
    Column("state", "State"),
    Column("account", "Account", "account", "mid-only"),
    Column("region", "Region", "region", "mid-only"),
    Column("runtime", "Runtime", "runtime", "mid-only"),
    Column("invocations", "Runs, 24 h", "invocations_24h", "num mid-only"),
    Column("errors", "Errors, 24 h", "errors_24h", "num"),
    Column("memory", "Memory", "memory_mb", "num wide-only"),
    Column("code", "Code", "code_size", "num wide-only"),
    Column("modified", "Changed", "modified_at", "num wide-only"),
    Column("handler", "Handler", "", "wide-only", at_first=False),
    Column("observed", "Seen", "observed_at", "num wide-only", at_first=False),
)
