"""One botocore session per process and one client per (service, region), shared by all accounts and threads.

Who a call is made as comes from a context variable at the moment of signing, through botocore's public
`credential_provider` component. Outside `acting_as` nothing is signed and nothing is sent.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import botocore.session
from botocore.config import Config
from botocore.session import Session

from cloudconsole.aws import attempts, integrity, logs
from cloudconsole.aws.credentials import Access, Keys
from cloudconsole.aws.identity import CurrentCredentialProvider, CurrentCredentials, Identities, acting_as

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_cost_optimization_hub import CostOptimizationHubClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

__all__ = ["MAX_CONNECTIONS", "acting_as", "client", "close", "forget", "keys_of", "once"]

# Connections kept per client; fan-out never runs more threads than this.
MAX_CONNECTIONS = 64

_CONNECT_TIMEOUT_S = 5
_READ_TIMEOUT_S = 30
_READ_TIMEOUTS_S = {"sts": 10, "organizations": 20, "iam": 20, "ce": 60, "kms": 10}
# What is sent once may work for long before it answers: a Lambda function up to 15 minutes.
_ONCE_READ_TIMEOUTS_S = {"lambda": 930, "s3": 120}
_ATTEMPTS = 4
# Cost Explorer throttles at a few requests a second and says so as LimitExceededException.
_ATTEMPTS_OF = {"sts": 3, "ce": 6, "kms": 3}


class _ClientKey(NamedTuple):
    """What makes two clients the same one."""

    service: str
    region: str
    endpoint: str
    once: bool


class _SharedClients:
    """Creation of sessions and clients is not thread-safe, so it is done under a lock; using a client is."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._session: Session | None = None
        self._clients: dict[_ClientKey, Any] = {}

    def get(self, service: str, region: str, *, once: bool = False) -> Any:
        # The endpoint is part of the key: a client never outlives the AWS_ENDPOINT_URL it was made for.
        key = _ClientKey(service, region, os.environ.get("AWS_ENDPOINT_URL", ""), once)
        found = self._clients.get(key)
        return found if found is not None else self._create(key)

    def close(self) -> None:
        with self._lock:
            for shared in self._clients.values():
                shared.close()
            self._clients.clear()
            self._session = None

    def _create(self, key: _ClientKey) -> Any:
        with self._lock:
            if key not in self._clients:
                if self._session is None:
                    self._session = _new_session()
                created = self._session.create_client(key.service, region_name=key.region, config=_config(key))
                logs.pin()  # creating a client imports modules with loggers of their own
                self._clients[key] = created
            return self._clients[key]


def _new_session() -> Session:
    session = botocore.session.get_session()
    logs.pin()
    session.register_component("credential_provider", CurrentCredentialProvider(CurrentCredentials(keys_of)))
    attempts.watch(session)
    integrity.guard(session)
    return session


def _config(key: _ClientKey) -> Config:
    timeouts = _ONCE_READ_TIMEOUTS_S if key.once else _READ_TIMEOUTS_S
    # "standard": "adaptive" would let one throttled account slow all, "legacy" does not retry Cost Explorer's throttling.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1 if key.once else _ATTEMPTS_OF.get(key.service, _ATTEMPTS)},
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=timeouts.get(key.service, _READ_TIMEOUT_S),
        max_pool_connections=MAX_CONNECTIONS,
        tcp_keepalive=key.once,  # firewalls forget a connection on which nothing is said for minutes
    )
    return config.merge(_s3_config(key.endpoint)) if key.service == "s3" else config


def _s3_config(endpoint: str) -> Config:
    """Links are signed by version 4 too; an endpoint of our own has no name for each bucket."""
    style: Literal["path", "auto"] = "path" if endpoint else "auto"
    return Config(signature_version="s3v4", s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"})


class _Process:
    """What one process shares. A forked child starts afresh: connections and locks stay its parent's."""

    def __init__(self) -> None:
        self.start()
        os.register_at_fork(after_in_child=self.start)

    def start(self) -> None:
        self.clients = _SharedClients()
        self.identities = Identities(sts=lambda region: client("sts", region))


_process = _Process()


@overload
def client(service: Literal["sts"], region: str) -> STSClient: ...
@overload
def client(service: Literal["ce"], region: str) -> CostExplorerClient: ...
@overload
def client(service: Literal["iam"], region: str) -> IAMClient: ...
@overload
def client(service: Literal["kms"], region: str) -> KMSClient: ...
@overload
def client(service: Literal["organizations"], region: str) -> OrganizationsClient: ...
@overload
def client(service: Literal["s3"], region: str) -> S3Client: ...
@overload
def client(service: Literal["lambda"], region: str) -> LambdaClient: ...
@overload
def client(service: Literal["ec2"], region: str) -> EC2Client: ...
@overload
def client(service: Literal["cloudwatch"], region: str) -> CloudWatchClient: ...
@overload
def client(service: Literal["pricing"], region: str) -> PricingClient: ...
@overload
def client(service: Literal["elbv2"], region: str) -> ElasticLoadBalancingv2Client: ...
@overload
def client(service: Literal["logs"], region: str) -> CloudWatchLogsClient: ...
@overload
def client(service: Literal["cost-optimization-hub"], region: str) -> CostOptimizationHubClient: ...
@overload
def client(service: Literal["account", "athena", "elb", "service-quotas"], region: str) -> Any: ...
def client(service: str, region: str) -> Any:
    """The shared client; calls on it need a surrounding `acting_as`."""
    return _process.clients.get(service, region)


@overload
def once(service: Literal["ec2"], region: str) -> EC2Client: ...
@overload
def once(service: Literal["s3"], region: str) -> S3Client: ...
@overload
def once(service: Literal["lambda"], region: str) -> LambdaClient: ...
@overload
def once(service: Literal["logs"], region: str) -> CloudWatchLogsClient: ...
@overload
def once(service: Literal["service-quotas"], region: str) -> Any: ...
def once(service: str, region: str) -> Any:
    """The shared client for what must not be sent twice: it never retries, and waits as long as the answer may take."""
    return _process.clients.get(service, region, once=True)


def keys_of(access: Access) -> Keys:
    """The keys to sign with as `access`, from the cache where they are still fresh. Raises AwsError."""
    return _process.identities.keys_of(access)


def forget(access: Access) -> bool:
    """Drop the cached session of `access`. False when its credentials cannot be renewed."""
    return _process.identities.forget(access)


def close() -> None:
    """Close all clients and forget all sessions."""
    _process.clients.close()
    _process.identities.clear()
