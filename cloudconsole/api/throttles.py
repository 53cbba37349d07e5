"""How often one caller may ask. Counters live in a cache that all web processes share, or in the only one's memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import caches
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cloudconsole.core import clock, requests

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its name in the settings

_SECONDS = {"s": 1, "sec": 1, "min": 60, "m": 60, "hour": 3600, "h": 3600, "day": 86400, "d": 86400}


class RateThrottle(BaseThrottle):
    """At most N requests per window for each caller; N and the window come from DEFAULT_THROTTLE_RATES[scope].

    The counter is one cache key per window, moved by an atomic increment: requests that arrive together all count.
    """

    scope = ""

    def __init__(self) -> None:
        quota, _, unit = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"][self.scope].partition("/")
        self.quota, self.window_s = int(quota), _SECONDS[unit]
        self.wait_s = 1.0

    def caller(self, request: Request) -> str | None:
        """Whom to count, or None for a caller that this throttle leaves alone."""
        raise NotImplementedError

    def allow_request(self, request: Request, view: APIView) -> bool:
        caller = self.caller(request)
        if caller is None:
            return True
        now = clock.now().timestamp()
        window = int(now // self.window_s)
        self.wait_s = (window + 1) * self.window_s - now
        used = self._count(f"throttle:{self.scope}:{caller}:{window}")
        self._tell(request, max(0, self.quota - used))
        return used <= self.quota

    def wait(self) -> float:
        return math.ceil(self.wait_s)

    def _count(self, key: str) -> int:
        cache = caches["throttles"]
        if cache.add(key, 1, self.window_s * 2):
            return 1
        try:
            return int(cache.incr(key))
        except ValueError:  # evicted between the two calls
            cache.set(key, 1, self.window_s * 2)
            return 1

    def _tell(self, request: Request, remaining: int) -> None:
        """RateLimit headers as in draft-ietf-httpapi-ratelimit-headers; `ApiMiddleware` puts them on the answer."""
        request._request.rate_limit_headers = {  # type: ignore[attr-defined]
            "RateLimit-Policy": f'"{self.scope}";q={self.quota};w={self.window_s}',
            "RateLimit": f'"{self.scope}";r={remaining};t={math.ceil(self.wait_s)}',
        }


class UserThrottle(RateThrottle):
    scope = "user"

    def caller(self, request: Request) -> str | None:
        return str(request.user.pk) if request.user.is_authenticated else None


class AnonymousThrottle(RateThrottle):
    scope = "anonymous"

    def caller(self, request: Request) -> str | None:
        return None if request.user.is_authenticated else _address()


class AddressThrottle(RateThrottle):
    """Counts by address, signed in or not. A view that guards passwords names its own `scope`."""

    scope = "sign_in"

    def caller(self, request: Request) -> str | None:
        return _address()


def _address() -> str:
    context = requests.current()
    return (context.ip if context else None) or "unknown"
