"""When something is waste, what it is worth, and what becomes of a recommendation: rules without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from cloudconsole.core import figures
from costs.rules import waste
from costs.rules.findings import BY_AWS, KINDS, Confidence, Price, added, times
from costs.rules.recommendation_life import Dismissal, Status, comes_back, ended
from costs.rules.waste import Balancer, Copy, Disk, Gp3Prices, Logs, Machine, Thing

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
THING = Thing("eu-central-1", "x-1", "it", NOW)
UNKNOWN = Price(None, "", "The price list was not asked.")
GP3 = Gp3Prices(Price(Decimal("0.08"), "USD"), Price(Decimal("0.005"), "USD"), Price(Decimal("0.04"), "USD"))
amounts = some.decimals(min_value=Decimal("0.0001"), max_value=Decimal(1000), places=6)


def disk(size: int = 100, kind: str = "gp2", attached_to: str = "", price: str | None = "0.10", days: int = 40) -> Disk:
    priced = UNKNOWN if price is None else Price(Decimal(price), "USD")
    return Disk(THING, kind, size, attached_to, NOW - timedelta(days=days), priced)


def machine(**fields: object) -> Machine:
    told = {"cpu_mean": 1.0, "cpu_max": 3.0, "network_bytes_a_day": 1e6, "usage_hours": 336, "usage_at": NOW}
    base = Machine(THING, "running", "m6i.large", "on-demand", Price(Decimal("0.096"), "USD"))
    return replace(base, **{**told, **fields})  # type: ignore[arg-type]


def test_an_unattached_volume_is_worth_its_list_price() -> None:
    found = waste.unattached_volume(disk(400), NOW)
    assert found is not None
    assert (found.money.amount, found.money.currency, found.confidence) == (Decimal("40.00"), "USD", Confidence.HIGH)


@pytest.mark.parametrize("held", [disk(attached_to="i-1"), disk(days=0)])
def test_a_volume_in_use_or_just_made_is_no_waste(held: Disk) -> None:
    assert waste.unattached_volume(held, NOW) is None


def test_a_price_that_is_not_known_is_not_nothing() -> None:
    found = waste.unattached_volume(disk(price=None), NOW)
    assert found is not None
    assert (found.money.amount, found.money.why) == (None, "The price list was not asked.")


@pytest.mark.parametrize(
    ("size", "settings", "saved"),
    # 100 × 0.02; 200 × 0.02 - 125 × 0.04 costs more; 2000 × 0.02 - 3000 × 0.005 - 125 × 0.04 = 20.
    [(100, (3000, 125), Decimal("2.00")), (200, (3000, 250), None), (2000, (6000, 250), Decimal("20.000"))],
)
def test_gp3_is_recommended_only_where_the_same_speed_costs_less(
    size: int, settings: tuple[int, int], saved: Decimal | None
) -> None:
    found = waste.gp2_volume(disk(size, attached_to="i-1"), GP3)
    assert waste.gp3_settings(size) == settings
    assert (found.money.amount if found else None) == saved


@given(some.integers(1, 16_384))
def test_gp3_is_never_slower_than_the_gp2_it_replaces(size: int) -> None:
    iops, throughput = waste.gp3_settings(size)
    assert iops >= min(16_000, 3 * size)
    assert throughput >= (250 if size > 170 else 125)
    assert throughput <= iops // 4  # what EC2 takes: at most 0.25 MiB/s for each of the IOPS


@pytest.mark.parametrize(
    ("fields", "sure"),
    [
        ({}, Confidence.HIGH),
        ({"usage_hours": 200}, Confidence.MEDIUM),
        ({"cpu_max": 15.0}, Confidence.MEDIUM),
        ({"usage_hours": 100}, None),
        ({"usage_hours": None}, None),
        ({"cpu_mean": None}, None),
        ({"network_bytes_a_day": None}, None),
        ({"network_bytes_a_day": 6e6}, None),
        ({"cpu_max": 30.0}, None),
        ({"cpu_mean": 4.0, "cpu_max": 15.0}, None),
        ({"state": "stopped"}, None),
    ],
)
def test_idle_is_what_shows_no_use_and_missing_data_is_not_idle(fields: dict[str, object], sure: Confidence | None) -> None:
    found = waste.idle_instance(machine(**fields))
    assert (found.confidence if found else None) is sure
    assert found is None or found.money.amount == Decimal("70.080")


def test_a_spot_instance_has_no_price_that_holds() -> None:
    found = waste.idle_instance(machine(lifecycle="spot"))
    assert found is not None
    assert found.money.amount is None
    assert found.money.why


def test_a_stopped_instance_is_worth_its_volumes_after_a_week() -> None:
    stopped = machine(state="stopped", stopped_since=NOW - timedelta(days=8))
    disks = [disk(30, "gp3", "i-1", "0.08"), disk(500, "gp2", "i-1")]
    found = waste.stopped_instance(stopped, disks, NOW)
    assert found is not None
    assert found.money.amount == Decimal("52.40")
    assert found.reasoning.startswith("2 volumes of together 530 GiB at AWS's list price")
    alone = waste.stopped_instance(stopped, disks[1:], NOW)
    assert alone is not None
    assert alone.reasoning.startswith("One volume of 500 GiB at AWS's list price")
    assert alone.evidence[0] == ("State", f"stopped since {figures.day(NOW - timedelta(days=8))} or before")
    assert waste.stopped_instance(replace(stopped, stopped_since=NOW - timedelta(days=6)), disks, NOW) is None
    assert waste.stopped_instance(replace(stopped, stopped_since=None), disks, NOW) is None
    assert waste.stopped_instance(stopped, disks[:1], NOW) is None


def test_a_newer_type_is_recommended_only_where_both_prices_say_that_it_costs_less() -> None:
    old = machine(instance_type="m4.large", price=Price(Decimal("0.10"), "USD"))
    found = waste.previous_generation(old, "m6i.large", Price(Decimal("0.096"), "USD"))
    assert found is not None
    assert found.money.amount == Decimal("2.920")
    for newer in (UNKNOWN, Price(Decimal("0.10"), "USD"), Price(Decimal("0.05"), "EUR")):
        assert waste.previous_generation(old, "m6i.large", newer) is None


def copy(**fields: object) -> Copy:
    price = Price(Decimal("0.05"), "USD")
    base = Copy(THING, 100, 60 * 2**30, NOW - timedelta(days=200), "", "completed", {}, 0, False, True, price)
    return replace(base, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "amount", "sure"),
    [
        ({}, Decimal("3.00"), Confidence.MEDIUM),
        ({"is_only_one": False}, Decimal("3.00"), Confidence.LOW),
        ({"full_bytes": None}, Decimal("5.00"), Confidence.LOW),
        ({"image_id": "ami-1"}, None, None),
        ({"tags": {"aws:backup:source-resource": "x"}}, None, None),
        ({"source_exists": True, "newer": 4}, None, None),
        ({"source_exists": True, "newer": 5, "is_only_one": False}, Decimal("3.00"), Confidence.LOW),
        ({"started_at": NOW - timedelta(days=30)}, None, None),
        ({"state": "pending"}, None, None),
    ],
)
def test_an_old_snapshot_is_one_that_nothing_needs(
    fields: dict[str, object], amount: Decimal | None, sure: Confidence | None
) -> None:
    found = waste.old_snapshot(copy(**fields), NOW)
    assert (found.money.amount if found else None, found.confidence if found else None) == (amount, sure)


@pytest.mark.parametrize(
    ("groups", "targets", "healthy", "sure"),
    [
        (1, 0, 0, Confidence.HIGH),
        (1, 2, 0, Confidence.MEDIUM),
        (0, 0, 0, Confidence.LOW),
        (1, 2, 1, None),
    ],
)
def test_how_sure_an_empty_load_balancer_is(groups: int, targets: int, healthy: int, sure: Confidence | None) -> None:
    price = Price(Decimal("0.0225"), "USD")
    found = waste.empty_balancer(Balancer(THING, "application", "active", groups, targets, healthy, price))
    assert (found.confidence if found else None) is sure
    assert found is None or found.money.amount == Decimal("16.4250")


def test_logs_kept_for_ever_are_worth_what_is_older_than_ninety_days() -> None:
    logs = Logs(THING, 100 * 2**30, None, "STANDARD", NOW - timedelta(days=180), Price(Decimal("0.03"), "USD"))
    found = waste.endless_logs(logs, NOW)
    assert found is not None
    assert found.money.amount == Decimal("1.50000000")
    for none in (replace(logs, retention_days=30), replace(logs, stored_bytes=5), replace(logs, created_at=NOW)):
        assert waste.endless_logs(none, NOW) is None


def test_an_address_that_a_service_holds_is_not_ours_to_give_back() -> None:
    price = Price(Decimal("0.005"), "USD")
    found = waste.unused_address(THING, "192.0.2.1", "", "", price)
    assert found is not None
    assert found.money.amount == Decimal("3.650")
    assert waste.unused_address(THING, "192.0.2.1", "", "alb", price) is None
    assert waste.unused_address(THING, "192.0.2.1", "i-1", "", price) is None


@given(some.lists(some.tuples(amounts, some.integers(1, 1000)), min_size=1, max_size=8))
def test_a_sum_is_exact_and_one_unknown_part_makes_it_unknown(parts: list[tuple[Decimal, int]]) -> None:
    known = tuple(times(Price(amount, "USD"), Decimal(count)) for amount, count in parts)
    assert added(known).amount == sum((amount * count for amount, count in parts), Decimal(0))
    assert added((*known, times(UNKNOWN, Decimal(1)))).amount is None
    assert added((*known, times(Price(Decimal(1), "EUR"), Decimal(1)))).amount is None


@given(some.sampled_from(sorted(KINDS)), amounts, amounts)
def test_a_dismissed_one_comes_back_for_a_fifth_and_a_unit_more(kind: str, before: Decimal, now: Decimal) -> None:
    dismissed = Dismissal(kind, before, "USD", None)
    much = now - before >= 1 and now >= before * Decimal("1.2")
    assert comes_back(dismissed, kind, now, "USD", NOW) is much
    assert not comes_back(dismissed, kind, before, "USD", NOW)
    assert not comes_back(dismissed, kind, None, "", NOW)
    assert comes_back(dismissed, "another", now, "USD", NOW)
    assert comes_back(replace(dismissed, until=NOW), kind, before, "USD", NOW)
    assert not comes_back(replace(dismissed, until=NOW + timedelta(seconds=1)), kind, before, "USD", NOW)


def test_what_its_end_means() -> None:
    ours = [kind for kind in KINDS if kind != BY_AWS]
    assert {kind: ended(kind, still_there=False) for kind in ours} == dict.fromkeys(ours, Status.FIXED)
    assert ended(BY_AWS, still_there=False) is Status.GONE
    fixed = {kind for kind in KINDS if ended(kind, still_there=True) is Status.FIXED}
    assert fixed == {"previous_generation", "gp2_volume", "endless_logs", "lambda_memory"}
