"""`Idempotency-Key`: the same request sent twice acts once, and the second gets the first one's answer.

Why answers are kept in a table and for how long: docs/decisions/0004-idempotency-keys.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import assert_never

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request

from cloudconsole.api.answers import Answer, AnswerStore, Verdict

METHODS = frozenset({"POST", "DELETE"})
HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("Content-Type", "Location", "Content-Disposition")
# Not an outcome of the request itself: sent again, it may well act.
_PASSING = frozenset({401, 403, 408, 429})


class KeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was sent before with another request. Make a new key for a new request."


class StillAtWork(APIException):
    status_code = 409
    default_code = "idempotency_key_in_use"
    default_detail = "The first request with this Idempotency-Key is not finished yet. Ask again in a moment."


class AnswerLost(APIException):
    status_code = 409
    default_code = "idempotency_answer_lost"
    default_detail = (
        "The first request with this Idempotency-Key may have been carried out, but there is no answer of it to show. Look at "
        "what it did; to do it once more, make a new key."
    )


class Replay(Exception):
    """Not a failure: leaves the view before it acts, with the answer of the first time."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def as_http(self) -> HttpResponse:
        response = HttpResponse(self.answer.body, status=self.answer.status)
        for name, value in self.answer.headers.items():
            response[name] = value
        response[REPLAYED] = "true"
        return response


@dataclass(frozen=True)
class Claim:
    """The right to act under a key, held by the one request that got it."""

    store: AnswerStore
    user_id: int
    key: str

    def settle(self, response: HttpResponseBase, *, may_have_acted: bool = False) -> None:
        """Keep the answer, or give the key back when the request failed in passing and surely changed nothing."""
        is_passing = (response.status_code >= 500 or response.status_code in _PASSING) and not may_have_acted
        if is_passing or not isinstance(response, HttpResponse):
            self.release()
            return
        headers = {name: response[name] for name in _KEPT_HEADERS if response.has_header(name)}
        self.store.keep(self.user_id, self.key, Answer(response.status_code, headers, response.content.decode()))

    def release(self) -> None:
        self.store.release(self.user_id, self.key)


def claim(request: Request) -> Claim | None:
    """The claim of a request that acts and names a key; None for all others.

    Raises Replay, KeyReused, StillAtWork, AnswerLost.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method not in METHODS or not request.user.is_authenticated:
        return None
    if not _KEY.fullmatch(key):
        raise ValidationError("An Idempotency-Key is 1 to 255 printable characters without spaces.", "idempotency_key_invalid")
    store: AnswerStore = import_string(settings.IDEMPOTENCY_STORE)()
    match store.claim(request.user.pk, key, _fingerprint(request._request)):
        case Answer() as answer:
            raise Replay(answer)
        case Verdict.CLAIMED:
            return Claim(store, request.user.pk, key)
        case Verdict.AT_WORK:
            raise StillAtWork
        case Verdict.OTHER_REQUEST:
            raise KeyReused
        case Verdict.ANSWER_LOST:
            raise AnswerLost
        case never:
            assert_never(never)


def _fingerprint(request: HttpRequest) -> str:
    """Keyed, because bodies may hold passwords. An upload counts by its length: it is never whole in memory."""
    upload = (request.content_type or "").startswith("multipart/")
    body = request.headers.get("Content-Length", "").encode() if upload else request.body
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return salted_hmac("cloudconsole.idempotency", head + body, algorithm="sha256").hexdigest()
