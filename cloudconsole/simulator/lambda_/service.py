"""Lambda of all accounts and regions: what each request does, and what stands against it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import RLock, Thread
from typing import Any
from urllib.parse import parse_qs, quote

from cloudconsole.simulator import permissions
from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.cloudwatch import CloudWatch, FunctionFigures
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.lambda_ import changes, checks, demo, routes
from cloudconsole.simulator.lambda_.functions import LATEST, Configuration, Function, described
from cloudconsole.simulator.lambda_.routes import LambdaRequest
from cloudconsole.simulator.lambda_.runner import Runner
from cloudconsole.simulator.wire import AwsError, Protocol, Request, Response

# Where a browser or a program fetches code by the short-lived link that GetFunction gives.
CODE_PREFIX = "/awslambda-tasks/"
_LINK_LASTS_S = 600
_PAGE = 50
_CONCURRENCY = 10  # what AWS gives a new account
_LOG_TAIL = 4096
_Key = tuple[str, str, str]


class Lambda:
    """The functions of the whole organization. Safe to use from many threads."""

    def __init__(self, seed: int, clock: SimulatedClock, cloudwatch: CloudWatch) -> None:
        self._seed = seed
        self._clock = clock
        self._cloudwatch = cloudwatch
        self._lock = RLock()
        self._runner = Runner()
        self.reset()

    def reset(self) -> None:
        """As at the start of the story."""
        with self._lock:
            self.transition = timedelta(seconds=1)
            self.concurrency = _CONCURRENCY
            self._running: Counter[tuple[str, str]] = Counter()
            self._functions: dict[_Key, Function] = {_key(found.latest): found for found in demo.functions(self._seed)}

    def figures(self, account_id: str, region: str) -> list[FunctionFigures]:
        """What CloudWatch measures of the story; what is really invoked is counted there."""
        with self._lock:
            found = self._of(account_id, region)
            return [FunctionFigures(each.latest.name, each.per_hour, each.failing, each.took_ms, each.used_mb) for each in found]

    # --- for the control API

    def make(self, account_id: str, region: str, count: int) -> list[str]:
        with self._lock:
            first = len(self._functions)
            made = list(demo.crowd(self._seed, account_id, region, range(first, first + count)))
            self._functions |= {_key(function.latest): function for function in made}
        return [function.latest.name for function in made]

    def spoil(self, account_id: str, region: str, name: str, reason: str) -> None:
        """KeyError for no such function."""
        with self._lock:
            self._functions[account_id, region, name].update_failure = reason

    # --- operations

    def answer(self, request: Request, identity: Identity, request_id: str, host: str) -> Response:
        """Permission included. Raises AwsError."""
        asked = routes.read(request)
        permissions.require(identity, Protocol.REST_JSON, asked.action, asked.resource(identity.region, identity.account_id))
        if asked.operation == "Invoke":
            return self._invoke(asked, identity, request_id)
        with self._lock:
            status, told = self._told(asked, identity, host)
        body = b"" if told is None else json.dumps(told, separators=(",", ":")).encode()
        return Response(status, body, "application/json", {"x-amzn-RequestId": request_id})

    # --- reading and changing

    def _told(self, asked: LambdaRequest, identity: Identity, host: str) -> tuple[int, dict[str, Any] | None]:
        """HTTP status and body."""
        now = self._clock.now()
        of_account = self._of_account(asked, identity, now).get(asked.operation)
        if of_account is not None:
            return (201 if asked.operation == "CreateFunction" else 200), of_account()
        function = self._function(asked, identity)
        if asked.operation == "DeleteFunction":
            del self._functions[_key(function.latest)]
            return 204, None
        read = self._reads(function, asked, now, host).get(asked.operation)
        if read is not None:
            return 200, read()
        return changes.apply(function, asked, identity, now, self.transition)

    def _of_account(self, asked: LambdaRequest, identity: Identity, now: datetime) -> dict[str, Callable[[], dict[str, Any]]]:
        return {
            "ListFunctions": lambda: self._list(asked, identity, now),
            "GetAccountSettings": lambda: self._settings(identity),
            "CreateFunction": lambda: self._create(asked, identity, now),
        }

    def _reads(
        self, function: Function, asked: LambdaRequest, now: datetime, host: str
    ) -> dict[str, Callable[[], dict[str, Any]]]:
        versions = (function.latest, *function.versions)
        aliases = function.aliases.values()
        return {
            "GetFunctionConfiguration": lambda: described(function, _wanted(function, asked), now),
            "GetFunction": lambda: self._with_code(function, _wanted(function, asked), now, host),
            "ListVersionsByFunction": lambda: _page([described(function, each, now) for each in versions], "Versions", asked),
            "ListAliases": lambda: _page([changes.alias_told(function, each) for each in aliases], "Aliases", asked),
            "GetAlias": lambda: changes.alias_told(function, changes.alias_of(function, asked.alias)),
        }

    def _list(self, asked: LambdaRequest, identity: Identity, now: datetime) -> dict[str, Any]:
        found = sorted(self._of(identity.account_id, identity.region), key=lambda function: function.latest.name)
        return _page([described(function, function.latest, now) for function in found], "Functions", asked)

    def _settings(self, identity: Identity) -> dict[str, Any]:
        found = self._of(identity.account_id, identity.region)
        used = sum(len(code.code) for function in found for code in (function.latest, *function.versions))
        return {
            "AccountLimit": {
                "TotalCodeSize": checks.ALL_CODE,
                "CodeSizeUnzipped": checks.UNZIPPED,
                "CodeSizeZipped": checks.ZIPPED,
                "ConcurrentExecutions": self.concurrency,
                "UnreservedConcurrentExecutions": self.concurrency,
            },
            "AccountUsage": {"TotalCodeSize": used, "FunctionCount": len(found)},
        }

    def _create(self, asked: LambdaRequest, identity: Identity, now: datetime) -> dict[str, Any]:
        arguments = asked.arguments()
        made = changes.new_function(arguments, identity, now, self.transition)
        key = _key(made.latest)
        if key in self._functions:
            raise AwsError("ResourceConflictException", f"Function already exist: {made.latest.name}", 409)
        self._functions[key] = made
        if arguments.get("Publish"):
            return described(made, made.publish(None), now)
        return described(made, made.latest, now)

    def _function(self, asked: LambdaRequest, identity: Identity) -> Function:
        function = self._functions.get((identity.account_id, identity.region, asked.name))
        if function is None:
            raise _not_found(f"Function not found: {asked.resource(identity.region, identity.account_id)}")
        return function

    def _of(self, account_id: str, region: str) -> list[Function]:
        return [found for key, found in self._functions.items() if key[:2] == (account_id, region)]

    # --- code by a link

    def _with_code(self, function: Function, wanted: Configuration, now: datetime, host: str) -> dict[str, Any]:
        path = "/".join((wanted.region, wanted.account_id, quote(wanted.name), quote(wanted.version)))
        expires = int(time.time()) + _LINK_LASTS_S
        link = f"http://{host}{CODE_PREFIX}{path}?X-Amz-Expires={expires}&X-Amz-Signature={self._signature(path, str(expires))}"
        return {
            "Configuration": described(function, wanted, now),
            "Code": {"RepositoryType": "S3", "Location": link},
            "Tags": {},
        }

    def code(self, request: Request) -> Response:
        """The zip that a link of GetFunction leads to; whoever has the link may fetch it."""
        path = request.path.removeprefix(CODE_PREFIX)
        claims = {name: values[0] for name, values in parse_qs(request.query).items()}
        expires, signature = claims.get("X-Amz-Expires", ""), claims.get("X-Amz-Signature", "")
        region, account_id, name, version = (*path.split("/"), "", "", "", "")[:4]
        with self._lock:
            function = self._functions.get((account_id, region, name))
            wanted = function.configuration(version.replace("%24", "$")) if function else None
        if not hmac.compare_digest(signature, self._signature(path, expires)) or int(expires) < time.time() or wanted is None:
            return Response(403, b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", "text/xml")
        return Response(200, wanted.code, "application/zip")

    def _signature(self, path: str, expires: str) -> str:
        return hmac.digest(f"code-{self._seed}".encode(), f"{path} {expires}".encode(), hashlib.sha256).hex()

    # --- invoking

    def _invoke(self, asked: LambdaRequest, identity: Identity, request_id: str) -> Response:
        with self._lock:
            function = self._function(asked, identity)
            wanted = _wanted(function, asked)
            kind = asked.headers.get("x-amz-invocation-type", "RequestResponse")
            _check_payload(asked.body, kind)
            headers = {"x-amzn-RequestId": request_id}
            if kind == "DryRun":
                return Response(204, b"", "application/json", headers)
            _check_state(function, wanted, self._clock.now())
        event = _event(asked.body)
        if kind == "Event":
            Thread(target=self._run, args=(wanted, event, request_id), daemon=True).start()
            return Response(202, b"", "application/json", headers)
        with self._slot(identity):
            ran = self._run(wanted, event, request_id)
        headers["X-Amz-Executed-Version"] = wanted.version
        if ran.failed:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if asked.headers.get("x-amz-log-type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(ran.log.encode()[-_LOG_TAIL:]).decode()
        return Response(200, ran.payload, "application/json", headers)

    def _run(self, wanted: Configuration, event: Any, request_id: str) -> Any:
        ran = self._runner.run(wanted, event, request_id)
        self._cloudwatch.count_invocation(wanted.account_id, wanted.region, wanted.name, failed=ran.failed)
        return ran

    @contextmanager
    def _slot(self, identity: Identity) -> Iterator[None]:
        """One of the account's concurrent executions in the region."""
        place = (identity.account_id, identity.region)
        with self._lock:
            if self._running[place] >= self.concurrency:
                raise too_many_requests()
            self._running[place] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[place] -= 1


