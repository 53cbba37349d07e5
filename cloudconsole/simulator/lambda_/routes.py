"""Which operation a REST request is (botocore's service model of Lambda), and which permission it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from cloudconsole.simulator.wire import AwsError, Request

_FUNCTIONS = "/2015-03-31/functions"
_NAMED = _FUNCTIONS + r"/(?P<name>[^/]+)"
_ROUTES = tuple(
    (method, re.compile(path), operation)
    for method, path, operation in (
        ("GET", _FUNCTIONS + "/?", "ListFunctions"),
        ("POST", _FUNCTIONS, "CreateFunction"),
        ("GET", _NAMED, "GetFunction"),
        ("DELETE", _NAMED, "DeleteFunction"),
        ("GET", _NAMED + "/configuration", "GetFunctionConfiguration"),
        ("PUT", _NAMED + "/configuration", "UpdateFunctionConfiguration"),
        ("PUT", _NAMED + "/code", "UpdateFunctionCode"),
        ("POST", _NAMED + "/invocations", "Invoke"),
        ("GET", _NAMED + "/versions", "ListVersionsByFunction"),
        ("POST", _NAMED + "/versions", "PublishVersion"),
        ("GET", _NAMED + "/aliases", "ListAliases"),
        ("POST", _NAMED + "/aliases", "CreateAlias"),
        ("GET", _NAMED + r"/aliases/(?P<alias>[^/]+)", "GetAlias"),
        ("PUT", _NAMED + r"/aliases/(?P<alias>[^/]+)", "UpdateAlias"),
        ("DELETE", _NAMED + r"/aliases/(?P<alias>[^/]+)", "DeleteAlias"),
        ("GET", "/2016-08-19/account-settings/?", "GetAccountSettings"),
    )
)
# Operations that policies know by another name, or that belong to no single function.
_ACTIONS = {"Invoke": "InvokeFunction"}
_OF_THE_ACCOUNT = frozenset({"ListFunctions", "GetAccountSettings"})
_ARN = re.compile(
    r"(?:arn:aws:lambda:[a-z0-9-]+:)?(?:\d{12}:)?(?:function:)?(?P<name>[A-Za-z0-9_-]{1,64})(?::(?P<qualifier>[\w$-]+))?"
)


@dataclass(frozen=True, slots=True)
class LambdaRequest:
    """A request, read. `qualifier` is a version or an alias, empty for $LATEST."""

    operation: str
    name: str
    alias: str
    qualifier: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return f"lambda:{_ACTIONS.get(self.operation, self.operation)}"

    def resource(self, region: str, account_id: str) -> str:
        if self.operation in _OF_THE_ACCOUNT:
            return "*"
        name = self.name or str(self.arguments().get("FunctionName", "*"))
        return f"arn:aws:lambda:{region}:{account_id}:function:{name}"

    def arguments(self) -> dict[str, Any]:
        """The parameters in the body."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise AwsError("InvalidRequestContentException", "Could not parse request body into json")
        return found


def operation_of(request: Request) -> str:
    """The operation's name; method and path for one that is not known."""
    return _route(request)[0]


def read(request: Request) -> LambdaRequest:
    operation, found = _route(request)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    parts = _ARN.fullmatch(unquote(found.get("name", "")))
    if found.get("name") and parts is None:
        raise AwsError(
            "InvalidParameterValueException", f"1 validation error detected: Value '{found['name']}' at 'functionName'"
        )
    name, qualifier = (parts["name"], parts["qualifier"] or "") if parts else ("", "")
    wanted = query.get("Qualifier", qualifier)
    return LambdaRequest(operation, name, unquote(found.get("alias", "")), wanted, query, request.headers, request.body)


def _route(request: Request) -> tuple[str, dict[str, str]]:
    for method, path, operation in _ROUTES:
        found = path.fullmatch(request.path) if method == request.method else None
        if found is not None:
            return operation, found.groupdict()
    return f"{request.method} {request.path}", {}
