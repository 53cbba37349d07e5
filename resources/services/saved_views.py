"""Keeping a list as somebody likes to see it."""

from __future__ import annotations

from django.db import transaction
from django.http import QueryDict

import audit.services
from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources import verbs
from resources.models import SavedView

MOST = 50
_PLACES = ("before", "after", "page")


class SavedViewNotFound(CloudconsoleError):
    """There is none, or it is somebody else's."""

    kind = Kind.NOT_FOUND
    code = "saved_view_not_found"
    title = "Not found"


class SavedViewInvalid(CloudconsoleError):
    code = "saved_view_invalid"
    title = "The view cannot be saved"


@transaction.atomic
def save(*, by: User, page: str, name: str, query: str) -> SavedView:
    """Keep `query` under `name`; a view of that name is replaced. Raises SavedViewInvalid."""
    kept = _cleaned(query)
    title = " ".join(name.replace("\x00", "").split())
    if not title or len(title) > 64:
        raise SavedViewInvalid("Give the view a name of at most 64 characters.", attr="name")
    mine = SavedView.objects.visible_to(by, Perm.SELF)
    if mine.count() >= MOST and not mine.filter(page=page, name=title).exists():
        raise SavedViewInvalid(f"You have {MOST} saved views already. Delete one that you no longer need.")
    view, _ = SavedView.objects.update_or_create(user=by, page=page, name=title, defaults={"query": kept})
    audit.services.record(verbs.VIEW_SAVED, actor=by, subject=title, detail={"page": page})
    return view


@transaction.atomic
def delete(*, by: User, pk: int) -> SavedView:
    """Forget one's own view. Raises SavedViewNotFound."""
    view = SavedView.objects.visible_to(by, Perm.SELF).filter(pk=pk).first()
    if view is None:
        raise SavedViewNotFound("There is no such view of yours.")
    SavedView.objects.filter(pk=view.pk).delete()
    audit.services.record(verbs.VIEW_DELETED, actor=by, subject=view.name, detail={"page": view.page})
    return view


def _cleaned(query: str) -> str:
    parameters = QueryDict(query, mutable=True)
    for name in _PLACES:
        parameters.pop(name, None)
    kept = parameters.urlencode()
    if len(kept) > 2048:
        raise SavedViewInvalid("The view has too many filters to be kept.")
    return kept
