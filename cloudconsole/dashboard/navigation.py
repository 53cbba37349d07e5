"""What the sidebar and the command palette offer: the pages that exist, and who may open them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from cloudconsole.core.permissions import Perm

# The scope lives in the address, under these names, and travels from page to page.
SCOPE_PARAMETERS = ("account", "environment")

# Where in a list the reader is; another question starts at the top again.
PLACE_PARAMETERS = ("page", "before", "after")


@dataclass(frozen=True)
class Page:
    """One entry."""

    label: str
    icon: str
    url_name: str
    permission: Perm
    words: str = ""  # further words under which the palette finds it

    def holds(self, path: str) -> bool:
        """Whether `path` is this page's address or below it."""
        address = reverse(self.url_name)
        return path == address or (address != "/" and path.startswith(f"{address}/"))


@dataclass(frozen=True)
class Group:
    label: str
    pages: tuple[Page, ...]


GROUPS = (
    Group(
        "",
        (
            Page("Overview", "space_dashboard", "overview", Perm.SELF, "home dashboard start costs spend forecast"),
            Page("Accounts", "cloud", "accounts:list", Perm.ACCOUNTS_VIEW, "aws credentials keys roles organization"),
        ),
    ),
    Group(
        "Compute",
        (
            Page("EC2", "dns", "resources:instances", Perm.RESOURCES_VIEW, "instances servers machines virtual compute uptime"),
            Page("S3", "inventory_2", "resources:buckets", Perm.RESOURCES_VIEW, "buckets objects files storage"),
            Page("Lambda", "bolt", "resources:functions", Perm.RESOURCES_VIEW, "functions serverless invoke deploy"),
        ),
    ),
    Group(
        "Money",
        (
            Page(
                "Costs",
                "stacked_bar_chart",
                "explorer:costs",
                Perm.COSTS_VIEW,
                "cost explorer bill spend where does the money go service region usage type what changed report csv",
            ),
            Page(
                "Cost snapshots",
                "receipt_long",
                "costs:snapshots",
                Perm.COSTS_VIEW,
                "costs bill cost explorer fetch refresh backfill",
            ),
        ),
    ),
    Group(
        "Governance",
        (
            Page(
                "Operations",
                "published_with_changes",
                "operations:list",
                Perm.RESOURCES_VIEW,
                "start stop reboot terminate running failed approve reject cancel approval queue",
            ),
            Page("Audit", "policy", "audit:list", Perm.SELF, "who did what log trail history"),
            Page("People", "group", "people:list", Perm.PEOPLE_MANAGE, "users invite roles grants deactivate members team"),
            Page(
                "Settings",
                "settings",
                "settings:profile",
                Perm.SELF,
                "profile password sessions tokens passkey second factor authenticator mfa sign out everywhere",
            ),
        ),
    ),
)


@dataclass(frozen=True)
class Action:
    """Something the palette offers to do: it leads to the form that does it, or sets the `theme` in this browser."""

    label: str
    icon: str
    permission: Perm
    words: str
    url_name: str = ""
    theme: str = ""


ACTIONS = (
    Action("Add an AWS account", "add_circle", Perm.ACCOUNTS_MANAGE, "connect new role key", "accounts:add"),
    Action("Refresh costs", "sync", Perm.COSTS_REFRESH, "fetch snapshot update cost explorer", "costs:refresh"),
    Action("Invite a person", "person_add", Perm.PEOPLE_MANAGE, "user people member team new", "people:invite"),
    Action("Light theme", "light_mode", Perm.SELF, "switch theme appearance mode bright", theme="light"),
    Action("Dark theme", "dark_mode", Perm.SELF, "switch theme appearance mode night", theme="dark"),
    Action("Theme of the system", "contrast", Perm.SELF, "switch theme appearance mode automatic", theme="system"),
    Action("Sign out", "logout", Perm.SELF, "log out leave end session", "sign-out"),
)


def current_among(pages: Iterable[Page], path: str) -> Page | None:
    """The page that `path` belongs to: of those above it, the nearest."""
    return max((page for page in pages if page.holds(path)), key=lambda page: len(reverse(page.url_name)), default=None)
