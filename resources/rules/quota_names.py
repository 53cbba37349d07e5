"""Which Claude model a Bedrock quota or a CloudWatch series is about. Every word has to fit: the nearest is never taken.

Names of quotas are read as AWS writes them ("Global cross-region model inference tokens per minute for Anthropic Claude
Sonnet 4.5 V1"), whatever their case and hyphens. Quota codes are not looked at: they are no key to a model.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Profile(StrEnum):
    """How a model is called, which decides whose limit counts. REGIONAL: called without a global profile."""

    ON_DEMAND = "on_demand"
    CROSS_REGION = "cross_region"
    GLOBAL = "global"
    REGIONAL = "regional"


class Measure(StrEnum):
    """What a quota counts."""

    TOKENS_PER_MINUTE = "tokens_per_minute"
    REQUESTS_PER_MINUTE = "requests_per_minute"
    TOKENS_PER_DAY = "tokens_per_day"


@dataclass(frozen=True, slots=True, order=True)
class Claude:
    """A model: "sonnet", "4.5", revision 1. Claude 2 and 2.1 have no family. `long_context`: its requests of 1M tokens."""

    family: str
    version: str
    revision: int = 1
    long_context: bool = False

    @property
    def title(self) -> str:
        """For people: "Claude Sonnet 4.5", "Claude 3.5 Sonnet V2", "Claude Sonnet 4.5, 1M context"."""
        words = [self.version, self.family.capitalize()] if self.number < 4 else [self.family.capitalize(), self.version]
        name = " ".join(["Claude", *(word for word in words if word)])
        return name + (f" V{self.revision}" if self.revision > 1 else "") + (", 1M context" if self.long_context else "")

    @property
    def key(self) -> str:
        """In rows and addresses: "sonnet-4.5", "sonnet-3.5-v2"."""
        parts = [self.family, self.version, f"v{self.revision}" if self.revision > 1 else "", "1m" if self.long_context else ""]
        return "-".join(part for part in parts if part)

    @property
    def number(self) -> float:
        """The version as a number; Instant, which has none, is older than all."""
        return float(self.version) if self.version else 0.0


@dataclass(frozen=True, slots=True)
class Meant:
    """What a quota is about."""

    model: Claude
    profile: Profile
    measure: Measure


_FAMILIES = frozenset({"sonnet", "opus", "haiku"})
_WORDS = re.compile(r"[a-z0-9.]+")
_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,2})?")
_REVISION = re.compile(r"v(\d{1,2})")

# The words before the model, exactly.
_LEADS: dict[tuple[str, ...], tuple[Profile, Measure]] = {
    tuple(f"{way} {kind} {what}".split()): (profile, measure)
    for way, profile in (
        ("on demand", Profile.ON_DEMAND),
        ("cross region", Profile.CROSS_REGION),
        ("global cross region", Profile.GLOBAL),
    )
    for kind in ("model inference", "invokemodel")
    for what, measure in (
        ("tokens per minute for", Measure.TOKENS_PER_MINUTE),
        ("requests per minute for", Measure.REQUESTS_PER_MINUTE),
        ("tokens per day for", Measure.TOKENS_PER_DAY),
    )
} | {("model", "invocation", "max", "tokens", "per", "day", "for"): (Profile.REGIONAL, Measure.TOKENS_PER_DAY)}
_DOUBLED = ("doubled", "for", "cross", "region", "calls")


def quota(name: str) -> Meant | None:
    """What the quota called `name` is about; None where a single word of it is not understood."""
    words = tuple(_WORDS.findall(name.lower()))
    for lead, (profile, measure) in _LEADS.items():
        if words[: len(lead)] == lead:
            rest = words[len(lead) :]
            if profile is Profile.REGIONAL and rest[-len(_DOUBLED) :] == _DOUBLED:
                rest = rest[: -len(_DOUBLED)]
            model = _named(rest)
            return Meant(model, profile, measure) if model else None
    return None


def model_called(name: str) -> Claude | None:
    """The model called so, by every word: "Claude Sonnet 4.5", "Anthropic Claude 3.5 Sonnet V2"."""
    return _named(tuple(_WORDS.findall(name.lower())))


def is_about_claude(name: str) -> bool:
    """Whether a quota of Bedrock is about using a Claude model, understood or not: tokens or requests in a time."""
    words = set(_WORDS.findall(name.lower()))
    return "claude" in words and "per" in words and bool(words & {"tokens", "requests"})


def _named(words: tuple[str, ...]) -> Claude | None:
    """The model called so: "Anthropic Claude Sonnet 4.5 V1", "Anthropic Claude 3.5 Sonnet V2", "Anthropic Claude V2.1"."""
    if words[:1] == ("anthropic",):
        words = words[1:]
    if words[:1] != ("claude",):
        return None
    words = words[1:]
    long_context = words[-3:] == ("1m", "context", "length")
    words = words[:-3] if long_context else words
    if words == ("instant",):
        return Claude("instant", "", 1, long_context)
    if len(words) == 1 and words[0].startswith("v") and _VERSION.fullmatch(words[0][1:]):
        return Claude("", words[0][1:], 1, long_context)
    if len(words) not in (2, 3):
        return None
    revision = _REVISION.fullmatch(words[2]) if len(words) == 3 else None
    if len(words) == 3 and revision is None:
        return None
    return _family_and_version(words[:2], int(revision[1]) if revision else 1, long_context=long_context)


def _family_and_version(words: tuple[str, ...], revision: int, *, long_context: bool) -> Claude | None:
    """The two came in the other order until Claude 4."""
    for family, version in (words, words[::-1]):
        if family in _FAMILIES and _VERSION.fullmatch(version):
            return Claude(family, version, revision, long_context)
    return None


# --- ids of models, as CloudWatch names them


_ID = re.compile(r"(?:(?P<prefix>[a-z]{2,}(?:-[a-z]+)*)\.)?anthropic\.claude-(?P<rest>[a-z0-9.:-]+)")
# A date, a revision, a size of context: "-20250929", "-v1:0", ":200k".
_TAIL = re.compile(r"(?:-(?P<date>\d{8}))?(?:-v(?P<revision>\d{1,2}))?(?::\d{1,2})?(?::\d{1,4}k)?")
_NEWER = re.compile(r"(?P<family>sonnet|opus|haiku)-(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?(?P<tail>(?:[-:].*)?)")
_OLDER = re.compile(r"(?P<major>\d{1,2})(?:-(?P<minor>\d{1,2}))?-(?P<family>sonnet|opus|haiku)(?P<tail>(?:[-:].*)?)")
_FIRST = re.compile(r"v(?P<version>2(?:[:.]1)?)(?::\d{1,4}k)?")


@dataclass(frozen=True, slots=True, order=True)
class Called:
    """A model and the profile it was called by."""

    model: Claude
    profile: Profile


def called(model_id: str) -> Called | None:
    """What a ModelId of CloudWatch means; None for anything else, such as the ARN of a profile that somebody made."""
    found = _ID.fullmatch(model_id)
    model = _of_id(found["rest"]) if found else None
    if found is None or model is None:
        return None
    prefix = found["prefix"]
    if prefix is None:
        return Called(model, Profile.ON_DEMAND)
    return Called(model, Profile.GLOBAL if prefix == "global" else Profile.CROSS_REGION)


def _of_id(rest: str) -> Claude | None:
    if first := _FIRST.fullmatch(rest):
        return Claude("", first["version"].replace(":", "."))
    if re.fullmatch(r"instant-v1(?::\d{1,4}k)?(?::\d{1,4}k)?", rest):
        return Claude("instant", "")
    found = _NEWER.fullmatch(rest) or _OLDER.fullmatch(rest)
    tail = _TAIL.fullmatch(found["tail"]) if found else None
    if found is None or tail is None:
        return None
    version = found["major"] + (f".{found['minor']}" if found["minor"] else "")
    return Claude(found["family"], version, int(tail["revision"] or 1))


def is_unclear(model_id: str) -> bool:
    """Whether calls by this id may take from quotas of Claude models without saying of which."""
    return called(model_id) is None and ("claude" in model_id or "application-inference-profile" in model_id)


# --- models that were called and have no quota

_UNLISTED = "unlisted"


def unlisted_code(one: Called) -> str:
    """What stands in the place of a quota's code."""
    return f"{_UNLISTED}:{one.model.family}:{one.model.version}:{one.model.revision}:{one.profile.value}"


def model_of(name: str, code: str) -> Claude:
    """The model of a quota by its name, or of one that is not listed by its code. ValueError where neither tells."""
    meant = quota(name)
    if meant is not None:
        return meant.model
    prefix, family, version, revision, _ = code.split(":")
    if prefix != _UNLISTED:
        raise ValueError(code)
    return Claude(family, version, int(revision))
