"""Reading channels and what was sent to them: for those who manage notifications."""

from __future__ import annotations

from django.db.models import Count, Q

from accounts.models import DEAD_LETTERS, Delivery, NotificationChannel, User
from accounts.models.channels import DeliveryQuerySet, NotificationChannelQuerySet
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class ChannelNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "channel_not_found"
    title = "Not found"


class DeliveryNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "delivery_not_found"
    title = "Not found"


def visible(user: User) -> NotificationChannelQuerySet:
    """Every channel by name with its routes and `dead_letters`, how many messages to it wait for a person."""
    dead = Count("deliveries", filter=Q(deliveries__status__in=DEAD_LETTERS, deliveries__is_test=False))
    channels = NotificationChannel.objects.visible_to(user, Perm.NOTIFICATIONS_MANAGE)
    return channels.annotate(dead_letters=dead).prefetch_related("routes").order_by("name", "pk")


def get_for(user: User, pk: int) -> NotificationChannel:
    """Raises ChannelNotFound."""
    channel = visible(user).filter(pk=pk).first()
    if channel is None:
        raise ChannelNotFound("There is no such channel.")
    return channel


def deliveries(user: User) -> DeliveryQuerySet:
    """The delivery log, newest first, each with `alerts_count`."""
    rows = Delivery.objects.visible_to(user, Perm.NOTIFICATIONS_MANAGE)
    return rows.annotate(alerts_count=Count("notices")).select_related("channel").order_by("-pk")


def delivery_for(user: User, pk: int) -> Delivery:
    """Raises DeliveryNotFound."""
    found = deliveries(user).filter(pk=pk).first()
    if found is None:
        raise DeliveryNotFound("There is no such message.")
    return found
