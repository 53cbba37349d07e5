"""Quotas from simulated minutes to rows and alerts: exact figures, and nothing told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Alert, AwsAccount
from cloudconsole.environment import Quotas
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import ModelMinute, Quota, QuotaHour, QuotaPlace
from resources.rules import quota_reasons
from resources.services import quotas
from resources.services.quotas import limits, places
from resources.tests.conftest import Connected
from resources.tests.quotas import NOON, US, Clock, read

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MINUTE = timedelta(minutes=1)


def of(code: str) -> Quota:
    return Quota.objects.get(code=code, region=US)


def test_limits_are_those_in_force_and_only_quotas_with_a_use_are_kept(account: AwsAccount, simulator: SimulatorHandle) -> None:
    simulator.quotas.apply(DEVELOPMENT, US, "L-F4DDD3EB", 450_000)
    read()
    sonnet, opus = of("L-F4DDD3EB"), of("L-7007E9C9")
    assert (sonnet.applied_value, sonnet.default_value, sonnet.limit) == (Decimal(450_000), Decimal(200_000), Decimal(450_000))
    assert (opus.applied_value, opus.limit) == (None, Decimal(300_000))
    assert (sonnet.model, sonnet.profile, sonnet.label) == ("sonnet-4.5", "cross_region", "Claude Sonnet 4.5, cross-region")
    assert not Quota.objects.filter(name__contains="Nova").exists()
    assert not Quota.objects.filter(name__contains="Batch").exists()
    assert not Quota.objects.filter(name__contains="network interfaces").exists()
    place = QuotaPlace.objects.get()
    assert (place.limits_at, place.limits_code) == (NOON, "")


def test_pages_and_throttling_lose_nothing(account: AwsAccount, simulator: SimulatorHandle) -> None:
    read()
    whole = set(Quota.objects.values_list("code", flat=True))
    Quota.objects.all().delete()
    simulator.quotas.set_page(3)
    simulator.add_faults(Fault("servicequotas", FaultKind.THROTTLE, after=2, times=2))
    QuotaPlace.objects.update(next_limits_at=NOON)
    quotas.read_limits()
    assert set(Quota.objects.values_list("code", flat=True)) == whole


def test_a_place_that_does_not_answer_keeps_what_it_told_and_says_why(account: AwsAccount, simulator: SimulatorHandle) -> None:
    read()
    before = Quota.objects.count()
    simulator.add_faults(Fault("servicequotas", FaultKind.DENIED, times=100))
    QuotaPlace.objects.update(next_limits_at=NOON)
    quotas.read_limits()
    place = QuotaPlace.objects.get()
    assert place.limits_code == "aws_access_denied"
    assert Quota.objects.present().count() == before
    assert place.next_limits_at is not None
    assert place.next_limits_at > NOON


def test_a_region_without_bedrock_has_no_such_quotas_and_is_no_failure(clock: Clock, connected: Connected) -> None:
    connected("development", enabled_regions=["sa-east-1"])
    read()
    assert set(QuotaPlace.objects.values_list("region", "limits_code")) == {("sa-east-1", ""), (US, "")}
    assert not Quota.objects.filter(service_code="bedrock").exists()
    assert Quota.objects.filter(service_code="ec2", region="sa-east-1").exists()


def test_quotas_of_the_whole_account_are_read_once_whatever_its_regions(
    clock: Clock, connected: Connected, simulator: SimulatorHandle, settings: Any
) -> None:
    settings.QUOTAS = Quotas(services=("ec2", "s3"))
    account = connected("development", enabled_regions=["eu-central-1"])
    read()
    assert set(QuotaPlace.objects.values_list("region", "only_global")) == {("eu-central-1", False), (US, True)}
    buckets = of("L-DC2B2D3D")
    assert (buckets.is_global, buckets.limit, buckets.reach) == (True, Decimal(10_000), "all regions")
    assert set(Quota.objects.filter(region=US).values_list("code", flat=True)) == {buckets.code}
    AwsAccount.objects.filter(pk=account.pk).update(enabled_regions=["eu-central-1", US])
    read()
    assert set(QuotaPlace.objects.values_list("region", "only_global")) == {("eu-central-1", False), (US, False)}
    assert Quota.objects.present().filter(code=buckets.code).count() == 1
    assert Quota.objects.present().filter(code="L-417A185B").count() == 2
    AwsAccount.objects.filter(pk=account.pk).update(enabled_regions=["eu-central-1"])
    read()
    assert list(Quota.objects.present().filter(region=US)) == [buckets]


def test_every_service_that_aws_lists_is_read_unless_a_setting_narrows_it(
    clock: Clock, connected: Connected, simulator: SimulatorHandle, settings: Any
) -> None:
    metric = ("AWS/Usage", "CallCount", (("Resource", "Decrypt"), ("Service", "KMS"), ("Type", "API")), "Sum")
    simulator.quotas.add("kms", "L-6E3AF000", "Decrypt requests per second", 50_000.0, metric=metric, period=(1, "SECOND"))
    simulator.quotas.set_page(3)
    connected("development", enabled_regions=[US])
    read()
    kept = set(Quota.objects.values_list("service_code", flat=True))
    assert kept == {"bedrock", "ebs", "ec2", "elasticloadbalancing", "kms", "lambda", "monitoring", "s3"}
    listed = [call for call in simulator.calls() if call.operation == "ListServices"]
    assert len(listed) == 4  # eleven services in pages of three
    settings.QUOTAS = Quotas(services=("ec2",))
    QuotaPlace.objects.update(next_limits_at=NOON, services_left=[])
    clock.move(NOON + MINUTE)
    simulator.clear_calls()
    quotas.read_limits()
    assert set(Quota.objects.present().values_list("service_code", flat=True)) == {"ec2"}
    assert "ListServices" not in {call.operation for call in simulator.calls()}


@pytest.mark.usefixtures("real_rates")
def test_a_reading_goes_on_where_the_last_turn_ended(account: AwsAccount, simulator: SimulatorHandle, clock: Clock) -> None:
    read()
    clock.move(NOON + limits.EVERY)
    began = clock.now
    simulator.quotas.remove("ec2", "L-417A185B")
    assert quotas.read_limits(within_s=0) == 1  # its turn is over before it asked any
    place = QuotaPlace.objects.get()
    assert (place.services_left, place.limits_at, place.next_limits_at) == (["bedrock", "ec2"], NOON, began)
    assert of("L-417A185B").gone_at is None  # nobody knows yet
    clock.move(began + MINUTE)
    simulator.clear_calls()
    quotas.read_limits()
    place.refresh_from_db()
    assert (place.services_left, place.limits_at, place.next_limits_at) == ([], began, began + limits.EVERY)
    assert of("L-417A185B").gone_at == clock.now
    assert sum(call.operation == "ListAWSDefaultServiceQuotas" for call in simulator.calls()) == 2


def test_a_service_that_does_not_answer_keeps_its_quotas_and_nobody_else_from_being_read(
    account: AwsAccount, simulator: SimulatorHandle, clock: Clock
) -> None:
    read()
    clock.move(NOON + limits.EVERY)
    simulator.quotas.apply(DEVELOPMENT, US, "L-417A185B", 500)
    simulator.add_faults(Fault("servicequotas", FaultKind.DENIED, times=1))  # Bedrock's come first
    quotas.read_limits()
    place = QuotaPlace.objects.get()
    assert (place.limits_code, place.services_left) == ("aws_access_denied", ["bedrock"])
    assert place.limits_detail.endswith("Not read: bedrock.")
    assert of("L-417A185B").limit == 500
    assert not Quota.objects.exclude(gone_at=None).exists()
    clock.move(clock.now + timedelta(minutes=15))
    quotas.read_limits()
    place.refresh_from_db()
    assert (place.limits_code, place.services_left, place.limits_at) == ("", [], NOON + limits.EVERY)


def test_a_limit_of_nothing_is_a_state_of_its_own(account: AwsAccount, simulator: SimulatorHandle) -> None:
    simulator.quotas.apply(DEVELOPMENT, US, "L-F4DDD3EB", 0)
    read()
    held = of("L-F4DDD3EB")
    assert (held.state, held.pressure, held.limit) == ("not_enabled", None, Decimal(0))
    assert held.reason == "AWS's default is 200,000, but the limit applied to this account is 0: AWS has to enable it."
    assert of("L-DB2E81BA").state == "not_enabled"  # 0 by default


def test_the_tokens_of_every_minute_are_exact(account: AwsAccount, simulator: SimulatorHandle) -> None:
    for back, (entered, output, written) in {2: (1000, 200, 300), 3: (50_000, 10_000, 0), 61: (7, 1, 0)}.items():
        figures = {
            "input_tokens": entered,
            "output_tokens": output,
            "cache_write": written,
            "cache_read": 10**6,
            "invocations": back,
        }
        simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - back * MINUTE, throttles=back, **figures)
    read()
    row = of("L-F4DDD3EB")
    assert (row.usage, row.usage_at) == (1000 + 300 + 5 * 200, NOON.replace(second=0) - 2 * MINUTE)
    assert (row.peak_1h, row.peak_24h) == (100_000, 100_000)
    assert row.peak_at == NOON.replace(second=0) - 3 * MINUTE
    assert (row.method, row.burndown, row.throttles_24h) == ("counted_tokens", 5, 66)
    assert (row.pressure, row.state, row.headroom) == (50.0, "ok", Decimal(100_000))
    assert (of("L-F4DDD3ER").usage, of("L-F4DDD3ER").peak_1h, of("L-F4DDD3ER").method) == (2, 3, "invocations")
    daily = of("L-381AD9EE")
    assert (daily.usage, daily.method) == (Decimal(2300 + 100_000 + 12) / 2, "tokens_of_24_hours")
    # names alike, and none of it theirs
    for code in ("L-59759B4A", "L-15B8E632", "L-27C57EE8", "L-6E888CC2"):
        assert (of(code).usage, of(code).peak_24h) == (0, 0)
    assert (of("L-8EA73537").usage, of("L-8EA73537").reason) == (None, quota_reasons.LONG_CONTEXT)
    latency = of("L-B9C3D4E5")
    assert (latency.model, latency.state, latency.reason) == ("", "unknown", quota_reasons.NOT_UNDERSTOOD)


def test_awss_own_estimate_is_used_where_there_is_one(account: AwsAccount, simulator: SimulatorHandle) -> None:
    figures = {"input_tokens": 1000, "output_tokens": 1000, "invocations": 2, "estimates": [2600.0, 3500.0]}
    simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - 2 * MINUTE, **figures)
    read()
    row = of("L-F4DDD3EB")
    assert (row.usage, row.method) == (6100, "estimated_tpm_quota_usage")
    minute = ModelMinute.objects.get()
    assert (minute.estimate_sum, minute.estimate_max) == (6100, 3500)


def test_profiles_have_limits_of_their_own(account: AwsAccount, simulator: SimulatorHandle) -> None:
    for prefix, tokens in (("us.", 10), ("global.", 200), ("eu.", 3000)):
        model = f"{prefix}anthropic.claude-haiku-4-5-20251001-v1:0"
        simulator.quotas.minute(DEVELOPMENT, US, model, NOON - 2 * MINUTE, input_tokens=tokens, invocations=1)
    read()
    assert (of("L-58BE175A").usage, of("L-9A11C666").usage) == (3010, 200)


def test_a_model_without_a_quota_is_shown_without_a_limit_until_aws_lists_one(
    account: AwsAccount, simulator: SimulatorHandle, clock: Clock
) -> None:
    model = "global.anthropic.claude-3-7-sonnet-20250219-v1:0"
    simulator.quotas.minute(DEVELOPMENT, US, model, NOON - 2 * MINUTE, input_tokens=100, output_tokens=10, invocations=1)
    read()
    row = Quota.objects.get(is_listed=False)
    assert (row.usage, row.limit, row.state, row.reason) == (150, None, "unknown", quota_reasons.NO_LIMIT)
    name = "Global cross-region model inference tokens per minute for Anthropic Claude 3.7 Sonnet V1"
    simulator.quotas.add("bedrock", "L-NEW00001", name, 1500.0)
    QuotaPlace.objects.update(next_limits_at=NOON)
    quotas.read_limits()
    assert not Quota.objects.present().filter(is_listed=False).exists()
    assert (of("L-NEW00001").usage, of("L-NEW00001").pressure) == (150, 10.0)


def test_calls_by_profiles_that_people_made_make_the_figures_a_least(account: AwsAccount, simulator: SimulatorHandle) -> None:
    arn = f"arn:aws:bedrock:{US}:{DEVELOPMENT}:application-inference-profile/abcdefghijkl"
    simulator.quotas.minute(DEVELOPMENT, US, arn, NOON - 2 * MINUTE, input_tokens=100, invocations=1)
    read()
    row = of("L-F4DDD3EB")
    assert (row.at_least, row.reason) == (True, quota_reasons.PROFILES)


def test_minutes_are_kept_once_whoever_asks(account: AwsAccount, simulator: SimulatorHandle, clock: Clock) -> None:
    simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - 2 * MINUTE, input_tokens=100, invocations=1)
    read()
    simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - 2 * MINUTE, input_tokens=180, invocations=2)  # told late
    for _ in range(2):
        QuotaPlace.objects.update(next_minutes_at=NOON)
        quotas.sample_minutes()
    assert list(ModelMinute.objects.values_list("input_tokens", flat=True)) == [180]
    assert of("L-F4DDD3EB").usage == 180
    assert QuotaHour.objects.filter(quota=of("L-F4DDD3EB")).count() == 1


def test_one_request_asks_for_all_models_of_a_place_and_a_claim_is_for_one(
    account: AwsAccount, simulator: SimulatorHandle
) -> None:
    for model in (SONNET, "global.anthropic.claude-opus-4-6-v1", "anthropic.claude-3-haiku-20240307-v1:0"):
        simulator.quotas.minute(DEVELOPMENT, US, model, NOON - 2 * MINUTE, input_tokens=1, output_tokens=1, invocations=1)
    places.ensure()
    quotas.read_limits()
    quotas.find_series()
    simulator.clear_calls()
    assert [quotas.sample_minutes(), quotas.sample_minutes()] == [1, 0]
    assert [call.operation for call in simulator.calls()] == ["GetMetricData"]


def test_people_are_told_once_for_each_step_up(account: AwsAccount, simulator: SimulatorHandle, clock: Clock) -> None:
    def minute(tokens: int) -> None:
        clock.move(clock.now + MINUTE)
        simulator.quotas.minute(DEVELOPMENT, US, SONNET, clock.now - 2 * MINUTE, input_tokens=tokens, invocations=1)
        for _ in range(2):  # two workers
            QuotaPlace.objects.update(next_minutes_at=clock.now, next_series_at=clock.now)
            quotas.find_series()
            quotas.sample_minutes()

    read()
    for tokens in (100_000, 151_000, 152_000, 100_000, 185_000, 190_000):
        minute(tokens)
    told = list(Alert.objects.order_by("pk").values_list("severity", "title"))
    assert told == [
        ("warning", "Claude Sonnet 4.5, cross-region: 75 % of the quota reached in development, us-east-1"),
        ("critical", "Claude Sonnet 4.5, cross-region: 90 % of the quota reached in development, us-east-1"),
    ]
    clock.move(clock.now + timedelta(hours=2))
    minute(10)  # it came down
    assert of("L-F4DDD3EB").level == 0
    minute(160_000)
    assert Alert.objects.count() == 3


def test_workers_at_the_same_moment_store_every_point_once_and_tell_people_once(
    threads: Callable[..., None], clock: Clock, connected: Connected, simulator: SimulatorHandle, settings: Any
) -> None:
    settings.QUOTAS = Quotas(services=("bedrock", "ec2"))
    connected("development", enabled_regions=[US])
    vcpus = ("AWS/Usage", "ResourceCount", {"Service": "EC2", "Resource": "vCPU", "Type": "Resource", "Class": "P/OnDemand"})
    simulator.quotas.usage(DEVELOPMENT, US, vcpus, NOON.replace(second=0) - timedelta(minutes=5), 80)
    for back in (2, 3):
        simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - back * MINUTE, input_tokens=190_000, invocations=1)
    for work in (places.ensure, quotas.read_limits, quotas.find_series, quotas.sample_minutes, quotas.sample_metrics):
        threads(*[work] * 4)
    assert ModelMinute.objects.count() == 2
    assert of("L-417A185B").samples.count() == 1
    assert Counter(Alert.objects.values_list("severity", flat=True)) == {"critical": 1, "warning": 1}
    asked = Counter(call.operation for call in simulator.calls())
    assert (asked["ListMetrics"], asked["GetMetricData"]) == (2, 2)


def test_usage_metrics_are_compared_with_their_quota(account: AwsAccount, simulator: SimulatorHandle) -> None:
    vcpus = ("AWS/Usage", "ResourceCount", {"Service": "EC2", "Resource": "vCPU", "Type": "Resource", "Class": "P/OnDemand"})
    calls = ("AWS/Usage", "CallCount", {"Service": "CloudWatch", "Resource": "GetMetricData", "Type": "API", "Class": "None"})
    for back in range(1, 5):
        at = NOON.replace(second=0) - back * timedelta(minutes=5)
        simulator.quotas.usage(DEVELOPMENT, US, vcpus, at, 72)
        simulator.quotas.usage(DEVELOPMENT, US, calls, at, 3000)
    read()
    assert (of("L-417A185B").usage, of("L-417A185B").pressure, of("L-417A185B").state) == (72, 75.0, "warning")
    assert of("L-417A185B").method == "usage_metric"


def test_what_cloudwatch_has_no_data_of_is_not_zero(account: AwsAccount) -> None:
    read()
    row = of("L-417A185B")
    assert (row.usage, row.state, row.reason) == (None, "unknown", quota_reasons.UNUSED)


def test_a_place_that_is_switched_off_is_not_asked_and_not_shown(account: AwsAccount, simulator: SimulatorHandle) -> None:
    read()
    AwsAccount.objects.update(capabilities=["identity"])
    simulator.clear_calls()
    read()
    assert not QuotaPlace.objects.exists()
    assert not Quota.objects.present().exists()
    assert simulator.calls() == []


def test_limits_are_read_again_after_six_hours_and_not_before(account: AwsAccount, clock: Clock) -> None:
    places.ensure()
    assert (quotas.read_limits(), quotas.read_limits()) == (1, 0)
    clock.move(NOON + limits.EVERY + MINUTE)
    assert quotas.read_limits() == 1


def test_old_minutes_and_hours_are_forgotten(account: AwsAccount, simulator: SimulatorHandle, clock: Clock) -> None:
    simulator.quotas.minute(DEVELOPMENT, US, SONNET, NOON - 2 * MINUTE, input_tokens=100, invocations=1)
    read()
    clock.move(NOON + timedelta(days=80))
    quotas.tick()
    assert ModelMinute.objects.count() == 1
    clock.move(NOON + timedelta(days=91))
    quotas.tick()
    assert (ModelMinute.objects.count(), QuotaHour.objects.exists()) == (0, True)
    clock.move(NOON + timedelta(days=401))
    quotas.tick()
    assert not QuotaHour.objects.exists()
