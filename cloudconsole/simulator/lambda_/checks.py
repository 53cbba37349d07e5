"""What Lambda does not accept, and in which words it says so (Lambda API reference; Lambda quotas)."""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from cloudconsole.simulator.wire import AwsError

ZIPPED, UNZIPPED, ALL_CODE = 52_428_800, 262_144_000, 80_530_636_800
SYNCHRONOUS, ASYNCHRONOUS = 6_291_456, 1_048_576

RUNTIMES = frozenset(
    (
        "dotnet8", "java11", "java17", "java21", "java25", "nodejs20.x", "nodejs22.x", "nodejs24.x", "provided.al2",
        "provided.al2023", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "ruby3.3", "ruby3.4",
    )
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLE = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/(?P<name>[\w+=,.@/-]+)", re.ASCII)
_HANDLER = re.compile(r"[^\s]{1,128}")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message, members={"Type": "User"})


def name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        message = f"1 validation error detected: Value '{value}' at 'functionName' failed to satisfy constraint"
        raise AwsError("ValidationException", message)
    return value


def configuration(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that a request wishes for, by the names of `Configuration`; only what it gives."""
    found: dict[str, Any] = {}
    if "Runtime" in asked:
        found["runtime"] = _runtime(asked["Runtime"])
    if "Handler" in asked:
        found["handler"] = _handler(asked["Handler"])
    if "MemorySize" in asked:
        found["memory_mb"] = _between(asked["MemorySize"], 128, 10_240, "memorySize")
    if "Timeout" in asked:
        found["timeout_s"] = _between(asked["Timeout"], 1, 900, "timeout")
    if "Description" in asked:
        found["description"] = str(asked["Description"])[:256]
    if "Architectures" in asked:
        found["architectures"] = tuple(asked["Architectures"])
    if "Environment" in asked:
        variables = asked["Environment"].get("Variables", {})
        found["environment"] = tuple(sorted((str(key), str(value)) for key, value in variables.items()))
    return found


def role(value: object, account_id: str) -> str:
    """The ARN of a role of the account that Lambda may assume: here one whose name says that it is for Lambda."""
    found = _ROLE.fullmatch(str(value))
    if found is None:
        message = f"1 validation error detected: Value '{value}' at 'role' failed to satisfy constraint: Member must satisfy "
        raise AwsError(
            "ValidationException",
            message + "regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        )
    if found["account"] != account_id:
        raise AwsError("AccessDeniedException", "Cross-account pass role is not allowed.", 403)
    if "lambda" not in found["name"].lower():
        raise invalid("The role defined for the function cannot be assumed by Lambda.")
    return str(value)


def code(asked: Mapping[str, Any]) -> bytes:
    """The zip of a request, looked into but not unpacked."""
    try:
        content = base64.b64decode(str(asked.get("ZipFile", "")), validate=True)
    except binascii.Error:
        content = b""
    if len(content) > ZIPPED:
        raise AwsError("RequestEntityTooLargeException", f"Request must be smaller than {ZIPPED} bytes for the operation", 413)
    unzipped = _unzipped_size(content)
    if unzipped > UNZIPPED:
        raise invalid(f"Unzipped size must be smaller than {UNZIPPED} bytes")
    return content


def _unzipped_size(content: bytes) -> int:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        members = []
    if not members:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    return sum(member.file_size for member in members)


def _runtime(value: object) -> str:
    if value not in RUNTIMES:
        known = ", ".join(sorted(RUNTIMES))
        raise invalid(
            f"Value {value} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{known}] "
            "or be a valid ARN"
        )
    return str(value)


def _handler(value: object) -> str:
    if not isinstance(value, str) or not _HANDLER.fullmatch(value):
        message = f"1 validation error detected: Value '{value}' at 'handler' failed to satisfy constraint: Member must satisfy "
        raise AwsError("ValidationException", message + "regular expression pattern: [^\\s]+")
    return value


def _between(value: object, least: int, most: int, member: str) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        limit = (
            f"greater than or equal to {least}" if isinstance(value, int) and value < least else f"less than or equal to {most}"
        )
        message = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: "
        raise AwsError("ValidationException", f"{message}Member must have value {limit}")
    return value
