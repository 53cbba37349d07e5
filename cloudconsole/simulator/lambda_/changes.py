"""Making, changing and publishing functions, and their aliases (Lambda API reference)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cloudconsole.simulator import permissions
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.lambda_ import checks
from cloudconsole.simulator.lambda_.functions import Alias, Configuration, Function, described
from cloudconsole.simulator.lambda_.routes import LambdaRequest
from cloudconsole.simulator.wire import AwsError, Protocol


def apply(
    function: Function, asked: LambdaRequest, identity: Identity, now: datetime, takes: timedelta
) -> tuple[int, dict[str, Any] | None]:
    """Change `function` as the request asks; HTTP status and body."""
    arguments = asked.arguments()
    operations: dict[str, Callable[[], tuple[int, dict[str, Any] | None]]] = {
        "UpdateFunctionCode": lambda: (200, update_code(function, arguments, now, takes)),
        "UpdateFunctionConfiguration": lambda: (200, update_configuration(function, arguments, identity, now, takes)),
        "PublishVersion": lambda: (201, publish(function, arguments, now)),
        "CreateAlias": lambda: (201, create_alias(function, arguments)),
        "UpdateAlias": lambda: (200, update_alias(function, asked.alias, arguments)),
    }
    if asked.operation == "DeleteAlias":
        function.aliases.pop(asked.alias, None)
        return 204, None
    change = operations.get(asked.operation)
    if change is None:
        raise AwsError("UnknownOperationException", f"{asked.operation} is not an operation of Lambda.", 404)
    return change()


def new_function(asked: Mapping[str, Any], identity: Identity, now: datetime, takes: timedelta) -> Function:
    """A function that is Pending for as long as it `takes`."""
    name = checks.name(asked.get("FunctionName"))
    if asked.get("PackageType", "Zip") != "Zip":
        raise checks.invalid("Only functions from a zip are simulated.")
    if "Runtime" not in asked or "Handler" not in asked:
        raise checks.invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    found = checks.configuration(asked)
    code = checks.code(asked.get("Code", {}))
    latest = Configuration(
        name=name,
        account_id=identity.account_id,
        region=identity.region,
        role_arn=_role(asked, identity),
        code=code,
        modified_at=now,
        **found,
    )
    return Function(latest, created_until=now + takes, updated_until=now)


def update_code(function: Function, asked: Mapping[str, Any], now: datetime, takes: timedelta) -> dict[str, Any]:
    _check_revision(asked, function.latest.revision_id)
    _check_at_rest(function, now)
    code = checks.code(asked)
    if asked.get("DryRun"):
        return described(function, function.latest, now)
    function.latest = function.latest.changed(now, code=code)
    function.updated_until = now + takes
    return described(function, function.publish(None) if asked.get("Publish") else function.latest, now)


def update_configuration(
    function: Function, asked: Mapping[str, Any], identity: Identity, now: datetime, takes: timedelta
) -> dict[str, Any]:
    _check_revision(asked, function.latest.revision_id)
    _check_at_rest(function, now)
    found = checks.configuration(asked)
    if "Role" in asked:
        found["role_arn"] = _role(asked, identity)
    function.latest = function.latest.changed(now, **found)
    function.updated_until = now + takes
    return described(function, function.latest, now)


def publish(function: Function, asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    _check_revision(asked, function.latest.revision_id)
    _check_at_rest(function, now)
    expected = asked.get("CodeSha256", function.latest.code_sha256)
    if expected != function.latest.code_sha256:
        raise checks.invalid(
            f"CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({function.latest.code_sha256})."
        )
    return described(function, function.publish(asked.get("Description")), now)


# --- aliases


def alias_told(function: Function, alias: Alias) -> dict[str, Any]:
    told: dict[str, Any] = {
        "AliasArn": f"{function.latest.arn}:{alias.name}",
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    return told | ({"RoutingConfig": {"AdditionalVersionWeights": alias.weights}} if alias.weights else {})


def alias_of(function: Function, name: str) -> Alias:
    found = function.aliases.get(name)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Alias not found: {function.latest.arn}:{name}", 404)
    return found


def create_alias(function: Function, asked: Mapping[str, Any]) -> dict[str, Any]:
    name = str(asked.get("Name", ""))
    if not name or name.isdigit() or name.startswith("$"):
        raise checks.invalid(f"Value '{name}' at 'name' failed to satisfy constraint")
    if name in function.aliases:
        raise AwsError("ResourceConflictException", f"Alias already exists: {function.latest.arn}:{name}", 409)
    made = Alias(name, _version(function, asked.get("FunctionVersion")), str(asked.get("Description", "")))
    function.aliases[name] = made
    return alias_told(function, made)


def update_alias(function: Function, name: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    alias = alias_of(function, name)
    _check_revision(asked, alias.revision_id)
    if "FunctionVersion" in asked:
        alias.version = _version(function, asked["FunctionVersion"])
    if "RoutingConfig" in asked:
        alias.weights = dict(asked["RoutingConfig"].get("AdditionalVersionWeights", {}))
    alias.description = str(asked.get("Description", alias.description))
    alias.revision_id = str(uuid.uuid4())
    return alias_told(function, alias)


# --- what stands against it


def _version(function: Function, wanted: object) -> str:
    if function.configuration(str(wanted)) is None or str(wanted) in function.aliases:
        raise AwsError("ResourceNotFoundException", f"Function not found: {function.latest.arn}:{wanted}", 404)
    return str(wanted)


def _role(asked: Mapping[str, Any], identity: Identity) -> str:
    """Passing a role to Lambda is a right of its own."""
    arn = str(asked.get("Role", ""))
    if arn.startswith("arn:"):
        permissions.require(identity, Protocol.REST_JSON, "iam:PassRole", arn)
    return checks.role(arn, identity.account_id)


def _check_revision(asked: Mapping[str, Any], current: str) -> None:
    if asked.get("RevisionId", current) != current:
        message = (
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
            "the latest Revision Id"
        )
        raise AwsError("PreconditionFailedException", message, 412, members={"Type": "User"})


def _check_at_rest(function: Function, now: datetime) -> None:
    arn = function.latest.arn
    if function.state(now) == "Pending":
        message = "The operation cannot be performed at this time. The function is currently in the following state: Pending"
        raise AwsError("ResourceConflictException", message, 409, members={"Type": "User"})
    if function.update_status(now) == "InProgress":
        message = f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"
        raise AwsError("ResourceConflictException", message, 409, members={"Type": "User"})