def too_many_requests() -> AwsError:
    return AwsError(
        "TooManyRequestsException",
        "Rate Exceeded.",
        429,
        members={"Reason": "ConcurrentInvocationLimitExceeded", "Type": "User"},
        headers={"Retry-After": "1"},
    )


def _not_found(message: str) -> AwsError:
    return AwsError("ResourceNotFoundException", message, 404, members={"Type": "User"})


def _key(configuration: Configuration) -> _Key:
    return configuration.account_id, configuration.region, configuration.name


def _wanted(function: Function, asked: LambdaRequest) -> Configuration:
    found = function.configuration(asked.qualifier)
    if found is None:
        raise _not_found(f"Function not found: {function.latest.arn}:{asked.qualifier}")
    return found


def _page(found: list[dict[str, Any]], name: str, asked: LambdaRequest) -> dict[str, Any]:
    """At most 50 at a time, whatever is asked for."""
    size = min(int(asked.query["MaxItems"]), _PAGE) if asked.query.get("MaxItems", "").isdigit() else _PAGE
    marker = asked.query.get("Marker", "0")
    if not marker.isdigit():
        raise checks.invalid("The Marker is not valid.")
    start = int(marker)
    following = {"NextMarker": str(start + size)} if start + size < len(found) else {}
    return {name: found[start : start + size], **following}


def _check_payload(body: bytes, kind: str) -> None:
    if kind not in ("RequestResponse", "Event", "DryRun"):
        raise checks.invalid(f"Value '{kind}' at 'invocationType' failed to satisfy constraint")
    most = checks.ASYNCHRONOUS if kind == "Event" else checks.SYNCHRONOUS
    if len(body) > most:
        message = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {most} bytes)"
        raise AwsError("RequestTooLargeException", message, 413, members={"Type": "User"})


def _check_state(function: Function, wanted: Configuration, now: datetime) -> None:
    state = function.state(now) if wanted.version == LATEST else "Active"
    if state == "Active":
        return
    message = f"The operation cannot be performed at this time. The function is currently in the following state: {state}"
    raise AwsError("ResourceConflictException", message, 409, members={"Type": "User"})


def _event(body: bytes) -> Any:
    try:
        return json.loads(body or b"{}")
    except ValueError as error:
        message = f"Could not parse request body into json: Could not parse payload into json: {error}"
        raise AwsError("InvalidRequestContentException", message, members={"Type": "User"}) from None
