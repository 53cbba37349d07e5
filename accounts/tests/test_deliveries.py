"""Messages on their way: to real listeners, once, with patience, and honest about what nobody can know."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.alerts import REGISTRY, Severity, register
from accounts.models import Alert, AwsAccount, Delivery, Notice, NotificationChannel, User
from accounts.rules.retries import MOST_ATTEMPTS
from accounts.rules.signatures import new_key
from accounts.services import deliveries, notifications
from accounts.tests.mailserver import MailServer, mail_server
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.net.tests.listeners import Listener, Reply, http_listener, raw_listener, untouched_listener

pytestmark = pytest.mark.django_db

Api = Callable[..., APIClient]
Make = Callable[..., NotificationChannel]
KIND = register("tests.delivered", "Something delivered in tests")
KEY = new_key()


@pytest.fixture(autouse=True)
def _loopback_is_excepted(settings: Any) -> None:
    REGISTRY[KIND.name] = KIND
    settings.EGRESS_ALLOW_CIDRS = [ip_network("127.0.0.0/8")]
    settings.CSRF_TRUSTED_ORIGINS = ["https://console.example.com"]


@pytest.fixture
def make(admin: User, api: Api) -> Make:
    def made(kind: str = "webhook", **fields: Any) -> NotificationChannel:
        body = {"name": f"the {kind}", "kind": kind, "routes": [{"kind": "", "at_least": "info"}], **fields}
        if kind == "webhook":
            body.setdefault("signing_key", KEY)
        answer = api(admin).post("/api/notifications/channels", body)
        assert answer.status_code == 201, answer.json()
        return NotificationChannel.objects.get(pk=answer.json()["id"])

    return made


@pytest.fixture
def listener() -> Iterator[Listener]:
    with http_listener() as made:
        yield made


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_CONFIGURED, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def tell(key: str = "one", severity: Severity = Severity.WARNING, *accounts: AwsAccount, **more: Any) -> Alert:
    made = notifications.announce(kind=KIND, severity=severity, key=key, title=f"Thing <{key}>", accounts=accounts, **more)
    assert made
    return made


def work() -> None:
    """What the scheduler and the workers do between them."""
    deliveries.sweep()
    for pk in Delivery.objects.order_by("pk").values_list("pk", flat=True):
        deliveries.run(delivery_id=pk)


def statuses() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("status", flat=True))


def test_a_webhook_gets_the_alert_signed(make: Make, listener: Listener) -> None:
    make(address=listener.url())
    account = AwsAccount.objects.create(alias="production", account_id="123456789012", auth_method="ambient")
    tell("one", Severity.CRITICAL, account, lines=["More."], path="/budgets/7")
    work()
    work()
    asked = listener.asked[0]
    assert (len(listener.asked), statuses()) == (1, ["sent"])
    told = json.loads(asked.body)
    assert told["id"] == asked.headers["webhook-id"] == str(Delivery.objects.get().uuid)
    assert told["alerts"][0]["accounts"] == [{"account_id": "123456789012", "alias": "production"}]
    assert told["alerts"][0]["url"] == "https://console.example.com/budgets/7"
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    digest = hmac.new(base64.b64decode(KEY.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    assert asked.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_slack_and_teams_get_their_own_forms(make: Make, listener: Listener) -> None:
    make("slack", address=listener.url(path="/slack"))
    make("teams", address=listener.url(path="/teams"))
    tell(lines=["a & b"])
    work()
    bodies = {asked.path: json.loads(asked.body) for asked in listener.asked}
    assert "*Thing &lt;one&gt;*\na &amp; b" in bodies["/slack"]["text"]
    card = bodies["/teams"]["attachments"][0]["content"]
    assert [block["text"] for block in card["body"]] == ["⚠️ Thing <one>", "a & b"]
    assert statuses() == ["sent", "sent"]


def test_mail_is_sent_to_its_recipients(make: Make, mail: MailServer) -> None:
    make("email", recipients=["ops@example.com, Boss@example.com"])
    tell()
    work()
    work()
    received = mail.received[0]
    assert (len(mail.received), received.recipients) == (1, ["ops@example.com", "boss@example.com"])
    assert f"Message-ID: <{Delivery.objects.get().uuid}@localhost>" in received.text
    assert "Subject: [Warning] Thing <one>" in received.text


@pytest.mark.parametrize(("reply", "status"), [("451 later", "waiting"), ("554 never", "dead"), ("", "unknown")])
def test_a_mail_server_that_takes_no_message(make: Make, mail: MailServer, reply: str, status: str) -> None:
    mail.reply_to_data = reply
    make("email", recipients=["ops@example.com"])
    tell()
    work()
    assert statuses() == [status]


def test_no_mail_server_is_said(make: Make, settings: Any) -> None:
    settings.EMAIL_CONFIGURED = False
    make("email", recipients=["ops@example.com"])
    tell()
    work()
    assert Delivery.objects.values_list("status", "error_code").get() == ("dead", "no_mail_server")


def test_a_mail_server_that_is_away_is_tried_again(make: Make, mail: MailServer, settings: Any) -> None:
    with untouched_listener() as gone:
        settings.EMAIL_PORT = gone.port
    make("email", recipients=["ops@example.com"])
    tell()
    work()
    assert Delivery.objects.values_list("status", "error_code").get() == ("waiting", "mail_unreachable")


def test_routes_choose_by_kind_and_severity(make: Make, listener: Listener) -> None:
    make(address=listener.url(), routes=[{"kind": "", "at_least": "never"}, {"kind": KIND.name, "at_least": "critical"}])
    make("slack", address=listener.url(), routes=[{"kind": "", "at_least": "warning"}])
    make("teams", address=listener.url(), routes=[{"kind": "", "at_least": "info"}], enabled=False)
    tell("a", Severity.INFO)
    tell("b", Severity.WARNING)
    tell("c", Severity.CRITICAL)
    told = Notice.objects.order_by("pk").values_list("alert__key", "channel__name")
    assert list(told) == [("b", "the slack"), ("c", "the slack"), ("c", "the webhook")]


def test_the_same_alert_again_is_not_sent_again(make: Make, listener: Listener) -> None:
    make(address=listener.url())
    for _ in range(3):
        tell()
        work()
    assert len(listener.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_receiver_in_trouble_is_asked_again_with_the_same_id_and_then_given_up(
    make: Make, listener: Listener, time_machine: Any, status: int
) -> None:
    listener.answer = lambda asked: Reply(status, body=b"later")
    make(address=listener.url())
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    time_machine.move_to(now, tick=False)
    tell()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        work()
        work()
        assert len(listener.asked) == attempt
        time_machine.shift(Delivery.objects.get().not_before - clock.now() + timedelta(seconds=1))
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.http_status, delivery.answer) == ("dead", MOST_ATTEMPTS, status, "later")
    assert len({(asked.headers["webhook-id"], asked.body) for asked in listener.asked}) == 1
    assert clock.now() - now > timedelta(minutes=45)
    work()
    assert len(listener.asked) == MOST_ATTEMPTS


def test_a_receiver_that_asks_for_time_gets_it(make: Make, listener: Listener, time_machine: Any) -> None:
    listener.answer = lambda asked: Reply(429, {"Retry-After": "7200"})
    make("slack", address=listener.url())
    time_machine.move_to(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False)
    tell()
    work()
    time_machine.shift(timedelta(minutes=119))
    work()
    assert len(listener.asked) == 1
    listener.answer = lambda asked: Reply()
    time_machine.shift(timedelta(minutes=2))
    work()
    assert (len(listener.asked), statuses()) == (2, ["sent"])


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_receiver_that_refuses_is_not_asked_again(make: Make, listener: Listener, status: int) -> None:
    listener.answer = lambda asked: Reply(status, {"Location": "http://127.0.0.1:1/"})
    make("slack", address=listener.url())
    tell()
    work()
    work()
    assert (len(listener.asked), statuses()) == (1, ["dead"])


def _hang_up(caller: socket.socket) -> None:
    caller.recv(65536)


@pytest.mark.parametrize(("kind", "status"), [("slack", "unknown"), ("teams", "unknown"), ("webhook", "waiting")])
def test_silence_after_sending_is_repeated_only_to_who_can_tell(make: Make, kind: str, status: str) -> None:
    with raw_listener(_hang_up) as port:
        make(kind, address=f"http://127.0.0.1:{port}/")
        tell()
        work()
    assert statuses() == [status]


def test_a_closed_port_got_nothing_and_is_tried_again(make: Make) -> None:
    with untouched_listener() as gone:
        address = f"http://127.0.0.1:{gone.port}/"
    make("slack", address=address)
    tell()
    work()
    assert statuses() == ["waiting"]


def test_what_may_not_be_reached_any_more_is_refused_at_sending(make: Make, settings: Any) -> None:
    with untouched_listener() as listener:
        make(address=f"http://127.0.0.1:{listener.port}/")
        settings.EGRESS_ALLOW_CIDRS = []
        tell()
        work()
    assert (listener.touches, Delivery.objects.values_list("status", "error_code").get()) == (0, ("dead", "address_refused"))


def test_quiet_hours_hold_back_all_but_what_is_critical(make: Make, listener: Listener, time_machine: Any) -> None:
    make(address=listener.url(), quiet_from="22:00", quiet_until="07:00", time_zone="Europe/Berlin")
    time_machine.move_to(datetime(2026, 11, 28, 23, tzinfo=UTC), tick=False)
    tell("a")
    tell("b")
    tell("c", Severity.CRITICAL)
    work()
    assert [[alert["title"] for alert in json.loads(asked.body)["alerts"]] for asked in listener.asked] == [["Thing <c>"]]
    time_machine.move_to(datetime(2026, 11, 29, 5, 59, tzinfo=UTC), tick=False)
    work()
    assert len(listener.asked) == 1
    time_machine.move_to(datetime(2026, 11, 29, 6, 0, tzinfo=UTC), tick=False)
    work()
    work()
    assert len(listener.asked) == 2
    assert [alert["title"] for alert in json.loads(listener.asked[1].body)["alerts"]] == ["Thing <a>", "Thing <b>"]


def test_a_digest_tells_a_day_in_one_message(make: Make, mail: MailServer, time_machine: Any) -> None:
    make("email", recipients=["ops@example.com"], digest="daily", digest_at="08:30", time_zone="America/New_York")
    time_machine.move_to(datetime(2026, 10, 30, 14, tzinfo=UTC), tick=False)
    for number in range(25):
        tell(str(number))
        work()
    time_machine.move_to(datetime(2026, 10, 31, 12, 29, tzinfo=UTC), tick=False)
    work()
    assert mail.received == []
    time_machine.move_to(datetime(2026, 10, 31, 12, 30, tzinfo=UTC), tick=False)
    work()
    work()
    assert len(mail.received) == 1
    assert "Subject: [Warning] 25 alerts" in mail.received[0].text
    assert "And 5 more." in mail.received[0].text


def test_two_workers_at_once_deliver_once(make: Make, listener: Listener, threads: Callable[..., None]) -> None:
    make("slack", address=listener.url())
    tell()
    threads(*[work] * 4)
    threads(*[work] * 4)
    assert (len(listener.asked), statuses()) == (1, ["sent"])
    assert Delivery.objects.get().attempts == 1


def _left_behind(status: str) -> Delivery:
    """The message as a worker leaves it that is killed then."""
    delivery = Delivery.objects.get()
    Delivery.objects.filter(pk=delivery.pk).update(
        status=status, attempts=1, lease_token=delivery.uuid, lease_until=clock.now() + timedelta(minutes=3)
    )
    return delivery


@pytest.mark.parametrize(
    ("kind", "died_while", "after", "calls"),
    [
        ("slack", "claimed", "sent", 1),
        ("slack", "sending", "unknown", 0),
        ("teams", "sending", "unknown", 0),
        ("webhook", "claimed", "sent", 1),
        ("webhook", "sending", "sent", 1),
    ],
)
def test_a_killed_workers_message_goes_on_only_where_it_cannot_arrive_twice(
    make: Make, listener: Listener, time_machine: Any, kind: str, died_while: str, after: str, calls: int
) -> None:
    make(kind, address=listener.url())
    time_machine.move_to(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False)
    tell()
    deliveries.sweep()
    _left_behind(died_while)
    work()
    assert (listener.asked, statuses()) == ([], [died_while])  # its lease still runs
    time_machine.shift(timedelta(minutes=4))
    work()
    assert (len(listener.asked), statuses()) == (calls, [after])


def test_an_unknown_message_is_a_dead_letter_that_a_person_sends_again(
    make: Make, listener: Listener, time_machine: Any, admin: User, api: Api
) -> None:
    make("slack", address=listener.url())
    time_machine.move_to(datetime(2026, 11, 28, 12, tzinfo=UTC), tick=False)
    tell()
    deliveries.sweep()
    delivery = _left_behind("sending")
    time_machine.shift(timedelta(minutes=4))
    work()
    shown = api(admin).get("/api/notifications/deliveries", {"status": "unknown"}).json()["results"]
    assert [(one["id"], one["error_code"]) for one in shown] == [(delivery.pk, "worker_lost")]
    assert api(admin).post(f"/api/notifications/deliveries/{delivery.pk}/retry").status_code == 202
    work()
    assert (len(listener.asked), statuses()) == (1, ["sent"])
    assert api(admin).post(f"/api/notifications/deliveries/{delivery.pk}/retry").json()["code"] == "delivery_not_retryable"
    assert AuditEvent.objects.filter(action="notification_delivery.retried").count() == 1


def test_a_deleted_channel_gets_nothing_more_and_its_log_stays(make: Make, listener: Listener, admin: User, api: Api) -> None:
    channel = make(address=listener.url(), digest="daily")
    other = make("slack", address=listener.url())
    tell()
    deliveries.sweep()
    assert api(admin).delete(f"/api/notifications/channels/{other.pk}").status_code == 204
    assert api(admin).delete(f"/api/notifications/channels/{channel.pk}").status_code == 204
    work()
    assert not listener.asked
    delivery = Delivery.objects.get()
    assert (delivery.channel, delivery.channel_name, delivery.status) == (None, "the slack", "cancelled")
    assert not Notice.objects.filter(delivery=None).exists()


def test_a_test_message_shows_the_answer_without_what_is_secret(make: Make, listener: Listener, admin: User, api: Api) -> None:
    listener.answer = lambda asked: Reply(200, body=f"thanks for\n{asked.path}".encode())
    channel = make(address=listener.url(path="/hooks/very-secret-token"))
    answer = api(admin).post(f"/api/notifications/channels/{channel.pk}/test").json()
    assert (answer["status"], answer["http_status"], answer["is_test"]) == ("sent", 200, True)
    assert answer["answer"] == "thanks for /hooks/…"
    assert json.loads(listener.asked[0].body)["test"] is True


def test_a_failed_test_is_told_and_not_tried_again(make: Make, listener: Listener, admin: User, api: Api) -> None:
    listener.answer = lambda asked: Reply(503)
    channel = make(address=listener.url(), enabled=False)
    answer = api(admin).post(f"/api/notifications/channels/{channel.pk}/test").json()
    assert (answer["status"], answer["error_code"]) == ("dead", "http_503")
    work()
    assert len(listener.asked) == 1
    assert api(admin).get("/api/notifications/channels").json()["results"][0]["dead_letters"] == 0


def test_a_secret_of_another_channel_is_refused(make: Make, listener: Listener) -> None:
    one, two = make(address=listener.url()), make("slack", address=listener.url())
    NotificationChannel.objects.filter(pk=one.pk).update(sealed=two.sealed, sealed_with=two.sealed_with)
    NotificationChannel.objects.filter(pk=two.pk).update(enabled=False)
    tell()
    work()
    assert (listener.asked, Delivery.objects.values_list("status", "error_code").get()) == ([], ("dead", "secret_unreadable"))
