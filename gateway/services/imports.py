"""Keys out of a .env file or JSON: shown first, without their secrets, then created one by one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction

from accounts.models import User
from audit import services as audit
from cloudconsole.core.errors import CloudconsoleError
from gateway import verbs
from gateway.models import ApiKey, ApiKeySecret, Generation
from gateway.rules import presets, secret_files
from gateway.rules.keys import AuthScheme
from gateway.rules.secret_files import Found
from gateway.services import key_inputs, key_secrets, keys
from gateway.services.key_inputs import InvalidKey, KeyInput

LONGEST = 500_000
_SAID = ("description", "base_url", "auth_scheme", "auth_name", "auth_template", "test_path")


@dataclass(frozen=True)
class Imported:
    """One key of the text. `verdict`: new, created, name_taken, same_secret (as the key named in `detail`) or invalid."""

    name: str
    given: KeyInput = field(repr=False)
    verdict: str = "new"
    detail: str = ""

    @property
    def api_name(self) -> str:
        return self.given.api_name or ""

    @property
    def key_hint(self) -> str:
        secret = self.given.api_key or ""
        return secret[-4:] if len(secret) >= 16 else ""

    @property
    def base_url(self) -> str:
        return self.given.base_url or ""

    @property
    def auth_scheme(self) -> str:
        return self.given.auth_scheme or AuthScheme.BEARER.value

    @property
    def preset(self) -> str:
        return self.given.preset or ""


def preview(*, text: str, by: User) -> list[Imported]:
    """What would be created, and what not and why. Nothing is stored. Raises InvalidKey for a text that is neither format."""
    try:
        found = secret_files.read(text)
    except secret_files.Unreadable as error:
        raise InvalidKey(str(error), attr="text") from None
    taken = {name.lower() for name in ApiKey.objects.filter(owner=by).values_list("api_name", flat=True)}
    secrets = dict(
        ApiKeySecret.objects.filter(key__owner=by, generation=Generation.CURRENT).values_list("fingerprint", "key__api_name")
    )
    shown = []
    for one in found:
        imported = _judged(Imported(one.name, _given(one)), by, taken, secrets)
        if imported.verdict == "new":
            taken.add(imported.api_name.lower())
        shown.append(imported)
    return shown


def create(*, found: Sequence[Imported], names: Collection[str], by: User) -> list[Imported]:
    """Create those of `found` that are chosen by name and new; one that is refused stops no other."""
    done = [_created(one, by) if one.name in names and one.verdict == "new" else one for one in found]
    _note(sum(one.verdict == "created" for one in done), by)
    return done


def _created(one: Imported, by: User) -> Imported:
    try:
        keys.create(given=one.given, by=by)
    except CloudconsoleError as error:
        return replace(one, verdict="invalid", detail=error.detail)
    return replace(one, verdict="created")


@transaction.atomic
def _note(count: int, by: User) -> None:
    if count:
        audit.record(verbs.KEYS_IMPORTED, actor=by, detail={"count": count})


def _judged(one: Imported, by: User, taken: Collection[str], secrets: dict[str, str]) -> Imported:
    same = secrets.get(key_secrets.fingerprint(by, one.given.api_key or ""))
    if same is not None:
        return replace(one, verdict="same_secret", detail=f"You have this key as “{same}” already.")
    if one.api_name.lower() in taken:
        return replace(one, verdict="name_taken", detail=f"You have a key called “{one.api_name}” already.")
    try:
        keys.check(given=one.given, by=by)
    except CloudconsoleError as error:
        return replace(one, verdict="invalid", detail=error.detail)
    return one


def _given(found: Found) -> KeyInput:
    """What the text says, and what is known of the service whose key it looks like."""
    preset = presets.for_variable(found.name) or presets.for_secret(found.secret)
    said = {name: str(value) for name in _SAID if isinstance(value := found.said.get(name), str)}
    known = KeyInput(api_name=found.api_name, api_key=found.secret)
    if preset is not None and not preset.needs_filling and "base_url" not in said:
        known = key_inputs.filled_in(known, preset)
    return replace(known, **said)  # type: ignore[arg-type]
