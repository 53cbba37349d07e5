"""The simulated AWS: one request in, one answer out, in the order in which AWS decides."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from cloudconsole.simulator import (
    access_keys,
    anomaly_detection,
    balancers,
    cost_forecasts,
    ec2,
    faults,
    iam,
    kms,
    lambda_,
    memory,
    moto_backend,
    organizations,
    pricing,
    region_lists,
    s3,
    signatures,
    sts,
    wire,
)
from cloudconsole.simulator.anomaly_detection import AnomalyDetection
from cloudconsole.simulator.athena import Athena
from cloudconsole.simulator.calls import Call, CallLog
from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.cloudwatch import CloudWatch
from cloudconsole.simulator.cost_explorer import DEFAULT_PAGE_SIZE, CostExplorer, with_duplicate_keys
from cloudconsole.simulator.ec2 import Ec2, storage
from cloudconsole.simulator.ec2.storage import Storage
from cloudconsole.simulator.faults import Fault, FaultKind, FaultPlans
from cloudconsole.simulator.identity import Directory, Identity
from cloudconsole.simulator.lambda_ import Lambda
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.log_groups import LogGroups
from cloudconsole.simulator.optimization_hub import OptimizationHub
from cloudconsole.simulator.organization import Role
from cloudconsole.simulator.policies import Decision
from cloudconsole.simulator.quotas import Bedrock, ServiceQuotas, Usage
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.s3 import S3
from cloudconsole.simulator.wire import AwsError, Protocol, Request, Response

# GetCallerIdentity needs none; AssumeRole is decided with the role's trust policy.
_NO_PERMISSION_NEEDED = frozenset({"sts:GetCallerIdentity", "sts:AssumeRole", "sts:GetSessionToken"})
_OWN_SERVICES = frozenset(
    (
        "sts", "iam", "ce", "organizations", "account", "ec2", "cloudwatch", "pricing", "elasticloadbalancing", "logs",
        "cost-optimization-hub", "athena", "servicequotas",
    )
)  # fmt: skip
_REST_SERVICES: dict[str, Callable[[Request], str]] = {"s3": s3.operation_of, "lambda": lambda_.operation_of}
# Where requests are signed with another name than the one that policies use.
_SIGNED_AS = {"monitoring": "cloudwatch"}


class ConnectionBroken(Exception):
    """The answer is to break the connection, at once or after a silence of `seconds`."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__("the connection is broken on purpose")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class AwsCall:
    """A request and what could be read from it before asking who sent it."""

    request: Request
    request_id: str
    service: str
    protocol: Protocol
    operation: str
    access_key_id: str
    region: str

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"

    def arguments(self) -> dict[str, Any]:
        """The parameters of a JSON call; AWS answers a body that is no JSON object with SerializationException."""
        try:
            found = json.loads(self.request.body or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise AwsError("SerializationException", "")
        return found


@dataclass
class SimulatedAws:
    """The whole simulated organization and its state."""

    seed: int
    origin: date
    clock: SimulatedClock
    page_size: int = DEFAULT_PAGE_SIZE
    memory_path: Path | None = None
    faults: FaultPlans = field(default_factory=FaultPlans)
    calls: CallLog = field(default_factory=CallLog)

    def __post_init__(self) -> None:
        self.directory = Directory(self.seed, self.clock)
        self.ledger = Ledger(self.seed, self.origin)
        self.cost_explorer = CostExplorer(self.ledger, self.page_size)
        self.anomaly_detection = AnomalyDetection(self.ledger)
        self.ec2 = Ec2(self.seed, self.origin, self.clock)
        self.storage = Storage(self.seed, self.origin, self.clock, self.ec2.list)
        self.log_groups = LogGroups()
        self.hub = OptimizationHub(self.clock, self.ec2.list, self.storage.volumes)
        self.cloudwatch = CloudWatch(self.seed, self.clock)
        self.cloudwatch.instances = self.ec2.figures
        self.cloudwatch.balancers = balancers.figures
        self.s3 = S3(self.seed, self.clock, self.ledger)
        self.cloudwatch.buckets = self.s3.figures
        self.athena = Athena(self.s3.export_files)
        self.functions = Lambda(self.seed, self.clock, self.cloudwatch)
        self.cloudwatch.functions = self.functions.figures
        self.quotas = ServiceQuotas(self.clock)
        self.models = Bedrock(self.seed, self.clock)
        self.usage = Usage(self.clock, self.ec2.list, self.functions.figures)
        self.cloudwatch.further = [self.models.series, self.usage.series]

    def reset(self) -> None:
        """As after the start: no faults, no calls, no registered roles, the resources, clock and page size of the start."""
        self.faults.clear()
        self.calls.clear()
        self.clock.reset()
        self.cost_explorer.page_size = self.page_size
        self.directory.reset()
        self.anomaly_detection.reset()
        self.ec2.reset()
        self.storage.reset()
        self.log_groups.reset()
        self.s3.reset()
        self.athena.reset()
        self.functions.reset()
        self.cloudwatch.reset()
        self.quotas.reset()
        self.models.reset()
        self.usage.reset()
        self._save()

    def put_role(self, role: Role) -> None:
        """Create or replace a role, and keep it over a restart."""
        self.directory.put_role(role)
        self._save()

    def remember(self, roles: Iterable[Role]) -> None:
        """Take up the roles of an earlier run."""
        for role in roles:
            self.directory.put_role(role)
        self._save()

    def _save(self) -> None:
        if self.memory_path is not None:
            memory.save(self.memory_path, self.origin, self.directory.member_roles())

    def handle(self, request: Request) -> Response:
        """Answer one AWS request; raises ConnectionBroken where a fault says so."""
        if request.path.startswith(lambda_.CODE_PREFIX):
            return self.functions.code(request)
        call = _read_call(request)
        account, page = "", 1
        try:
            identity = self.directory.authenticate(request, call.protocol)
            account, page = identity.account_id, self._page_of(call)
            response = self._answer(call, identity, page)
        except AwsError as error:
            self._log(call, account, page, error.status, error.code)
            return wire.render_error(error, call.protocol, call.service, call.request_id)
        except ConnectionBroken:
            self._log(call, account, page, 0, "")
            raise
        self._log(call, account, page, response.status, "")
        return response

    def _answer(self, call: AwsCall, identity: Identity, page: int) -> Response:
        fault = self.faults.next_for(call.service, call.operation, identity.account_id, page)
        if fault is not None:
            _strike_before(fault, call, identity)
        self._check_permission(call, identity)
        response = self._serve(call, identity, duplicated=fault is not None and fault.fault is FaultKind.DUPLICATE_KEYS)
        if fault is not None and fault.fault is FaultKind.LOST:
            raise ConnectionBroken(fault.wait_s)
        if fault is not None and fault.fault is FaultKind.GARBAGE:
            return replace(response, body=response.body[: len(response.body) // 2] + b"\x00<html>Bad gateway</html>")
        return response

    def _check_permission(self, call: AwsCall, identity: Identity) -> None:
        if call.service not in _OWN_SERVICES or call.action in _NO_PERMISSION_NEEDED:
            return
        if call.service == "ec2":
            ec2.require(identity, call.operation, call.request.form())
            return
        resource = identity.principal_arn if call.action in access_keys.ACTIONS else "*"
        if identity.decision(call.action, resource) is not Decision.ALLOWED:
            message = faults.denied_message(identity.arn, call.service, call.operation)
            raise refusal(Refusal.DENIED, call.protocol, message)

    def _serve(self, call: AwsCall, identity: Identity, *, duplicated: bool) -> Response:
        if call.service in _REST_SERVICES:
            return self._rest(call, identity)
        if call.action == "ce:GetCostAndUsage":
            page = self.cost_explorer.get_cost_and_usage(identity, call.arguments(), self.clock.now())
            return wire.json_answer(with_duplicate_keys(page) if duplicated else page, call.request_id)
        if call.service == "ec2":
            return wire.ec2_answer(call.operation, self._ec2(call, identity), call.request_id)
        told = self._json(call, identity)
        if told is not None:
            return wire.json_answer(told, call.request_id)
        answered = self._query(call, identity)
        return answered if answered is not None else self._moto(call, identity)

    def _rest(self, call: AwsCall, identity: Identity) -> Response:
        """The services that decide about permissions themselves: their operations name the resource in the path."""
        if call.service == "s3":
            return self.s3.answer(call.request, identity, call.request_id)
        return self.functions.answer(call.request, identity, call.request_id, call.request.headers["host"])

    def _ec2(self, call: AwsCall, identity: Identity) -> str:
        form = call.request.form()
        if call.operation == "DescribeRegions":
            return region_lists.describe_regions(identity, form)
        if call.operation in storage.OPERATIONS:
            return self.storage.answer(call.operation, identity, form)
        return self.ec2.answer(call.operation, identity, form)

    def _json(self, call: AwsCall, identity: Identity) -> dict[str, Any] | None:
        """The answers of the services that speak JSON; None for an operation that is not simulated here."""
        services = {
            "cloudwatch": self.cloudwatch.answer,
            "logs": self.log_groups.answer,
            "cost-optimization-hub": self.hub.answer,
            "athena": self.athena.answer,
            "servicequotas": self.quotas.answer,
        }
        if call.service in services:
            return services[call.service](call.operation, identity, call.arguments())
        if call.service == "ce":
            return self._cost_explorer(call, identity)
        if call.service == "organizations":
            return organizations.answer(call.operation, identity, self.directory, call.arguments())
        if call.action == "account:ListRegions":
            return region_lists.list_regions(identity, call.arguments())
        return pricing.get_products(call.arguments()) if call.action == "pricing:GetProducts" else None

    def _cost_explorer(self, call: AwsCall, identity: Identity) -> dict[str, Any] | None:
        """Cost Explorer's operations besides the paged one."""
        if call.action in anomaly_detection.OPERATIONS:
            return self.anomaly_detection.answer(call.operation, identity, call.arguments(), self.clock.now())
        if call.action == "ce:GetCostForecast":
            return cost_forecasts.get_cost_forecast(self.cost_explorer.book, identity, call.arguments(), self.clock.now())
        return self.cost_explorer.list(call.operation, identity, call.arguments(), self.clock.now())

    def _query(self, call: AwsCall, identity: Identity) -> Response | None:
        """The answers of the services that speak the query protocol; None for an operation that is not simulated here."""
        if call.service == "elasticloadbalancing":
            form = call.request.form()
            told = balancers.answer(call.operation, identity, form)
            return wire.query_answer(f"elb-{form.get('Version', '')}", call.operation, told, call.request_id)
        serve = self._query_operations().get(call.action)
        if serve is None:
            return None
        return wire.query_answer(call.service, call.operation, serve(identity, call.request.form()), call.request_id)

    def _moto(self, call: AwsCall, identity: Identity) -> Response:
        if call.service == "kms":
            kms.refuse_unusable_key(call.operation, call.arguments(), identity.account_id, call.region)
        return moto_backend.answer(call.request, identity.account_id, call.request.headers.get("host", "localhost"))

    def _query_operations(self) -> dict[str, Callable[[Identity, dict[str, str]], str]]:
        return {
            "sts:GetCallerIdentity": lambda identity, form: sts.get_caller_identity(identity),
            "sts:AssumeRole": lambda identity, form: sts.assume_role(identity, self.directory, form),
            "sts:GetSessionToken": lambda identity, form: sts.get_session_token(identity, self.directory, form),
            **{action: partial(serve, self.directory) for action, serve in access_keys.ACTIONS.items()},
            "iam:SimulatePrincipalPolicy": lambda identity, form: iam.simulate_principal_policy(identity, self.directory, form),
        }

    def _page_of(self, call: AwsCall) -> int:
        return self.cost_explorer.page_of(call.arguments()) if call.action == "ce:GetCostAndUsage" else 1

    def _log(self, call: AwsCall, account: str, page: int, status: int, error: str) -> None:
        self.calls.add(Call(call.service, call.operation, account, call.access_key_id, call.region, page, status, error))


def _read_call(request: Request) -> AwsCall:
    claimed = signatures.read(request)
    service = _SIGNED_AS.get(claimed.service, claimed.service) if claimed else ""
    protocol = wire.protocol_of(request, service)
    return AwsCall(
        request=request,
        request_id=wire.new_request_id(),
        service=service,
        protocol=protocol,
        operation=_operation_of(request, service, protocol),
        access_key_id=claimed.access_key_id if claimed else "",
        region=claimed.region if claimed else "",
    )


def _operation_of(request: Request, service: str, protocol: Protocol) -> str:
    rest = _REST_SERVICES.get(service)
    return rest(request) if rest else wire.operation_of(request, protocol)


def _strike_before(fault: Fault, call: AwsCall, identity: Identity) -> None:
    if fault.fault is FaultKind.RESET:
        raise ConnectionBroken
    if fault.fault is FaultKind.TIMEOUT:
        raise ConnectionBroken(fault.wait_s)
    if fault.fault is FaultKind.SLOW:
        time.sleep(fault.wait_s)
    target = faults.Target(call.service, call.operation, call.protocol, identity.arn)
    error = faults.error_for(fault, target)
    if error is not None:
        raise error
