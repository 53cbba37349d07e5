"""The functions of an account and region, their versions and aliases. Of the environment not even the names are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from botocore import xform_name

from cloudconsole.aws import calls
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

# ListFunctions and ListVersionsByFunction give no more, whatever is asked for.
_PAGE = 50


@dataclass(frozen=True, slots=True)
class FunctionFacts:
    """A function, or one of its versions. Sizes in bytes; `version` is "$LATEST" for what can still be changed.

    `runtime` and `handler` are empty for container images. `state`: Pending, Active, Inactive or Failed; empty in lists of
    some regions. `last_update_status`: Successful, Failed, InProgress or empty.
    """

    name: str
    arn: str
    runtime: str
    handler: str
    memory_mb: int
    timeout_s: int
    code_size: int
    code_sha256: str
    modified_at: datetime
    state: str
    state_reason: str
    last_update_status: str
    last_update_reason: str
    role_arn: str
    description: str
    architectures: tuple[str, ...]
    package_type: str
    version: str
    revision_id: str


@dataclass(frozen=True, slots=True)
class AliasFacts:
    """A name for a version; `weights` are the shares (0..1) of further versions."""

    name: str
    arn: str
    version: str
    description: str
    weights: Mapping[str, float]
    revision_id: str


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """Lambda's limits in this account and region, and how much is used. Sizes in bytes."""

    code_size_zipped: int
    code_size_unzipped: int
    total_code_size: int
    used_code_size: int
    concurrent_executions: int
    unreserved_concurrent_executions: int
    functions: int


def functions(access: Access, region: str, *, observer: Observer | None = None) -> Iterator[list[FunctionFacts]]:
    """All functions as they are now, a page at a time."""
    return _pages(access, region, _FUNCTIONS, {}, observer)


def versions(access: Access, region: str, name: str, *, observer: Observer | None = None) -> list[FunctionFacts]:
    """$LATEST and every published version, as AWS orders them: $LATEST, then oldest first."""
    pages = _pages(access, region, _VERSIONS, {"FunctionName": name}, observer)
    return [version for page in pages for version in page]


def configuration(
    access: Access, region: str, name: str, *, qualifier: str | None = None, observer: Observer | None = None
) -> FunctionFacts:
    """One function as it is now, or the version or alias `qualifier` of it."""
    asked = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}

    def request() -> FunctionFacts:
        return facts(cast("dict[str, Any]", client("lambda", region).get_function_configuration(**asked)))

    return calls.call(access, "lambda", "GetFunctionConfiguration", region, request, observer=observer)


def aliases(access: Access, region: str, name: str, *, observer: Observer | None = None) -> list[AliasFacts]:
    def request() -> list[AliasFacts]:
        pages = client("lambda", region).get_paginator("list_aliases").paginate(FunctionName=name)
        return [alias_facts(cast("dict[str, Any]", found)) for page in pages for found in page["Aliases"]]

    return calls.call(access, "lambda", "ListAliases", region, request, observer=observer)


def account_limits(access: Access, region: str) -> AccountLimits:
    """What AWS allows here, asked rather than believed: the limits differ between accounts."""

    def request() -> AccountLimits:
        settings = client("lambda", region).get_account_settings()
        limit, usage = settings["AccountLimit"], settings["AccountUsage"]
        return AccountLimits(
            code_size_zipped=limit["CodeSizeZipped"],
            code_size_unzipped=limit["CodeSizeUnzipped"],
            total_code_size=limit["TotalCodeSize"],
            used_code_size=usage["TotalCodeSize"],
            concurrent_executions=limit["ConcurrentExecutions"],
            unreserved_concurrent_executions=limit["UnreservedConcurrentExecutions"],
            functions=usage["FunctionCount"],
        )

    return calls.call(access, "lambda", "GetAccountSettings", region, request)


def facts(found: Mapping[str, Any]) -> FunctionFacts:
    """AWS's FunctionConfiguration without its environment. KeyError where it is none."""
    return FunctionFacts(
        name=found["FunctionName"],
        arn=found["FunctionArn"],
        runtime=found.get("Runtime", ""),
        handler=found.get("Handler", ""),
        memory_mb=found["MemorySize"],
        timeout_s=found["Timeout"],
        code_size=found["CodeSize"],
        code_sha256=found.get("CodeSha256", ""),
        modified_at=datetime.fromisoformat(found["LastModified"]),
        state=found.get("State", ""),
        state_reason=found.get("StateReason", ""),
        last_update_status=found.get("LastUpdateStatus", ""),
        last_update_reason=found.get("LastUpdateStatusReason", ""),
        role_arn=found.get("Role", ""),
        description=found.get("Description", ""),
        architectures=tuple(found.get("Architectures", ())),
        package_type=found.get("PackageType", "Zip"),
        version=found.get("Version", "$LATEST"),
        revision_id=found.get("RevisionId", ""),
    )


def alias_facts(found: Mapping[str, Any]) -> AliasFacts:
    return AliasFacts(
        name=found["Name"],
        arn=found["AliasArn"],
        version=found["FunctionVersion"],
        description=found.get("Description", ""),
        weights=dict(found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})),
        revision_id=found.get("RevisionId", ""),
    )


# The operation, and the member of its answer that holds the page.
_FUNCTIONS = ("ListFunctions", "Functions")
_VERSIONS = ("ListVersionsByFunction", "Versions")


def _pages(
    access: Access, region: str, listing: tuple[str, str], asked: dict[str, Any], observer: Observer | None
) -> Iterator[list[FunctionFacts]]:
    operation, of = listing
    marker: str | None = None
    while True:
        question = {**asked, "MaxItems": _PAGE, **({"Marker": marker} if marker else {})}

        def request(question: dict[str, Any] = question) -> tuple[list[FunctionFacts], str | None]:
            page = getattr(client("lambda", region), xform_name(operation))(**question)
            return [facts(found) for found in page[of]], page.get("NextMarker")

        page, marker = calls.call(access, "lambda", operation, region, request, observer=observer)
        yield page
        if not marker:
            return
