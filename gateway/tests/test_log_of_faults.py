"""A request that a fault of our own ends is in the log like any other: it may have been carried out."""

from __future__ import annotations

import pytest

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, Reply
from gateway.models import RequestLog
from gateway.tests.conftest import Store
from gateway.tests.test_proxy import Api, body_of

pytestmark = pytest.mark.django_db


def fail(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "place",
    [
        "gateway.services.exchanges.rate_windows.check",  # before it is sent
        "gateway.services.exchanges.rate_windows.observe",  # behind its head
        "gateway.services.exchanges.Scrubber.feed",  # in its body
    ],
)
@pytest.mark.parametrize("length", [5, 100_000])
def test_a_fault_anywhere_is_one_row(
    place: str, length: int, store: Store, service: Listener, ada: User, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    store()
    service.answer = lambda asked: Reply(body=b"x" * length)
    monkeypatch.setattr(place, fail)
    with pytest.raises(ZeroDivisionError):
        body_of(api(ada).get("/api/proxy/svc/x"))
    row = RequestLog.objects.get()
    assert (row.error, row.is_success, len(service.asked)) == ("internal_error", False, 0 if "check" in place else 1)


@pytest.mark.parametrize(("place", "sent"), [("check", 1), ("observe", 1)])
def test_the_same_key_sends_it_again_only_where_it_never_left(
    place: str, sent: int, store: Store, service: Listener, ada: User, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"url": "/x", "method": "POST", "api_key_id": store().pk}
    with monkeypatch.context() as broken:
        broken.setattr(f"gateway.services.exchanges.rate_windows.{place}", fail)
        with pytest.raises(ZeroDivisionError):
            api(ada).post("/api/proxy", asked, headers={"Idempotency-Key": "order-1"})
    again = api(ada).post("/api/proxy", asked, headers={"Idempotency-Key": "order-1"})
    assert (again.status_code, len(service.asked)) == (200 if place == "check" else 409, sent)
