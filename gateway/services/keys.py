"""Keys of other services: stored, changed, rotated, deleted. Secrets are checked, sealed, and never shown again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from accounts.models import User
from audit import services as audit
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import Sealed
from gateway import verbs
from gateway.models import ApiKey, ApiKeySecret, Generation, KeyBudget
from gateway.rules import injection, presets
from gateway.rules.keys import AuthScheme
from gateway.services import key_inputs, key_secrets
from gateway.services.key_inputs import InvalidKey, KeyInput, SecretNeeded

MOST_PER_PERSON = 500
LONGEST_OVERLAP = timedelta(days=90)
# What a test is about, and where its outcome is.
_TESTED = frozenset({"api_key", "base_url", "auth_scheme", "auth_name", "auth_template", "test_method", "test_path"})
_TEST = ("tested_at", "test_works", "test_detail")


class KeyNameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "key_name_taken"
    title = "The name is taken"


class TooManyKeys(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "too_many_keys"
    title = "Too many keys"


class KeyChanged(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "key_changed"
    title = "The key was changed meanwhile"


class NothingToUndo(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "nothing_to_undo"
    title = "There is no old secret"


def create(*, given: KeyInput, by: User) -> ApiKey:
    """With a preset, what is not said is filled in.

    Raises InvalidKey, KeyNameTaken, TooManyKeys, Refused for an address that nothing is sent to, SealingError.
    """
    key, budget, text = _drafted(given, by)
    return _stored(key, budget, text, key_secrets.seal(key, text))


def check(*, given: KeyInput, by: User) -> None:
    """Whether `create` would take it, but for what is there already. Raises InvalidKey, Refused."""
    _drafted(given, by)


def _drafted(given: KeyInput, by: User) -> tuple[ApiKey, KeyBudget, str]:
    """A key that is not stored yet, and its secret."""
    preset = presets.BY_SLUG.get(given.preset or "")
    given = key_inputs.filled_in(given, preset) if preset else given
    key = ApiKey(owner=by)
    budget = KeyBudget(key=key)
    key_inputs.apply(key, given)
    key_inputs.apply_budget(budget, given)
    if not key.api_name:
        raise InvalidKey("Give the key a name.", attr="api_name")
    if not given.api_key:
        raise InvalidKey("Enter the key.", attr="api_key")
    return key, budget, key_inputs.secret(key, given.api_key)


@transaction.atomic
def _stored(key: ApiKey, budget: KeyBudget, text: str, sealed: Sealed) -> ApiKey:
    User.objects.select_for_update().get(pk=key.owner_id)
    if ApiKey.objects.filter(owner=key.owner).count() >= MOST_PER_PERSON:
        raise TooManyKeys(f"You have {MOST_PER_PERSON} keys. Delete those that are not used.")
    _name_secrets(key, text)
    _save(key)
    budget.key = key
    budget.save(force_insert=True)
    _put(key, text, sealed)
    audit.record(
        verbs.KEY_STORED, actor=key.owner, subject=key.api_name, detail={"binding": key.base_url or "no host", "key_id": key.pk}
    )
    return key


def change(*, key: ApiKey, given: KeyInput, by: User) -> ApiKey:
    """What is None stays. A secret that is said replaces the stored one, and the old one is erased.

    Raises as `create` does, SecretNeeded where the key would be sent somewhere else than what it was stored for, and KeyChanged.
    """
    draft = ApiKey.objects.select_related("owner", "budget").get(pk=key.pk)
    budget = draft.budget
    was, before = _said(draft, budget), key_inputs.origin_of(draft)
    key_inputs.apply(draft, given)
    key_inputs.apply_budget(budget, given)
    after = key_inputs.origin_of(draft)
    if after and after != before and not given.api_key:
        raise SecretNeeded("A stored key is not moved to another host. Enter it again to bind it there.", attr="api_key")
    if draft.auth_scheme != key.auth_scheme and AuthScheme.HEADERS in (draft.auth_scheme, key.auth_scheme) and not given.api_key:
        raise SecretNeeded("Another number of secrets is sent. Enter them again.", attr="api_key")
    if before and after != before and given.preset is None:
        draft.preset = ""  # another host is another service
    text = key_inputs.secret(draft, given.api_key) if given.api_key else ""
    sealed = key_secrets.seal(draft, text) if text else None
    changed = [name for name, value in _said(draft, budget).items() if value != was[name]] + ["api_key"] * bool(text)
    if not _TESTED.isdisjoint(changed):
        _forget_test(draft)
    return _changed(draft, budget, text=text, sealed=sealed, changed=changed, by=by)


@transaction.atomic
def _changed(draft: ApiKey, budget: KeyBudget, *, text: str, sealed: Sealed | None, changed: Sequence[str], by: User) -> ApiKey:
    # What was judged above is what is there now: an older row written back would enable a disabled key, or move a new secret.
    if ApiKey.objects.select_for_update().filter(pk=draft.pk, updated_at=draft.updated_at).first() is None:
        raise KeyChanged("Look at what it is now, and change that.")
    if sealed is not None:
        _name_secrets(draft, text)
        draft.secrets.all().delete()
        _put(draft, text, sealed)
    _save(draft)
    budget.save(update_fields=["requests_per_minute", "requests_per_day", "bytes_per_day"])
    audit.record(verbs.KEY_CHANGED, actor=by, subject=draft.api_name, detail={"fields": ", ".join(changed) or "nothing"})
    return draft


def rotate(*, key: ApiKey, api_key: str, previous_usable_until: datetime | None, expires_at: datetime | None, by: User) -> ApiKey:
    """Send `api_key` from now on. Until `previous_usable_until` the old secret can be used and gone back to.

    `expires_at`: when the new one runs out; None for not known. Raises InvalidKey, SealingError.
    """
    now = clock.now()
    if previous_usable_until is not None and not now < previous_usable_until <= now + LONGEST_OVERLAP:
        raise InvalidKey(f"The old secret stays at most {LONGEST_OVERLAP.days} days.", attr="previous_usable_until")
    if expires_at is not None and expires_at <= now:
        raise InvalidKey("That moment is over.", attr="expires_at")
    text = key_inputs.secret(key, api_key)
    sealed = key_secrets.seal(key, text)
    return _rotated(key, text=text, sealed=sealed, previous_usable_until=previous_usable_until, expires_at=expires_at, by=by)


@transaction.atomic
def _rotated(
    key: ApiKey, *, text: str, sealed: Sealed, previous_usable_until: datetime | None, expires_at: datetime | None, by: User
) -> ApiKey:
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    key.secrets.filter(generation=Generation.PREVIOUS).delete()
    if previous_usable_until is None:
        key.secrets.all().delete()
    else:
        key.secrets.update(generation=Generation.PREVIOUS, usable_until=previous_usable_until, expires_at=key.expires_at)
    _name_secrets(key, text)
    _put(key, text, sealed)
    key.rotated_at, key.expires_at = clock.now(), expires_at
    _forget_test(key)
    key.save(update_fields=["rotated_at", "expires_at", "auth_name", *_TEST, "updated_at"])
    until = f"{previous_usable_until:%Y-%m-%d %H:%M} UTC" if previous_usable_until else "no later than now"
    audit.record(verbs.KEY_ROTATED, actor=by, subject=key.api_name, detail={"until": until})
    return key


def undo_rotation(*, key: ApiKey, by: User) -> ApiKey:
    """Go back to the old secret, and to when it runs out; the new one is erased. Raises NothingToUndo, SealingError."""
    old = key.secrets.select_related("key").filter(generation=Generation.PREVIOUS, usable_until__gt=clock.now()).first()
    if old is None:
        raise NothingToUndo("The old secret has been erased.")
    text = key_secrets.opened(old) if key.auth_scheme == AuthScheme.HEADERS else ""
    return _undone(key, old, text=text, by=by)


@transaction.atomic
def _undone(key: ApiKey, old: ApiKeySecret, *, text: str, by: User) -> ApiKey:
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if not key.secrets.filter(pk=old.pk, generation=Generation.PREVIOUS).exists():
        raise NothingToUndo("The old secret has been erased.")
    key.secrets.filter(generation=Generation.CURRENT).delete()
    key.secrets.filter(pk=old.pk).update(generation=Generation.CURRENT, usable_until=None, expires_at=None)
    _name_secrets(key, text)
    key.expires_at = old.expires_at
    _forget_test(key)
    key.save(update_fields=["expires_at", "auth_name", *_TEST, "updated_at"])
    audit.record(verbs.KEY_ROTATION_UNDONE, actor=by, subject=key.api_name)
    return key


@transaction.atomic
def retire_old_secret(*, key: ApiKey, by: User) -> None:
    """Erase the old secret before its time. Does nothing where there is none."""
    if key.secrets.filter(generation=Generation.PREVIOUS).delete()[0]:
        audit.record(verbs.KEY_SECRET_RETIRED, actor=by, subject=key.api_name)


@transaction.atomic
def set_enabled(*, key: ApiKey, enabled: bool, by: User) -> None:
    """Nothing is sent with a disabled key."""
    if ApiKey.objects.filter(pk=key.pk).exclude(enabled=enabled).update(enabled=enabled, updated_at=clock.now()):
        audit.record(verbs.KEY_ENABLED if enabled else verbs.KEY_DISABLED, actor=by, subject=key.api_name)


@transaction.atomic
def delete(*, key: ApiKey, by: User) -> None:
    """Its secrets are erased; its log stays under its name."""
    if ApiKey.objects.select_for_update().filter(pk=key.pk).exists():
        ApiKey.objects.filter(pk=key.pk).delete()
        audit.record(verbs.KEY_DELETED, actor=by, subject=key.api_name)


def _said(key: ApiKey, budget: KeyBudget) -> dict[str, object]:
    """Everything but the secret that people say about a key."""
    said = [one.name for one in fields(KeyInput) if one.name != "api_key"]
    return {name: getattr(budget if name in key_inputs.LIMITS else key, name) for name in said}


def _forget_test(key: ApiKey) -> None:
    """What was found out is nothing about what is sent from now on."""
    key.tested_at, key.test_works, key.test_detail = None, None, ""


def _name_secrets(key: ApiKey, text: str) -> None:
    """Of several headers, their names are told; their values are the secret."""
    if key.auth_scheme == AuthScheme.HEADERS:
        key.auth_name = ", ".join(injection.several(text))[:255]


def _put(key: ApiKey, text: str, sealed: Sealed) -> None:
    ApiKeySecret.objects.create(
        key=key,
        generation=Generation.CURRENT,
        sealed=sealed.ciphertext,
        sealed_with=sealed.key_id,
        hint=injection.hint(AuthScheme(key.auth_scheme), text),
        fingerprint=key_secrets.fingerprint(key.owner, text),
    )


def _save(key: ApiKey) -> None:
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError:
        raise KeyNameTaken(f"You have a key called “{key.api_name}” already.", attr="api_name") from None
