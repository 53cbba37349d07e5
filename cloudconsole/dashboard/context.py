"""What the frame around every page shows: navigation, scope, the reader's accounts. Read only when a template asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts.models import AwsAccount, Environment, User
from accounts.selectors import alerts
from accounts.selectors import aws_accounts as selectors
from cloudconsole.dashboard.navigation import GROUPS, Group, Page, current_among


@dataclass(frozen=True)
class Scope:
    """The accounts and environments the reader has narrowed the pages to; empty means all."""

    accounts: tuple[AwsAccount, ...]
    environments: tuple[str, ...]

    @property
    def narrowed(self) -> bool:
        return bool(self.accounts or self.environments)

    @property
    def label(self) -> str:
        words = [self._accounts_label]
        if self.environments:
            words.append(", ".join(self.environments))
        return " · ".join(words)

    @property
    def _accounts_label(self) -> str:
        names = [account.alias for account in self.accounts]
        if not names:
            return "All accounts"
        return ", ".join(names) if len(names) <= 2 else f"{len(names)} accounts"


class Frame:
    """One request's frame. Nothing is read from the database before it is shown."""

    environments = Environment.choices

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def accounts(self) -> Sequence[AwsAccount]:
        user = self._request.user
        return list(selectors.visible(user)) if isinstance(user, User) else []

    @cached_property
    def scope(self) -> Scope:
        wanted = {name.strip().lower() for name in self._request.GET.getlist("account")}  # as aliases are stored
        chosen = tuple(a for a in self.accounts if wanted & {str(a.pk), a.alias, a.account_id})
        environments = set(self._request.GET.getlist("environment"))
        return Scope(chosen, tuple(value for value in Environment.values if value in environments))

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        user = self._request.user
        if not isinstance(user, User):
            return ()
        groups = (Group(group.label, tuple(page for page in group.pages if user.may(page.permission))) for group in GROUPS)
        return tuple(group for group in groups if group.pages)

    @cached_property
    def unread(self) -> int:
        """How many alerts the reader has not read; those beyond the count are not counted."""
        user = self._request.user
        return alerts.unread_count(user) if isinstance(user, User) else 0

    @property
    def unread_in_words(self) -> str:
        return f"{self.unread - 1}+" if self.unread >= alerts.MOST_COUNTED else str(self.unread)

    @property
    def demo_data(self) -> bool:
        """Whether a simulated organization answers instead of AWS, which every page says."""
        return bool(settings.DEMO_DATA)

    @property
    def sign_up_is_open(self) -> bool:
        return bool(settings.SIGNUP == "open")

    @cached_property
    def current(self) -> Page | None:
        """The entry of the navigation that the request's page belongs to."""
        return current_among((page for group in self.groups for page in group.pages), self._request.path)


def frame(request: HttpRequest) -> dict[str, Any]:
    """`frame`: what `base.html` draws around the page."""
    return {"frame": frame_of(request)}


def frame_of(request: HttpRequest) -> Frame:
    """The request's frame: the same one for its view and its templates."""
    made = getattr(request, "_frame", None)
    if not isinstance(made, Frame):
        made = request._frame = Frame(request)  # type: ignore[attr-defined]
    return made
