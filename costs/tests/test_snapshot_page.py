"""The pages about fetching costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Role
from costs.models import CostExplorerRequest, CostSnapshot, CostSource, SnapshotStatus, SourceStatus, WindowStatus
from costs.services import runs

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_before_refreshing_the_page_says_what_it_will_cost(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    offered = client.get("/costs/snapshots/refresh")
    requests = offered.context["requests"]
    assert f"${requests / 100:.2f}" in offered.content.decode()
    assert not CostSnapshot.objects.exists()
    client.post("/costs/snapshots/refresh")
    assert CostSnapshot.objects.get().windows.count() == requests
    assert "Running already" in client.get("/costs/snapshots/refresh").content.decode()


def test_a_refresh_beyond_the_cap_is_not_offered(admin: User, payer: CostSource) -> None:
    CostSource.objects.update(monthly_request_cap=3)
    offered = signed_in(admin).get("/costs/snapshots/refresh")
    assert offered.context["requests"] == 0
    assert "Over the cap" in offered.content.decode()


def test_offering_asks_the_database_as_often_for_many_sources_as_for_two(admin: User) -> None:
    client = signed_in(admin)

    def asked(count: int) -> int:
        for _ in range(count):
            number = f"{AwsAccount.objects.count() + 1:012}"
            account = AwsAccount.objects.create(alias=f"a{number}", account_id=number, auth_method="ambient", status="ok")
            CostSource.objects.create(account=account)
        client.get("/costs/snapshots/refresh")
        with CaptureQueriesContext(connection) as queries:
            client.get("/costs/snapshots/refresh")
        return len(queries)

    assert asked(2) == asked(10)


def test_refreshing_starts_a_run_that_its_page_follows(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    text = client.post("/costs/snapshots/refresh", follow=True).content.decode()
    run = CostSnapshot.objects.get()
    assert f'<a href="/costs/snapshots/{run.pk}">management</a>' in text
    page = client.get(f"/costs/snapshots/{run.pk}").content.decode()
    assert "Waiting for a worker" in page
    assert f'data-live="snapshot:{run.pk}"' in page
    assert 'aria-busy="true"' in page


def test_refreshing_twice_is_one_run(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    text = client.post("/costs/snapshots/refresh", follow=True).content.decode()
    assert "It was running already." in text
    assert CostSnapshot.objects.count() == 1


def test_a_finished_run_shows_its_windows_requests_and_price(admin: User, refreshed: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    run = CostSnapshot.objects.get()
    runs.run(snapshot_id=run.pk)
    run.refresh_from_db()
    text = client.get(f"/costs/snapshots/{run.pk}").content.decode()
    assert "Complete" in text
    assert f"${run.price:.2f}" in text
    assert text.count("Stored") >= run.windows.count()


def test_what_went_wrong_is_told_with_its_remedy(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    CostSnapshot.objects.update(
        status=SnapshotStatus.FAILED,
        error_code="aws_access_denied",
        error_detail="No policy allows it.",
        error_remedy="Attach the policy.",
    )
    text = client.get(f"/costs/snapshots/{CostSnapshot.objects.get().pk}").content.decode()
    for words in ("Costs could not be fetched", "No policy allows it.", "Attach the policy.", "aws_access_denied"):
        assert words in text


def test_a_failed_run_counts_what_was_stored_and_says_each_reason_once(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    run = CostSnapshot.objects.get()
    total = run.windows.count()
    first = run.windows.first()
    assert first is not None
    run.windows.update(status=WindowStatus.FAILED, error_code="aws_access_denied", error_detail="No policy allows it.")
    run.windows.filter(pk=first.pk).update(status=WindowStatus.STORED, error_code="", error_detail="")
    CostSnapshot.objects.update(
        status=SnapshotStatus.PARTIAL, error_code="aws_access_denied", error_detail="No policy allows it."
    )
    text = client.get(f"/costs/snapshots/{run.pk}").content.decode()
    assert f"1 of {total} windows stored" in text
    assert f"{total - 1} of {total}</dd>" in text
    assert text.count("No policy allows it.") == 1
    listed = client.get("/costs/snapshots").content.decode()
    assert f"1 of {total} stored, {total - 1} failed" in listed
    assert f'<progress value="1" max="{total}" class="warn"' in listed


def test_several_reasons_are_told_with_how_many_windows_each_took(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    run = CostSnapshot.objects.get()
    total = run.windows.count()
    first = run.windows.first()
    assert first is not None
    run.windows.update(status=WindowStatus.FAILED, error_code="aws_garbled", error_detail="Nonsense came.")
    run.windows.filter(pk=first.pk).update(error_code="no_control_total", error_detail="No total was told.")
    causes = client.get(f"/costs/snapshots/{run.pk}").context["causes"]
    assert [(cause.detail, cause.windows) for cause in causes] == [("Nonsense came.", total - 1), ("No total was told.", 1)]


def test_outcomes_of_requests_are_told_in_words(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    run = CostSnapshot.objects.get()
    CostExplorerRequest.objects.create(
        account=payer.account, snapshot=run, operation="GetCostAndUsage", outcome="access_denied", at=run.created_at
    )
    assert "AWS refuses permission" in client.get(f"/costs/snapshots/{run.pk}").content.decode()


def test_cancelling_keeps_what_was_fetched_and_says_so(admin: User, payer: CostSource) -> None:
    client = signed_in(admin)
    client.post("/costs/snapshots/refresh")
    run = CostSnapshot.objects.get()
    text = client.post(f"/costs/snapshots/{run.pk}/cancel", follow=True).content.decode()
    assert "What was fetched until now stays." in text
    run.refresh_from_db()
    assert run.status == SnapshotStatus.CANCELLED
    assert "already ended" in client.post(f"/costs/snapshots/{run.pk}/cancel", follow=True).content.decode()


def test_a_viewer_looks_but_does_not_spend(make_user: Callable[..., User], payer: CostSource) -> None:
    client = signed_in(make_user("vera", Role.VIEWER, everywhere=True))
    assert "Refresh costs" not in client.get("/costs/snapshots").content.decode()
    assert client.post("/costs/snapshots/refresh").status_code == 403
    assert not CostSnapshot.objects.exists()


def test_a_stranger_sees_no_run(make_user: Callable[..., User], admin: User, payer: CostSource) -> None:
    signed_in(admin).post("/costs/snapshots/refresh")
    client = signed_in(make_user("mallory", Role.OPERATOR))
    assert client.get(f"/costs/snapshots/{CostSnapshot.objects.get().pk}").status_code == 404
    assert "management" not in client.get("/costs/snapshots").content.decode()


def test_a_source_that_is_denied_says_why(admin: User, payer: CostSource) -> None:
    CostSource.objects.update(
        status=SourceStatus.DENIED, status_detail="No policy allows it.", status_remedy="Attach the policy."
    )
    text = signed_in(admin).get("/costs/snapshots").content.decode()
    assert "No policy allows it. Attach the policy." in text
