"""Reading one's own keys. Whatever is somebody else's does not exist, by the same query and the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import FilteredRelation, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from cloudconsole.net import addresses
from gateway.models import ApiKey, ApiKeySecret, Generation
from gateway.models.keys import ApiKeyQuerySet
from gateway.rules.bindings import Binding
from gateway.rules.keys import Status

_MOST_WORDS = 8  # of a search; databases refuse conditions without an end


class KeyNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "key_not_found"
    title = "Not found"


class KeyUnusable(CloudconsoleError):
    """It is disabled, has expired, or is bound to no host."""

    kind = Kind.CONFLICT
    code = "key_unusable"
    title = "The key cannot be used"


@dataclass(frozen=True, slots=True)
class KeyFilter:
    """Empty fields let everything through."""

    words: str = ""
    status: str = ""


_WHY_NOT = {
    Status.DISABLED: "The key is disabled. Enable it to send with it.",
    Status.EXPIRED: "The key has expired. Rotate it, or give it a later date.",
    Status.UNBOUND: "The key is bound to no host, so it is sent nowhere. Give it a base address.",
}


def visible(user: User) -> ApiKeyQuerySet:
    """One's own keys by name, each with the hints of its secrets, and what of its budget is used."""
    current = ApiKeySecret.objects.filter(key=OuterRef("pk"), generation=Generation.CURRENT)
    previous = ApiKeySecret.objects.filter(key=OuterRef("pk"), generation=Generation.PREVIOUS)
    return (
        ApiKey.objects.visible_to(user, Perm.SELF)
        .annotate(
            key_hint=Subquery(current.values("hint")),
            previous_hint=Subquery(previous.values("hint")),
            previous_usable_until=Subquery(previous.values("usable_until")),
        )
        .select_related("budget")
    )


def narrowed(found: ApiKeyQuerySet, wanted: KeyFilter) -> ApiKeyQuerySet:
    for word in wanted.words.split()[:_MOST_WORDS]:
        found = found.filter(Q(api_name__icontains=word) | Q(description__icontains=word) | Q(base_url__icontains=word))
    return _standing(found, wanted.status) if wanted.status else found


def get_for(user: User, pk: int) -> ApiKey:
    """Raises KeyNotFound."""
    return _one(visible(user).filter(pk=pk))


def to_use(user: User, *, pk: int | None = None, api_name: str = "", generation: Generation = Generation.CURRENT) -> ApiKey:
    """One to send with, by its id or its name in any case, without what only pages show. Raises KeyNotFound.

    It brings its secret along, sealed, for `to_send_with`.
    """
    mine = (
        ApiKey.objects.visible_to(user, Perm.SELF)
        .annotate(brought=FilteredRelation("secrets", condition=Q(secrets__generation=generation)))
        .select_related("budget", "brought")  # type: ignore[misc]  # the stubs do not know of filtered relations
    )
    key = _one(mine.filter(api_name__iexact=api_name) if pk is None else mine.filter(pk=pk))
    key.owner = user
    return key


def named(user: User, api_name: str) -> ApiKey:
    """By its name, in any case. Raises KeyNotFound."""
    return to_use(user, api_name=api_name)


def _one(found: QuerySet[ApiKey]) -> ApiKey:
    key = next(iter(found.order_by()[:1]), None)
    if key is None:
        raise KeyNotFound("There is no such key of yours.")
    return key


def to_send_with(key: ApiKey, generation: Generation) -> ApiKeySecret:
    """The secret that requests carry. Raises KeyUnusable."""
    if why := _WHY_NOT.get(key.status):
        raise KeyUnusable(why)
    stored: ApiKeySecret | None = getattr(key, "brought", None)
    if stored is None or stored.generation != generation:
        stored = next(iter(ApiKeySecret.objects.filter(key=key, generation=generation).order_by()[:1]), None)
    if stored is None or (stored.usable_until is not None and stored.usable_until <= clock.now()):
        raise KeyUnusable("The key has no such secret any more.")
    stored.key = key
    return stored


def binding_of(key: ApiKey) -> Binding:
    """Raises KeyUnusable for one that is bound to nothing."""
    if not key.base_url:
        raise KeyUnusable(_WHY_NOT[Status.UNBOUND])
    return Binding(addresses.parse(key.base_url), tuple(key.allowed_methods), tuple(key.allowed_paths))


def twins(user: User, keys: Sequence[ApiKey]) -> Mapping[int, str]:
    """For each of `keys` that holds the same secret as another one of `user`: the other's name."""
    rows = ApiKeySecret.objects.filter(key__owner=user, generation=Generation.CURRENT).values_list(
        "key_id", "fingerprint", "key__api_name"
    )
    by_fingerprint: dict[str, list[tuple[int, str]]] = {}
    for pk, fingerprint, name in rows:
        by_fingerprint.setdefault(fingerprint, []).append((pk, name))
    shown = {key.pk for key in keys}
    return {
        pk: next(name for other, name in group if other != pk)
        for group in by_fingerprint.values()
        if len(group) > 1
        for pk, _ in group
        if pk in shown
    }


def _standing(found: ApiKeyQuerySet, status: str) -> ApiKeyQuerySet:
    expired = Q(expires_at__lte=clock.now())
    match status:
        case Status.DISABLED:
            return found.filter(enabled=False)
        case Status.EXPIRED:
            return found.filter(expired, enabled=True)
        case Status.UNBOUND:
            return found.filter(enabled=True, base_url="").exclude(expired)
        case _:
            return found.filter(enabled=True).exclude(base_url="").exclude(expired)
