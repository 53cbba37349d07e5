"""What the sidebar and the command palette offer: the pages that exist, and who may open them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from cloudconsole.core.permissions import Perm

# The scope lives in the address, under these names, and travels from page to page.
SCOPE_PARAMETERS = ("account", "environment")

# Where in a list the reader is; another question starts at the top again.
PLACE_PARAMETERS = ("page", "before", "after", "cursor")


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
            Page(
                "Quotas",
                "speed",
                "quotas:list",
                Perm.RESOURCES_VIEW,
                "limits bedrock claude tokens per minute throttling service quotas increase headroom vcpu",
            ),
            Page(
                "Automation",
                "schedule",
                "automation:list",
                Perm.RESOURCES_VIEW,
                "schedules office hours calendar decisions scaling rules cpu metric spare start stop",
            ),
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
            Page("Budgets", "savings", "budgets:list", Perm.COSTS_VIEW, "limit spend threshold pace plan money over"),
            Page(
                "Anomalies",
                "monitoring",
                "anomalies:list",
                Perm.COSTS_VIEW,
                "unusual costs spike unexpected new service mute feedback",
            ),
            Page(
                "Expenses",
                "receipt",
                "expenses:list",
                Perm.SELF,
                "money spent enter receipts categories payment recurring rules report workspace approval reimburse",
            ),
            Page(
                "Recommendations",
                "lightbulb",
                "recommendations:list",
                Perm.COSTS_VIEW,
                "save money waste idle unattached volumes gp2 gp3 snapshots addresses optimization hub rightsizing",
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
        "Integrations",
        (
            Page(
                "API keys",
                "vpn_key",
                "gateway:list",
                Perm.SELF,
                "secrets tokens credentials third-party services proxy rotate import env",
            ),
            Page(
                "Request console",
                "terminal",
                "gateway:console",
                Perm.SELF,
                "api proxy send http curl postman try replay snippets code",
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
    Action("Make a schedule", "more_time", Perm.RESOURCES_OPERATE, "office hours start stop automation new", "automation:add"),
    Action(
        "Make a scaling rule", "trending_up", Perm.RESOURCES_OPERATE, "cpu metric spare start stop new", "automation:add-scaling"
    ),
    Action("New budget", "savings", Perm.COSTS_BUDGET, "make limit threshold spend", "budgets:new"),
    Action("Refresh costs", "sync", Perm.COSTS_REFRESH, "fetch snapshot update cost explorer", "costs:refresh"),
    Action("Invite a person", "person_add", Perm.PEOPLE_MANAGE, "user people member team new", "people:invite"),
    Action("Import expenses", "upload_file", Perm.SELF, "bank statement csv excel ofx camt qif file", "expense_imports:list"),
    Action("Total spend", "payments", Perm.SELF, "cloud and expenses together money month currency", "spend:total"),
    Action("Store an API key", "key", Perm.SELF, "add secret token service new", "gateway:add"),
    Action("Rate limits", "speed", Perm.SELF, "api keys quota remaining reset throttled 429 too many requests", "gateway:limits"),
    Action(
        "Request statistics",
        "query_stats",
        Perm.SELF,
        "api keys calls success latency p95 errors log requests",
        "gateway:statistics",
    ),
    Action("Alerts", "notifications", Perm.SELF, "bell unread warnings notifications what happened", "alerts:list"),
    Action(
        "Notification channels",
        "outbox",
        Perm.NOTIFICATIONS_MANAGE,
        "slack teams webhook e-mail alerts",
        "settings:notifications",
    ),
    Action("Light theme", "light_mode", Perm.SELF, "switch theme appearance mode bright", theme="light"),
    Action("Dark theme", "dark_mode", Perm.SELF, "switch theme appearance mode night", theme="dark"),
    Action("Theme of the system", "contrast", Perm.SELF, "switch theme appearance mode automatic", theme="system"),
    Action("Sign out", "logout", Perm.SELF, "log out leave end session", "sign-out"),
)


def current_among(pages: Iterable[Page], path: str) -> Page | None:
    """The page that `path` belongs to: of those above it, the nearest."""
    return max((page for page in pages if page.holds(path)), key=lambda page: len(reverse(page.url_name)), default=None)
