"""Which quota is about which model, how many tokens a minute took, and what that means."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.rules import quota_names, quotas
from resources.rules.quota_names import Claude, Measure, Profile
from resources.rules.quotas import Level, Limits, Minute, State, Thresholds, Trend

PER_MINUTE, REQUESTS, PER_DAY = Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_DAY
MODELS = {
    # as quotas call it: the model, and its id
    "Claude Sonnet 4.5 V1": (Claude("sonnet", "4.5"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "Claude Sonnet 4.5": (Claude("sonnet", "4.5"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "Claude Sonnet 4 V1": (Claude("sonnet", "4"), "anthropic.claude-sonnet-4-20250514-v1:0"),
    "Claude Sonnet 4.6": (Claude("sonnet", "4.6"), "anthropic.claude-sonnet-4-6"),
    "Claude Opus 4 V1": (Claude("opus", "4"), "anthropic.claude-opus-4-20250514-v1:0"),
    "Claude Opus 4.1": (Claude("opus", "4.1"), "anthropic.claude-opus-4-1-20250805-v1:0"),
    "Claude Opus 4.5": (Claude("opus", "4.5"), "anthropic.claude-opus-4-5-20251101-v1:0"),
    "Claude Opus 4.6 V1": (Claude("opus", "4.6"), "anthropic.claude-opus-4-6-v1"),
    "Claude Haiku 4.5": (Claude("haiku", "4.5"), "anthropic.claude-haiku-4-5-20251001-v1:0"),
    "Claude 3.7 Sonnet V1": (Claude("sonnet", "3.7"), "anthropic.claude-3-7-sonnet-20250219-v1:0"),
    "Claude 3.5 Sonnet": (Claude("sonnet", "3.5"), "anthropic.claude-3-5-sonnet-20240620-v1:0"),
    "Claude 3.5 Sonnet V2": (Claude("sonnet", "3.5", 2), "anthropic.claude-3-5-sonnet-20241022-v2:0"),
    "Claude 3.5 Haiku": (Claude("haiku", "3.5"), "anthropic.claude-3-5-haiku-20241022-v1:0"),
    "Claude 3 Haiku": (Claude("haiku", "3"), "anthropic.claude-3-haiku-20240307-v1:0:200k"),
    "Claude 3 Opus": (Claude("opus", "3"), "anthropic.claude-3-opus-20240229-v1:0"),
    "Claude V2.1": (Claude("", "2.1"), "anthropic.claude-v2:1"),
    "Claude V2": (Claude("", "2"), "anthropic.claude-v2"),
    "Claude Instant": (Claude("instant", ""), "anthropic.claude-instant-v1"),
}
LEADS = {
    "On-demand model inference tokens per minute for": (Profile.ON_DEMAND, PER_MINUTE),
    "Cross-region model inference tokens per minute for": (Profile.CROSS_REGION, PER_MINUTE),
    "Cross-Region InvokeModel tokens per minute for": (Profile.CROSS_REGION, PER_MINUTE),
    "Global cross-region model inference tokens per minute for": (Profile.GLOBAL, PER_MINUTE),
    "On-demand model inference requests per minute for": (Profile.ON_DEMAND, REQUESTS),
    "Cross-region model inference requests per minute for": (Profile.CROSS_REGION, REQUESTS),
    "Global cross-region model inference tokens per day for": (Profile.GLOBAL, PER_DAY),
    "Model invocation max tokens per day for": (Profile.REGIONAL, PER_DAY),
}
PREFIXES = {"": Profile.ON_DEMAND, "us.": Profile.CROSS_REGION, "eu.": Profile.CROSS_REGION, "apac.": Profile.CROSS_REGION,
            "jp.": Profile.CROSS_REGION, "us-gov.": Profile.CROSS_REGION, "global.": Profile.GLOBAL}  # fmt: skip


@pytest.mark.parametrize("named", MODELS)
@pytest.mark.parametrize("lead", LEADS)
def test_a_quota_is_about_the_model_that_its_whole_name_says(lead: str, named: str) -> None:
    model, (profile, measure) = MODELS[named][0], LEADS[lead]
    for name in (f"{lead} Anthropic {named}", f"{lead} {named}", f"{lead.upper()}  anthropic {named.lower()}"):
        meant = quota_names.quota(name)
        assert meant is not None
        assert (meant.model, meant.profile, meant.measure) == (model, profile, measure)


@pytest.mark.parametrize("named", MODELS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_id_names_the_same_model_and_the_profile_it_is_called_by(prefix: str, named: str) -> None:
    model, model_id = MODELS[named]
    called = quota_names.called(prefix + model_id)
    assert called is not None
    assert (called.model, called.profile) == (model, PREFIXES[prefix])


def test_the_daily_quota_says_that_it_is_doubled() -> None:
    name = "Model invocation max tokens per day for Anthropic Claude Sonnet 4.5 V1 (doubled for cross-region calls)"
    meant = quota_names.quota(name)
    assert meant is not None
    assert (meant.model, meant.profile, meant.measure) == (Claude("sonnet", "4.5"), Profile.REGIONAL, PER_DAY)


def test_long_context_is_a_quota_of_its_own() -> None:
    meant = quota_names.quota(
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 1M Context Length"
    )
    assert meant is not None
    assert meant.model == Claude("sonnet", "4.5", 1, long_context=True) != Claude("sonnet", "4.5")


@pytest.mark.parametrize(
    "name",
    [
        "On-demand latency-optimized model inference tokens per minute for Anthropic Claude 3.5 Haiku",
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1 Preview",
        "Cross-region model inference tokens per minute for Anthropic Claude Sonnet",
        "Cross-region model inference tokens per minute for Anthropic Claude 4.5",
        "Cross-region model inference tokens per minute for Amazon Nova Pro",
        "Cross-region model inference tokens per hour for Anthropic Claude Sonnet 4.5 V1",
        "Regional cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1",
        "Batch inference input file size (in GB) for Claude 3 Haiku",
        "",
    ],
)
def test_what_is_not_understood_to_the_last_word_is_unknown_and_never_the_nearest(name: str) -> None:
    assert quota_names.quota(name) is None


@pytest.mark.parametrize(
    "model_id",
    [
        "amazon.nova-pro-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0-extra", "anthropic.claude-sonnet", "",
        "arn:aws:bedrock:us-east-1:111111111111:application-inference-profile/a1b2c3d4e5f6",
    ],
)  # fmt: skip
def test_an_id_that_is_no_plain_model_is_not_understood(model_id: str) -> None:
    assert quota_names.called(model_id) is None
    assert quota_names.is_unclear(model_id) is ("claude" in model_id or "application" in model_id)


@given(first=st.sampled_from(sorted(MODELS)), second=st.sampled_from(sorted(MODELS)))
def test_no_model_is_counted_against_the_quota_of_another(first: str, second: str) -> None:
    meant = quota_names.quota(f"Cross-region model inference tokens per minute for Anthropic {first}")
    called = quota_names.called(f"us.{MODELS[second][1]}")
    assert meant is not None
    assert called is not None
    assert (meant.model == called.model) is (MODELS[first][0] == MODELS[second][0])


def test_a_model_that_is_not_listed_is_found_again_by_its_code() -> None:
    for model, model_id in MODELS.values():
        called = quota_names.called(f"global.{model_id}")
        assert called is not None
        assert quota_names.model_of("Tokens per minute of something", quota_names.unlisted_code(called)) == model


counts = st.integers(0, 10**9)


@given(counts, counts, counts, st.integers(1, 20))
def test_output_burns_by_its_factor_and_what_is_read_from_the_cache_burns_nothing(
    entered: int, output: int, written: int, factor: int
) -> None:
    burned = quotas.burned(Minute(input_tokens=entered, output_tokens=output, cache_write_tokens=written), factor)
    assert (burned.tokens, burned.by_aws) == (entered + written + factor * output, False)


@given(counts, counts, counts)
def test_awss_own_estimate_goes_first_and_is_one_of_the_two_that_were_told(output: int, largest: int, more: int) -> None:
    minute = Minute(output_tokens=output, estimate_max=largest, estimate_sum=largest + more)
    burned = quotas.burned(minute, 5)
    assert burned.by_aws
    nearer = min((largest, largest + more), key=lambda told: abs(told - 5 * output))
    assert abs(burned.tokens - 5 * output) == abs(nearer - 5 * output)


def test_the_factor_is_the_documented_one_unless_the_operator_knows_better() -> None:
    assert [quotas.burndown(Claude("sonnet", version), {}) for version in ("3", "3.5", "3.7", "4", "4.5", "4.6")] == [
        1,
        1,
        5,
        5,
        5,
        5,
    ]
    assert quotas.burndown(Claude("opus", "4.6"), {"opus-4.6": 3}) == 3
    assert quotas.burndown(Claude("instant", ""), {}) == 1


@given(st.lists(st.tuples(st.sampled_from([Profile.ON_DEMAND, Profile.CROSS_REGION]), counts), max_size=6))
def test_cross_region_calls_count_half_against_a_daily_quota_that_is_doubled_for_them(told: list[tuple[Profile, int]]) -> None:
    minutes = [(profile, Minute(input_tokens=tokens)) for profile, tokens in told]
    used = quotas.use(PER_DAY, Profile.REGIONAL, minutes, 5)
    halves = sum(tokens * (1 if profile is Profile.CROSS_REGION else 2) for profile, tokens in told)
    assert used.amount == Decimal(halves) / 2


def test_requests_are_counted_and_throttles_are_summed_over_ids() -> None:
    minutes = [(Profile.CROSS_REGION, Minute(invocations=3, throttles=2)), (Profile.CROSS_REGION, Minute(invocations=4))]
    used = quotas.use(REQUESTS, Profile.CROSS_REGION, minutes, 5)
    assert (used.amount, used.throttles, used.by_aws) == (Decimal(7), 2, False)


THRESHOLDS = Thresholds(75, 90)


@pytest.mark.parametrize(
    ("applied", "default", "pressure", "state"),
    [
        (None, Decimal(100), 74.9, State.OK), (None, Decimal(100), 75.0, State.WARNING),
        (Decimal(100), None, 90.0, State.CRITICAL),
        (Decimal(0), Decimal(100), None, State.NOT_ENABLED), (None, Decimal(0), None, State.NOT_ENABLED),
        (Decimal(100), Decimal(0), 250.0, State.CRITICAL), (None, None, None, State.UNKNOWN),
        (Decimal(100), None, None, State.UNKNOWN),
    ],
)  # fmt: skip
def test_a_state_says_what_is_known(
    applied: Decimal | None, default: Decimal | None, pressure: float | None, state: State
) -> None:
    assert quotas.state(Limits(applied, default), pressure, THRESHOLDS) is state


@given(st.lists(st.one_of(st.none(), st.floats(0, 200)), max_size=30))
def test_a_level_steps_up_once_for_each_time_it_was_below(pressures: list[float | None]) -> None:
    level, told, wanted, before = Level.NONE, 0, 0, 0
    for pressure in pressures:
        following = quotas.level(Limits(None, Decimal(100)), pressure, THRESHOLDS, level)
        told += following > level
        level = following
        if pressure is not None:
            rank = (pressure >= 75) + (pressure >= 90)
            wanted += rank > before
            before = rank
    assert told == wanted


@given(st.integers(3, 14), st.floats(0.5, 100), st.floats(0, 1000))
def test_a_straight_line_reaches_the_limit_when_it_does(count: int, per_day: float, start: float) -> None:
    days = [(700_000 + day, start + per_day * day) for day in range(count)]
    last, limit = days[-1][1], days[-1][1] + per_day * 10
    found = quotas.trend(days, limit)
    assert found.per_day == pytest.approx(per_day, rel=1e-3)
    assert found.days_to_limit in (10, 11)
    assert quotas.trend(days, last - 0.1).days_to_limit == 0


def test_what_does_not_grow_or_is_not_known_long_enough_has_no_day() -> None:
    falling = [(day, 100.0 - day) for day in range(5)]
    down = quotas.trend(falling, 200.0)
    assert down.per_day == pytest.approx(-1.0)
    assert down.days_to_limit is None
    assert quotas.trend([(1, 1.0), (2, 2.0)], 10.0) == Trend(None, None)
    assert quotas.trend([(1, 1.0), (2, 1.0001), (3, 1.0002)], 1e9).days_to_limit is None


def test_what_is_used_comes_first_and_what_is_held_back_is_worth_a_look() -> None:
    limit, nothing = Decimal(100), Decimal(0)
    ranks = [
        quotas.rank(Limits(None, limit), 80.0, used=True),
        quotas.rank(Limits(None, None), None, used=True),
        quotas.rank(Limits(nothing, limit), None, used=False),
        quotas.rank(Limits(None, limit), 0.0, used=False),
        quotas.rank(Limits(None, nothing), None, used=False),
        quotas.rank(Limits(None, limit), None, used=False),
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert [rank >= quotas.HELD for rank in ranks] == [True, True, True, False, False, False]
