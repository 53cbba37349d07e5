"""Going back to an earlier version of a function, and looking what became of a deployment whose process is gone."""

from __future__ import annotations

from datetime import timedelta

from cloudconsole.aws import lambda_
from cloudconsole.aws.lambda_ import FunctionFacts
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.rules.functions import Configuration
from resources.services.actions.handlers import Accepted, Handler, Missed, NotYet, Reached, Sight, SoFar, Work, register
from resources.services.releases import Release

# A call whose answer was lost may still be at work in AWS.
_STILL_AT_WORK = timedelta(minutes=2)
_LOOK_AT_VERSIONS = "Look at the function's versions before doing it again."


class FunctionGone(CloudconsoleError):
    """The inventory knows it, AWS does not any more."""

    kind = Kind.CONFLICT
    code = "function_gone"
    title = "AWS does not know the function any more"


class NothingToDo(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "version_in_use"
    title = "This is the version in use"


class AttendedOnly(CloudconsoleError):
    """A deployment carries a file, which only the request that brought it has."""

    kind = Kind.CONFLICT
    code = "package_gone"
    title = "The package is not here any more"
    remedy = "Deploy it again."


class Deploy(Handler):
    """Sent by the request that brings the package; a worker only looks what became of it."""

    name = "lambda.deploy"

    def mutate(self, work: Work) -> Accepted:
        raise AttendedOnly("The package came with a request, and that is over.")

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        found = _release(work).latest()
        if found is not None and found.code_sha256 == work.parameters["code_sha256"]:
            return Reached("deployed", "The process that deployed it ended on the way: the code is there, perhaps unpublished.")
        if so_far.age < _STILL_AT_WORK:
            return NotYet()
        return Missed("not_deployed", "The process that deployed it ended before AWS had the code.", _LOOK_AT_VERSIONS)


class RollBack(Handler):
    """The code and settings of a version become the newest ones, or an alias means the version again."""

    name = "lambda.roll_back"

    def look_before(self, work: Work) -> str:
        latest = _latest(work)
        wanted = _wanted(work)
        if alias := work.parameters["alias"]:
            meant = _meant_by(work, alias)
            if meant == work.parameters["version"]:
                raise NothingToDo(f"The alias {alias} means version {meant} already.")
            return f"version {meant}" if meant else ""
        if latest.code_sha256 == wanted.code_sha256 and _settings(latest) == _settings(wanted):
            raise NothingToDo(f"The function runs the code of version {wanted.version} already.")
        return _short(latest)

    def mutate(self, work: Work) -> Accepted:
        version, alias = work.parameters["version"], work.parameters["alias"]
        if alias:
            lambda_.point_alias(work.access, work.region, work.target, alias=alias, version=version, observer=work.observer)
            return Accepted(state=f"version {version}", result={"alias": alias, "version": version}, is_done=True)
        release, wanted = _release(work), _wanted(work)
        code = lambda_.code_of(work.access, work.region, work.target, version=version)
        active = release.replace(_latest(work), code, _settings(wanted))
        published = release.published(active)
        release.remember(work.account)
        return Accepted(state=_short(active), result={"version": published, "code_of": version}, is_done=True)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        if alias := work.parameters["alias"]:
            is_so = _meant_by(work, alias) == work.parameters["version"]
        else:
            is_so = _latest(work).code_sha256 == _wanted(work).code_sha256
        if is_so:
            _release(work).remember(work.account)
            return Reached(detail="AWS's answer was lost, but it is as it was wanted; perhaps no version was published.")
        if so_far.age < _STILL_AT_WORK:
            return NotYet()
        return Missed("not_rolled_back", "AWS did not answer, and the function is not as it was wanted.", _LOOK_AT_VERSIONS)


for _handler in (Deploy(), RollBack()):
    register(_handler)


def _release(work: Work) -> Release:
    return Release(work.access, work.region, work.target, work.observer, alive=work.is_stopped)


def _latest(work: Work) -> FunctionFacts:
    found = _release(work).latest()
    if found is None:
        raise FunctionGone(f"AWS knows no function {work.target} in {work.region} any more.")
    return found


def _wanted(work: Work) -> FunctionFacts:
    """The version to go back to. Raises AwsError where there is none."""
    return lambda_.configuration(work.access, work.region, work.target, qualifier=work.parameters["version"])


def _meant_by(work: Work, alias: str) -> str:
    found = lambda_.aliases(work.access, work.region, work.target)
    return next((one.version for one in found if one.name == alias), "")


def _settings(facts: FunctionFacts) -> Configuration:
    """What comes back with the code. The role and the environment stay as they are: they belong to the present."""
    return Configuration(runtime=facts.runtime, handler=facts.handler, memory_mb=facts.memory_mb, timeout_s=facts.timeout_s)


def _short(facts: FunctionFacts) -> str:
    """The code as people compare it."""
    return f"code {facts.code_sha256[:12]}"
