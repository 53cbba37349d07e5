"""Deploying a function from a zip file, and going back to an earlier version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from accounts.models import AwsAccount, User
from accounts.services import credentials
from cloudconsole.aws import lambda_
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.lambda_ import AliasFacts, FunctionFacts
from cloudconsole.core.errors import CloudconsoleError
from resources.models import Operation
from resources.rules import functions, packages
from resources.rules.functions import LATEST, Configuration, Fault
from resources.rules.packages import Package, PackageTooLarge
from resources.selectors.deployments import FunctionPlace
from resources.services import capabilities, operations, places
from resources.services.operations import Target
from resources.services.operations.here import Doing
from resources.services.releases import Release


class InvalidFunction(CloudconsoleError):
    """AWS would refuse what is wished for."""

    code = "function_invalid"
    title = "AWS would refuse this function"


class HandlerMissing(CloudconsoleError):
    """The package lacks the file that the handler names."""

    code = "handler_missing"
    title = "The package lacks its handler"
    remedy = "Put the file into the package, or say that it comes from elsewhere, such as a layer."


@dataclass(frozen=True, slots=True)
class Deployed:
    """A function with its new code. `previous_version` holds what was there before; empty for a new function.

    `warning`: what will probably go wrong when it is invoked, in one sentence. `aliases_behind` mean other code still.
    """

    name: str
    version: str
    code_sha256: str
    created: bool
    previous_version: str
    warning: str
    aliases_behind: tuple[AliasFacts, ...]
    operation_id: int


@dataclass(frozen=True, slots=True)
class History:
    """The versions of a function, newest first, and what its aliases mean."""

    latest: FunctionFacts
    versions: tuple[FunctionFacts, ...]
    aliases: tuple[AliasFacts, ...]


def deploy(
    *,
    account: AwsAccount,
    region: str,
    name: str,
    stream: BinaryIO,
    wish: Configuration,
    publish: bool,
    by: User,
    handler_elsewhere: bool = False,
) -> Deployed:
    """Create the function, or give it new code, and wait until it can be invoked.

    With `publish` what was there before becomes a version as well, so that one can go back to it. `handler_elsewhere`:
    the package is not to hold the handler's file, which a layer brings.
    Raises InvalidFunction, UnknownRegion, InvalidPackage, PackageTooLarge, HandlerMissing, NotAPackage, ReleaseIncomplete,
    AwsError, and what `operations.carried_out` raises.
    """
    if not functions.is_name(name):
        raise InvalidFunction("A function's name has 1 to 64 letters, digits, hyphens and underscores.", attr="name")
    _refuse(wish.faults())
    place = FunctionPlace(account, places.region_in(account, region), name)
    package = packages.read(stream)
    with operations.carried_out(
        action="lambda.deploy", target=_target(place), by=by, parameters=_told(package, wish, publish=publish)
    ) as doing:
        return _deployed(_Deployment(place, package, wish, publish, handler_elsewhere), stream.read(), doing)


def history(*, function: FunctionPlace, by: User) -> History:
    """The versions and aliases, asked of AWS now. Raises CapabilityOff, AwsError."""
    capabilities.require(function.account, "lambda.read")
    access = credentials.access_for(function.account, by)
    latest, *published = lambda_.versions(access, function.region, function.name)
    aliases = lambda_.aliases(access, function.region, function.name)
    return History(latest, tuple(reversed(published)), tuple(aliases))


def roll_back(*, function: FunctionPlace, version: str, by: User, alias: str = "", reason: str = "") -> Operation:
    """Ask for the code of `version` to come back, or for `alias` to mean `version` again.

    Raises InvalidFunction, and what `operations.request` raises.
    """
    if not version.isdecimal():
        raise InvalidFunction("Choose a published version: its number.", attr="version")
    if alias and not functions.is_qualifier(alias):
        raise InvalidFunction("There is no such alias.", attr="alias")
    parameters = {"version": version, "alias": alias}
    return operations.request(action="lambda.roll_back", target=_target(function), by=by, parameters=parameters, reason=reason)


@dataclass(frozen=True, slots=True)
class _Deployment:
    place: FunctionPlace
    package: Package
    wish: Configuration
    publish: bool
    handler_elsewhere: bool


def _deployed(wanted: _Deployment, code: bytes, doing: Doing) -> Deployed:
    place = wanted.place
    release = Release(doing.access, place.region, place.name, doing.observer)
    _check_limits(wanted.package, release)
    found, previous = release.latest(), ""
    if found is None:
        _refuse(wanted.wish.missing_for_new())
    _check_handler(wanted, found)
    if found is None:
        active = release.create(code, wanted.wish)
    else:
        previous = release.publish(found) if wanted.publish else ""
        active = release.replace(found, code, wanted.wish)
    version = release.published(active) if wanted.publish else LATEST
    release.remember(place.account)
    warning = wanted.package.warning(active.runtime, active.handler)
    doing.state = f"version {version}"
    doing.result = {
        "version": version, "code_sha256": active.code_sha256, "created": found is None, "previous_version": previous,
    }  # fmt: skip
    behind = _aliases_behind(release, version) if found else ()
    return Deployed(place.name, version, active.code_sha256, found is None, previous, warning, behind, doing.operation.pk)


def _check_handler(wanted: _Deployment, found: FunctionFacts | None) -> None:
    """Raises HandlerMissing before anything is changed. Container images have no handler here, and refuse a zip file anyway."""
    if wanted.handler_elsewhere or (found is not None and found.package_type == "Image"):
        return
    runtime = wanted.wish.runtime or (found.runtime if found else "")
    handler = wanted.wish.handler or (found.handler if found else "")
    if missing := wanted.package.warning(runtime, handler):
        raise HandlerMissing(f"{missing} Nothing was changed.", attr="zip")


def _aliases_behind(release: Release, version: str) -> tuple[AliasFacts, ...]:
    """Who invokes the function by one of these does not get the new code. Nothing where AWS does not tell."""
    try:
        found = lambda_.aliases(release.access, release.region, release.name)
    except AwsError:
        return ()
    return tuple(alias for alias in found if alias.version not in (version, LATEST))


def _check_limits(package: Package, release: Release) -> None:
    """The account's own limit counts; where it may not be read, AWS refuses by itself. Raises PackageTooLarge."""
    try:
        limits = lambda_.account_limits(release.access, release.region)
    except AwsError:
        return
    if package.unzipped_bytes > limits.code_size_unzipped:
        raise PackageTooLarge(
            f"Unzipped it has {package.unzipped_bytes:,} bytes; the account allows {limits.code_size_unzipped:,}.", attr="zip"
        )


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise InvalidFunction(faults[0].sentence, attr=faults[0].attr)


def _told(package: Package, wish: Configuration, *, publish: bool) -> dict[str, Any]:
    given = {"runtime": wish.runtime, "handler": wish.handler, "role_arn": wish.role_arn}
    given |= {"memory_mb": wish.memory_mb, "timeout_s": wish.timeout_s}  # type: ignore[dict-item]
    kept = {name: value for name, value in given.items() if value not in ("", None)}
    return {**kept, "code_sha256": package.code_sha256, "size_bytes": package.size_bytes, "publish": publish}


def _target(place: FunctionPlace) -> Target:
    return Target(place.account, place.region, place.name, place.name)
