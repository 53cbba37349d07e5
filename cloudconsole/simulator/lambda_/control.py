"""Lambda's part of the control API: what a test or a benchmark arranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cloudconsole.simulator.lambda_.service import Lambda


def make(functions: Lambda, body: Any) -> dict[str, Any]:
    """`count` further functions in an account and region."""
    return {"names": functions.make(str(body["account"]), str(body["region"]), int(body["count"]))}


def spoil(functions: Lambda, body: Any) -> dict[str, Any]:
    """The function's updates end as Failed with this `reason`; an empty one lets them succeed again."""
    functions.spoil(str(body["account"]), str(body["region"]), str(body["function"]), str(body["reason"]))
    return {}


def set_pace(functions: Lambda, body: Any) -> dict[str, Any]:
    """`transition`: seconds that making and updating take; `concurrency`: how many may run at once in an account's region."""
    functions.transition = timedelta(seconds=float(body.get("transition", 1)))
    functions.concurrency = int(body.get("concurrency", 10))
    return {}


ACTIONS: dict[tuple[str, str], Callable[[Lambda, Any], dict[str, Any]]] = {
    ("POST", "lambda/make"): make,
    ("POST", "lambda/spoil"): spoil,
    ("POST", "lambda/pace"): set_pace,
}
