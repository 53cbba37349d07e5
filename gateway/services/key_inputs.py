"""What people say about a key of another service, checked before anything is stored. For the API and the pages alike."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.net import addresses
from cloudconsole.net.addresses import Address
from cloudconsole.net.egress import PlainHttp, Refused, door
from gateway.models import ApiKey, KeyBudget
from gateway.models.keys import MOST_RETRIES
from gateway.rules import bindings, injection, keys, presets
from gateway.rules.bindings import Binding
from gateway.rules.keys import AuthScheme, WhenEmpty
from gateway.rules.presets import Preset

LONGEST_CAPTURE = timedelta(days=7)
LIMITS = ("requests_per_minute", "requests_per_day", "bytes_per_day")
_MOST_PATHS = 50
_MOST_LIMIT = 2_000_000_000
_MOST_BYTES = 2**50


class InvalidKey(CloudconsoleError):
    """`attr` names the input at fault, as the API and the forms call it."""

    code = "invalid"
    title = "The input is not valid"


class SecretNeeded(CloudconsoleError):
    """A stored secret is never moved to another host, so that nobody can have it sent to one of theirs."""

    code = "secret_needed"
    title = "Enter the key again"


@dataclass(frozen=True)
class Never:
    """No moment and no limit, said on purpose."""


NEVER = Never()


@dataclass(frozen=True)
class KeyInput:
    """None leaves a thing as it is; NEVER takes away a date or a limit."""

    api_name: str | None = None
    api_key: str | None = field(default=None, repr=False)
    description: str | None = None
    base_url: str | None = None
    auth_scheme: str | None = None
    auth_name: str | None = None
    auth_template: str | None = None
    allowed_methods: Sequence[str] | None = None
    allowed_paths: Sequence[str] | None = None
    preset: str | None = None
    dialect: str | None = None
    plain_http: bool | None = None
    follow_redirects: bool | None = None
    retries: int | None = None
    when_empty: str | None = None
    test_method: str | None = None
    test_path: str | None = None
    enabled: bool | None = None
    expires_at: datetime | Never | None = None
    capture_until: datetime | Never | None = None
    requests_per_minute: int | Never | None = None
    requests_per_day: int | Never | None = None
    bytes_per_day: int | Never | None = None


def filled_in(given: KeyInput, preset: Preset) -> KeyInput:
    """What is not said, as the well-known service has it. An address of which a part is the customer's own is not guessed."""
    known: dict[str, str] = {
        "base_url": "" if preset.needs_filling else preset.base_url,
        "auth_scheme": preset.scheme,
        "auth_name": preset.auth_name,
        "auth_template": preset.template,
        "test_method": preset.test_method,
        "test_path": preset.test_path,
        "preset": preset.slug,
    }
    return replace(given, **{name: value for name, value in known.items() if getattr(given, name) is None})  # type: ignore[arg-type]


def apply(key: ApiKey, given: KeyInput) -> None:
    """Set what is said, each checked by itself and all together. Raises InvalidKey, Refused."""
    _apply_texts(key, given)
    _apply_binding(key, given)
    _apply_auth(key, given)
    _apply_switches(key, given)
    _apply_moments(key, given)


def apply_budget(budget: KeyBudget, given: KeyInput) -> None:
    """Raises InvalidKey."""
    for name, most in zip(LIMITS, (_MOST_LIMIT, _MOST_LIMIT, _MOST_BYTES), strict=True):
        value = getattr(given, name)
        if value is None:
            continue
        if isinstance(value, int) and not 1 <= value <= most:
            raise InvalidKey("A limit is at least 1; leave it empty for none.", attr=name)
        setattr(budget, name, None if isinstance(value, Never) else value)


def secret(key: ApiKey, text: str) -> str:
    """The secret as it is sent, checked against how the key is sent. Raises InvalidKey."""
    found = "\n".join(line.strip() for line in text.strip().splitlines() if line.strip())
    try:
        injection.check(AuthScheme(key.auth_scheme), key.auth_name, key.auth_template, found, _prefix(key))
    except injection.InvalidAuth as error:
        raise InvalidKey(error.detail, attr=error.attr) from None
    return found


def origin_of(key: ApiKey) -> str:
    """Scheme, host and port, and how the secret is sent there; empty for a key that is bound to nothing."""
    return _origin(addresses.parse(key.base_url)) if key.base_url else ""


def _origin(address: Address) -> str:
    return f"{address.scheme}://{address.host}:{address.port}"


def _apply_texts(key: ApiKey, given: KeyInput) -> None:
    if given.api_name is not None:
        name = " ".join(given.api_name.split())
        if not keys.is_name(name):
            raise InvalidKey(
                f"A name has up to {keys.LONGEST_NAME} letters, digits, dots, hyphens, underscores and single spaces.",
                attr="api_name",
            )
        key.api_name = name
    if given.description is not None:
        key.description = _short("description", " ".join(given.description.split()), 500)
    if given.preset is not None:
        key.preset = _one_of("preset", given.preset.strip(), presets.BY_SLUG)
    if given.dialect is not None:
        key.dialect = _one_of("dialect", given.dialect.strip(), dict(presets.dialects()))


