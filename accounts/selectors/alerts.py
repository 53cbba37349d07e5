"""Reading alerts: what a person may see, and what of it is news to them."""

from __future__ import annotations

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef

from accounts.models import Alert, AlertRead, User
from accounts.models.alerts import AlertQuerySet
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm

MOST_COUNTED = 100  # the bell says "99+" beyond


class AlertNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "alert_not_found"
    title = "Not found"


def visible(user: User) -> AlertQuerySet:
    """The alerts `user` may see, newest first, each with `is_read`, and its accounts in one more query."""
    read = AlertRead.objects.filter(alert=OuterRef("pk"), user=user)
    is_read = ExpressionWrapper(Exists(read), output_field=BooleanField())
    alerts = Alert.objects.visible_to(user, Perm.ACCOUNTS_VIEW).annotate(is_read=is_read)
    return alerts.prefetch_related("accounts").order_by("-pk")


def unread(user: User) -> AlertQuerySet:
    return Alert.objects.visible_to(user, Perm.ACCOUNTS_VIEW).unread_by(user)


def unread_count(user: User) -> int:
    """How many there are, at most MOST_COUNTED."""
    return unread(user).order_by()[:MOST_COUNTED].count()


def get_for(user: User, pk: int) -> Alert:
    """Raises AlertNotFound."""
    alert = visible(user).filter(pk=pk).first()
    if alert is None:
        raise AlertNotFound("There is no such alert, or none that you may see.")
    return alert
