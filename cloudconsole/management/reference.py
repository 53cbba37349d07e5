"""The reference pages of docs/generated, written from the registries that the code itself uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.views import APIView

from audit.verbs import REGISTRY
from cloudconsole.celery import PERIODIC
from cloudconsole.core.permissions import ACCOUNT_SCOPED, ROLE_PERMISSIONS, Perm, Role
from cloudconsole.environment import VARIABLES

MADE = "<!-- Made by `make docs`; edits are lost. -->\n"
METHODS = ("get", "post", "put", "patch", "delete")
ANYBODY = "anybody"
STAFF = "admins, by Django's admin"


class NothingDeclared(Exception):
    """A route says nothing about who may use it. Its text is the route."""


@dataclass(frozen=True, order=True)
class Route:
    """One method of one address, and who may use it: a permission's name, ANYBODY or STAFF."""

    path: str
    method: str
    permission: str

    @property
    def roles(self) -> str:
        """The roles that carry the permission."""
        if self.permission not in set(Perm):
            return ""
        held = [role.value for role in Role if Perm(self.permission) in ROLE_PERMISSIONS[role]]
        granted = [role for role in held if role != Role.ADMIN] if self.permission in ACCOUNT_SCOPED else []
        return " and ".join(granted) + " by grant, admin" if granted else ", ".join(held)


def pages() -> dict[str, str]:
    """File name → text of every generated page. Raises NothingDeclared."""
    return {"settings.md": settings(), "tasks.md": tasks(), "audit_verbs.md": audit_verbs(), "permissions.md": permissions()}


def settings() -> str:
    rows = [(f"`{v.name}`", v.default, v.meaning + (f" May come as `{v.name}_FILE`." if v.secret else "")) for v in VARIABLES]
    return _page(
        "Settings",
        "Every environment variable, read once at start. A `.env` file beside `manage.py` is read as well.",
        ("variable", "default", "meaning"),
        rows,
    )


def tasks() -> str:
    rows = [(f"`{entry.task}`", f"{entry.seconds} s", entry.purpose) for entry in PERIODIC]
    return _page(
        "Periodic work",
        "What the scheduler rings for. A ring more or less changes nothing: each task finds in the database what is due.",
        ("task", "every", "purpose"),
        rows,
    )


def audit_verbs() -> str:
    rows = [(f"`{verb.name}`", verb.sentence) for _, verb in sorted(REGISTRY.items())]
    return _page("Audit verbs", "Every kind of event in the audit trail.", ("name", "sentence"), rows)


def permissions() -> str:
    rows = [(f"`{r.method.upper()} {r.path}`", r.permission, r.roles) for r in sorted(set(routes()))]
    rows.append(("`/admin/`", STAFF, "admin"))
    return _page(
        "Permissions",
        "Who may use which address. A role is a ceiling; below admin, a grant gives it on one AWS account or on all. "
        "What somebody may not see answers 404; what they see but may not do answers 403.",
        ("address", "permission", "roles"),
        rows,
    )


def routes() -> list[Route]:
    """Every address of the product. Django's admin is one entry; static files and websockets have none."""
    return [
        Route(path, method, who) for path, pattern in _patterns(get_resolver(), "/") for method, who in _declared(path, pattern)
    ]


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLPattern):
            yield path, pattern
        elif pattern.namespace != "admin":
            yield from _patterns(pattern, path)


def _declared(path: str, pattern: URLPattern) -> Iterable[tuple[str, str]]:
    callback: Any = pattern.callback
    view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
    permission = getattr(view, "permission", None)
    if isinstance(permission, Perm):
        return [(method, permission.value) for method in _methods(view)]
    if isinstance(permission, Mapping):
        return [(method.lower(), wanted.value) for method, wanted in permission.items()]
    if _is_public(callback, view):
        return [(method, ANYBODY) for method in (_methods(view) if view else ["get"])]
    raise NothingDeclared(path)


def _is_public(callback: Any, view: Any) -> bool:
    # REST framework takes all its views out of the sign-in middleware, so there that says nothing.
    is_api = isinstance(view, type) and issubclass(view, APIView)
    return bool(getattr(view, "public", False)) or (not is_api and not getattr(callback, "login_required", True))


def _methods(view: Any) -> list[str]:
    return [method for method in METHODS if hasattr(view, method) and method in view.http_method_names]


def _page(title: str, about: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"# {title}", "", MADE, about, "", _row(head), _row(["---"] * len(head)), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