def _apply_binding(key: ApiKey, given: KeyInput) -> None:
    key.plain_http = key.plain_http if given.plain_http is None else given.plain_http
    if given.base_url is not None:
        key.base_url = _base_url(given.base_url.strip(), plain_http=key.plain_http) if given.base_url.strip() else ""
    if given.allowed_methods is not None:
        methods = bindings.normalised_methods(given.allowed_methods)
        if any(method not in keys.METHODS for method in methods):
            raise InvalidKey(f"Methods are {', '.join(keys.METHODS)}.", attr="allowed_methods")
        key.allowed_methods = methods
    if given.allowed_paths is not None:
        key.allowed_paths = _paths(given.allowed_paths)


def _base_url(text: str, *, plain_http: bool) -> str:
    """Written anew from its parts. A name is looked up when something is sent; a number is judged at once."""
    try:
        address = addresses.parse(text)
        if address.literal is not None:
            door(plain_http=PlainHttp.ANYWHERE if plain_http else PlainHttp.EXCEPTED).check(text)
    except Refused as refusal:
        raise Refused(refusal.cause, attr="base_url") from None
    if "?" in address.target:
        raise InvalidKey("A base address has no query.", attr="base_url")
    if bindings.climbs(address.target):
        raise InvalidKey("A base address does not go up.", attr="base_url")
    return Binding(address).joined("")


def _paths(given: Sequence[str]) -> list[str]:
    paths = list(dict.fromkeys(path.strip() for path in given if path.strip()))
    if len(paths) > _MOST_PATHS:
        raise InvalidKey(f"At most {_MOST_PATHS} paths.", attr="allowed_paths")
    for path in paths:
        if len(path) > 500 or not bindings.is_glob(path):
            raise InvalidKey("A path begins with “/”; * stands for one segment, ** for several.", attr="allowed_paths")
    return paths


def _apply_auth(key: ApiKey, given: KeyInput) -> None:
    if given.auth_scheme is not None:
        if given.auth_scheme not in set(AuthScheme):
            raise InvalidKey(f"A scheme is {', '.join(AuthScheme)}.", attr="auth_scheme")
        key.auth_scheme = given.auth_scheme
    if given.auth_name is not None:
        key.auth_name = _short("auth_name", given.auth_name.strip(), 255)
    if given.auth_template is not None:
        key.auth_template = _short("auth_template", given.auth_template.strip(), 255)
    try:
        injection.check_place(AuthScheme(key.auth_scheme), key.auth_name, key.auth_template, _prefix(key))
    except injection.InvalidAuth as error:
        raise InvalidKey(error.detail, attr=error.attr) from None


def _apply_switches(key: ApiKey, given: KeyInput) -> None:
    for name in ("follow_redirects", "enabled"):
        if getattr(given, name) is not None:
            setattr(key, name, getattr(given, name))
    if given.retries is not None:
        if not 0 <= given.retries <= MOST_RETRIES:
            raise InvalidKey(f"At most {MOST_RETRIES} further attempts.", attr="retries")
        key.retries = given.retries
    if given.when_empty is not None:
        if given.when_empty not in set(WhenEmpty):
            raise InvalidKey(f"Say {' or '.join(WhenEmpty)}.", attr="when_empty")
        key.when_empty = given.when_empty
    if given.test_method is not None:
        if given.test_method not in ("GET", "HEAD", "POST"):
            raise InvalidKey("A test is a GET, HEAD or POST.", attr="test_method")
        key.test_method = given.test_method
    if given.test_path is not None:
        key.test_path = _test_path(given.test_path.strip())


def _test_path(text: str) -> str:
    if text and (not text.startswith("/") or not text.isascii() or not text.isprintable() or len(text) > 1024 or " " in text):
        raise InvalidKey("A path begins with “/”.", attr="test_path")
    return text


def _apply_moments(key: ApiKey, given: KeyInput) -> None:
    now = clock.now()
    if isinstance(given.expires_at, datetime) and given.expires_at <= now and given.expires_at != key.expires_at:
        raise InvalidKey("That moment is over.", attr="expires_at")
    if given.expires_at is not None:
        key.expires_at = None if isinstance(given.expires_at, Never) else given.expires_at
    if isinstance(given.capture_until, datetime) and not now < given.capture_until <= now + LONGEST_CAPTURE:
        raise InvalidKey(f"Capture ends within {LONGEST_CAPTURE.days} days.", attr="capture_until")
    if given.capture_until is not None:
        key.capture_until = None if isinstance(given.capture_until, Never) else given.capture_until


def _prefix(key: ApiKey) -> str:
    return addresses.parse(key.base_url).target if key.base_url else ""


def _one_of(attr: str, text: str, known: Container[str]) -> str:
    if text and text not in known:
        raise InvalidKey("That is none that is known.", attr=attr)
    return text


def _short(attr: str, text: str, longest: int) -> str:
    if len(text) > longest:
        raise InvalidKey(f"At most {longest} characters.", attr=attr)
    return text
