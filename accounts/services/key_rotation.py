"""Replacing an account's access key by a new one: make it, prove it, use it, switch the old one off, delete it.

Each step is one call to AWS and one row state, so that it can be resumed where it stopped and taken back until the old key
is deleted. The row is claimed for each step; AWS is never called inside a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import AuthMethod, AwsAccount, KeyRotation, RotationStatus, User
from accounts.services import credentials, encryption
from accounts.services.inputs import KeyInput
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.aws import access_keys, sts
from cloudconsole.aws.credentials import Access, StaticKey
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import Context, Sealed, Unreadable, keyring

_FIELD = "key_rotation.sealed"
_STEP_LASTS = timedelta(minutes=2)  # longer than one call with all its retries
_TOO_LATE = (RotationStatus.DONE, RotationStatus.UNDONE)
_STATE = ["status", "new_key_hint", "error_code", "error_detail", "error_remedy", "working_until", "changed_at"]
_KEYS = ["sealed", "sealed_with"]


class NothingToRotate(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "nothing_to_rotate"
    title = "There is no access key to rotate"


class RotationUnderWay(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "rotation_under_way"
    title = "The access key is being rotated already"


class NoRotation(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_rotation"
    title = "No rotation is under way"


class NoRoomForKey(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "two_keys_already"
    title = "The user has two access keys already"
    remedy = "Delete the one that nobody uses in IAM (its “last used” tells), then go on here."


class KeysUnreadable(credentials.CredentialsUnreadable):
    pass


@dataclass(frozen=True)
class _Pair:
    old: StaticKey
    new: StaticKey


def start(*, account: AwsAccount, by: User) -> KeyRotation:
    """Begin with asking AWS for a second key. Raises NothingToRotate, RotationUnderWay, and as `advance`."""
    if account.auth_method != AuthMethod.ACCESS_KEY or _stored(account).session_token:
        raise NothingToRotate("Only long-lived access keys are rotated; roles and temporary keys renew themselves.")
    try:
        with transaction.atomic():
            rotation = KeyRotation.objects.create(account=account, old_key_hint=account.access_key_hint, requested_by=by)
            audit.record(verbs.KEY_ROTATION_STARTED, actor=by, account=account, outcome="intent")
    except IntegrityError as error:
        raise RotationUnderWay("Go on with it, or take it back.") from error
    return advance(rotation=rotation, by=by)


def advance(*, rotation: KeyRotation, by: User) -> KeyRotation:
    """The next step. A refusal is kept in the row and raised; the same step is then tried again.

    Raises AwsError, SealingError, KeysUnreadable, NoRoomForKey, RotationUnderWay
    while another works on it, NoRotation when it is over.
    """
    step = _STEPS.get(RotationStatus(rotation.status))
    if step is None:
        raise NoRotation("This rotation is over.")
    return _carried_out(rotation, step, by)


def undo(*, rotation: KeyRotation, by: User) -> KeyRotation:
    """Back to the old key; the new one is deleted. Possible until the old one is. Raises as `advance`."""
    if rotation.status in _TOO_LATE:
        raise NoRotation("This rotation is over, and cannot be taken back.")
    return _carried_out(rotation, _take_back, by)


def _carried_out(rotation: KeyRotation, step: Callable[[KeyRotation, User], RotationStatus], by: User) -> KeyRotation:
    """One step by one worker; what it changed is saved with the new state and its event."""
    _claim(rotation)
    try:
        reached = step(rotation, by)
    except CloudconsoleError as error:
        _keep(rotation, error)
        raise
    verb = verbs.KEY_ROTATION_UNDONE if reached == RotationStatus.UNDONE else verbs.KEY_ROTATION_STEP
    with transaction.atomic():
        rotation.status, rotation.working_until = reached, None
        rotation.error_code = rotation.error_detail = rotation.error_remedy = ""
        if reached in _TOO_LATE:
            rotation.sealed, rotation.sealed_with = b"", ""
        # The keys only where a step has changed them: they may have moved to a newer encryption key meanwhile.
        rotation.save(update_fields=[*_STATE, *(_KEYS if reached in (RotationStatus.CREATED, *_TOO_LATE) else ())])
        realtime.publish("account", rotation.account_id, rotation.account_id)
        audit.record(verb, actor=by, account=rotation.account, detail={"step": RotationStatus(reached).label})
    return rotation


def _claim(rotation: KeyRotation) -> None:
    now = clock.now()
    free = Q(working_until=None) | Q(working_until__lt=now)
    same = KeyRotation.objects.filter(free, pk=rotation.pk, status=rotation.status)
    if not same.update(working_until=now + _STEP_LASTS):
        raise RotationUnderWay("Somebody is at this step right now. Look again in a moment.")


def _keep(rotation: KeyRotation, error: CloudconsoleError) -> None:
    kept = {"error_code": error.code, "error_detail": error.detail, "error_remedy": getattr(error, "remedy", "") or ""}
    KeyRotation.objects.filter(pk=rotation.pk).update(working_until=None, **kept)
    realtime.publish("account", rotation.account_id, rotation.account_id)


def _make(rotation: KeyRotation, by: User) -> RotationStatus:
    account = rotation.account
    old = _stored(account)
    access = credentials.access_for(account, by)
    _seal(account, _Pair(old, old))  # a key that cannot be kept is not made
    _clear_the_way(rotation, access, old)
    new = access_keys.create(access)
    sealed = _seal(account, _Pair(old, new))
    rotation.sealed, rotation.sealed_with, rotation.new_key_hint = sealed.ciphertext, sealed.key_id, new.access_key_id[-4:]
    return RotationStatus.CREATED


def _clear_the_way(rotation: KeyRotation, access: Access, old: StaticKey) -> None:
    """A key that an interrupted attempt of this rotation made is lost with its secret, and deleted; any other is not ours."""
    was_tried = rotation.working_until is not None or rotation.error_code != ""
    since = rotation.created_at.replace(microsecond=0)
    for key in access_keys.own(access):
        if key.access_key_id == old.access_key_id:
            continue
        if not was_tried or key.created_at < since:
            raise NoRoomForKey(f"Beside the one in use there is one that ends in {key.access_key_id[-4:]}; IAM allows two.")
        access_keys.delete(access, key.access_key_id)


def _prove(rotation: KeyRotation, by: User) -> RotationStatus:
    """A new key is not known everywhere at once: for some seconds AWS may refuse it, and this step is tried again."""
    sts.whoami(_as(rotation.account, _open(rotation).new, by))
    return RotationStatus.PROVEN


def _swap(rotation: KeyRotation, by: User) -> RotationStatus:
    _put(rotation.account, _open(rotation).new)
    return RotationStatus.SWAPPED


def _switch_off(rotation: KeyRotation, by: User) -> RotationStatus:
    pair = _open(rotation)
    access_keys.set_status(_as(rotation.account, pair.new, by), pair.old.access_key_id, "Inactive")
    return RotationStatus.DEACTIVATED


def _delete_old(rotation: KeyRotation, by: User) -> RotationStatus:
    pair = _open(rotation)
    _delete(_as(rotation.account, pair.new, by), pair.old)
    return RotationStatus.DONE


_STEPS: dict[RotationStatus, Callable[[KeyRotation, User], RotationStatus]] = {
    RotationStatus.CREATING: _make,
    RotationStatus.CREATED: _prove,
    RotationStatus.PROVEN: _swap,
    RotationStatus.SWAPPED: _switch_off,
    RotationStatus.DEACTIVATED: _delete_old,
}


def _take_back(rotation: KeyRotation, by: User) -> RotationStatus:
    if not rotation.sealed:
        return RotationStatus.UNDONE  # no key was made, or none that is known here
    pair = _open(rotation)
    if rotation.status in (RotationStatus.SWAPPED, RotationStatus.DEACTIVATED):
        access_keys.set_status(_as(rotation.account, pair.new, by), pair.old.access_key_id, "Active")
        _put(rotation.account, pair.old)
    _delete(_as(rotation.account, pair.old, by), pair.new)
    return RotationStatus.UNDONE


def _delete(access: Access, key: StaticKey) -> None:
    try:
        access_keys.delete(access, key.access_key_id)
    except AwsError as error:
        if error.cause is not AwsErrorKind.NOT_FOUND:  # gone already: an earlier try got that far
            raise


def _put(account: AwsAccount, key: StaticKey) -> None:
    sealed = credentials.seal(account, KeyInput(key.access_key_id, key.secret_access_key))
    with transaction.atomic():
        credentials.put(account=account, sealed=sealed)
        account.access_key_hint, account.key_created_at = key.access_key_id[-4:], None
        account.save(update_fields=["access_key_hint", "key_created_at"])


def _as(account: AwsAccount, key: StaticKey, by: User) -> Access:
    return credentials.unstored_access(account, KeyInput(key.access_key_id, key.secret_access_key), by)


def _stored(account: AwsAccount) -> StaticKey:
    source = credentials.access_for(account, None).source
    if not isinstance(source, StaticKey):
        raise NothingToRotate("This account has no access key of its own.")
    return source


def _seal(account: AwsAccount, pair: _Pair) -> Sealed:
    keys = {name: [key.access_key_id, key.secret_access_key] for name, key in (("old", pair.old), ("new", pair.new))}
    encryption.prove_current_key()
    return keyring().seal(json.dumps({"account": str(account.uuid), "field": _FIELD, **keys}), _context(account))


def _context(account: AwsAccount) -> Context:
    return Context(str(account.uuid), _FIELD)


def _open(rotation: KeyRotation) -> _Pair:
    try:
        text = keyring().open(Sealed(bytes(rotation.sealed), rotation.sealed_with), _context(rotation.account))
    except Unreadable as error:
        raise KeysUnreadable(f"The keys of this rotation cannot be read. {error.detail}") from error
    opened = json.loads(text)
    if opened.get("account") != str(rotation.account.uuid) or opened.get("field") != _FIELD:
        raise KeysUnreadable("The keys of this rotation were sealed for another account and are refused.")
    return _Pair(StaticKey(*opened["old"]), StaticKey(*opened["new"]))


def open_rotation(account: AwsAccount) -> KeyRotation:
    """The rotation under way. Raises NoRotation."""
    found = KeyRotation.objects.open().filter(account=account).select_related("account").first()
    if found is None:
        raise NoRotation("Nobody has started to rotate the access key of this account.")
    return found
