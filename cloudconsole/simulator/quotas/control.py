"""The control API's part of quotas: what a test or the demo arranges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloudconsole.simulator.quotas.models import Bedrock, Figures
from cloudconsole.simulator.quotas.service import ServiceQuotas
from cloudconsole.simulator.quotas.story import Row
from cloudconsole.simulator.quotas.usage import Usage

Parts = tuple[ServiceQuotas, Bedrock, Usage]


def add(parts: Parts, body: Any) -> dict[str, Any]:
    """A quota that there was not, in every account and region of its service."""
    parts[0].add(Row(**body))
    return {}


def remove(parts: Parts, body: Any) -> dict[str, Any]:
    """`service`, `code`: a quota that AWS does not list any more."""
    parts[0].remove(str(body["service"]), str(body["code"]))
    return {}


def apply(parts: Parts, body: Any) -> dict[str, Any]:
    """`value`: what AWS applies in one place; null for nothing of its own."""
    value = body["value"]
    parts[0].apply(str(body["account"]), str(body["region"]), str(body["code"]), None if value is None else float(value))
    return {}


def decide(parts: Parts, body: Any) -> dict[str, Any]:
    parts[0].decide(str(body["account"]), str(body["code"]), str(body["status"]))
    return {}


def page(parts: Parts, body: Any) -> dict[str, Any]:
    """`size`: how many quotas are on a page, whatever is asked for."""
    parts[0].page = int(body["size"])
    return {}


def minute(parts: Parts, body: Any) -> dict[str, Any]:
    figures = dict(body["figures"])
    figures["estimates"] = tuple(figures.get("estimates", ()))
    at = datetime.fromisoformat(body["at"])
    parts[1].write(str(body["account"]), str(body["region"]), str(body["model"]), at, Figures(**figures))
    return {}


def usage(parts: Parts, body: Any) -> dict[str, Any]:
    dimensions = frozenset((str(name), str(value)) for name, value in body["dimensions"].items())
    place = str(body["account"]), str(body["region"])
    metric = str(body["namespace"]), str(body["metric"]), dimensions
    parts[2].write(place, metric, datetime.fromisoformat(body["at"]), float(body["value"]))
    return {}


ACTIONS: dict[tuple[str, str], Callable[[Parts, Any], dict[str, Any]]] = {
    ("POST", "quotas/add"): add,
    ("POST", "quotas/remove"): remove,
    ("POST", "quotas/apply"): apply,
    ("POST", "quotas/decide"): decide,
    ("POST", "quotas/page"): page,
    ("POST", "quotas/minute"): minute,
    ("POST", "quotas/usage"): usage,
}
