"""The life of an operation as a pure machine: in whatever order things happen, nothing is sent twice and nothing ends twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.aws.errors import AwsErrorKind
from resources.rules import operations as rules
from resources.rules.actions import ACTIONS, needed_confirmation
from resources.rules.instance_operations import FORBIDDEN, GONE, SETTLED, WANTED, Judgement, Look, judge, may_offer
from resources.rules.operations import OPEN, Answer, Event, NotPossible, Phase, Place, Status, Step

BEGINNINGS = st.sampled_from([Place(Status.AWAITING_APPROVAL, Phase.NEW), Place(Status.QUEUED, Phase.NEW)])
STATES = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
LOOKS = st.builds(
    Look,
    state=st.sampled_from([*STATES, ""]),
    reason_code=st.just(""),
    reason=st.just(""),
    before_state=st.sampled_from(STATES),
    last_state=st.sampled_from([*STATES, ""]),
    accepted=st.booleans(),
    age=st.timedeltas(timedelta(0), timedelta(minutes=20)),
)


def life(place: Place, events: list[Event]) -> list[tuple[Event, Place]]:
    """Those of `events` that can happen, with where each led."""
    lived = []
    for event in events:
        try:
            place = rules.after(place, event)
        except NotPossible:
            continue
        lived.append((event, place))
    return lived


@given(BEGINNINGS, st.lists(st.sampled_from(Event), max_size=60))
def test_between_two_sendings_aws_has_said_that_it_did_not_listen(beginning: Place, events: list[Event]) -> None:
    lived = [event for event, _ in life(beginning, events) if event in (Event.SEND, Event.TURNED_AWAY)]
    for first, second in pairwise(lived):
        assert first is not second or first is Event.TURNED_AWAY


@given(BEGINNINGS, st.lists(st.sampled_from(Event), max_size=60))
def test_what_waits_for_approval_is_not_sent_before_it(beginning: Place, events: list[Event]) -> None:
    happened = [event for event, _ in life(Place(Status.AWAITING_APPROVAL, Phase.NEW), events)]
    if Event.SEND in happened:
        assert Event.APPROVE in happened[: happened.index(Event.SEND)]


@given(BEGINNINGS, st.lists(st.sampled_from(Event), max_size=60))
def test_nothing_happens_to_an_operation_that_is_over(beginning: Place, events: list[Event]) -> None:
    places = [place for _, place in life(beginning, events)]
    over = [place for place in places if place.status not in OPEN]
    assert len(over) <= 1
    assert not over or places[-1] == over[0]


@given(BEGINNINGS, st.lists(st.sampled_from(Event), max_size=60))
def test_only_what_was_sent_ends_as_unknown_and_only_what_was_not_is_rejected(beginning: Place, events: list[Event]) -> None:
    for _, place in life(beginning, events):
        assert place.status is not Status.UNKNOWN or place.phase is not Phase.NEW
        assert place.status is not Status.REJECTED or place.phase is Phase.NEW


def test_every_place_that_can_be_reached_leads_to_an_end() -> None:
    places = {place for moves in rules.MOVES.values() for place in (*moves, *moves.values())}
    for place in places:
        if place.status in OPEN:
            assert any(rules.MOVES[event].get(place, place).status not in OPEN for event in Event)


def test_a_worker_that_follows_a_dead_one_never_sends_again_what_does_harm_twice() -> None:
    assert rules.next_step(Phase.SENT, idempotent=False) is Step.DOUBT
    assert rules.next_step(Phase.SENT, idempotent=True) is Step.SEND_AGAIN
    assert rules.next_step(Phase.VERIFYING, idempotent=True) is Step.LOOK
    assert not any(action.idempotent for action in ACTIONS.values() if action.target_type == "ec2")


@given(st.sampled_from(AwsErrorKind), st.booleans())
def test_a_call_is_sent_again_only_where_aws_cannot_have_done_it(cause: AwsErrorKind, may_have_arrived: bool) -> None:
    answer = rules.answer_of(cause, may_have_arrived=may_have_arrived)
    if answer is Answer.TURNED_AWAY:
        assert cause is AwsErrorKind.THROTTLED or not may_have_arrived
    if cause in (AwsErrorKind.UNREACHABLE, AwsErrorKind.GARBLED, AwsErrorKind.INTERNAL) and may_have_arrived:
        assert answer is Answer.IN_DOUBT


@given(st.integers(1, 500))
def test_pauses_grow_and_stay_within_what_a_worker_keeps_in_memory(times: int) -> None:
    assert timedelta(0) < rules.pause(times) <= rules.pause(times + 1) <= timedelta(seconds=10)
    assert timedelta(0) < rules.rest(times) <= rules.rest(times + 1) <= timedelta(minutes=2)


def test_destroying_something_in_production_needs_a_second_person() -> None:
    terminate, stop = ACTIONS["ec2.terminate"], ACTIONS["ec2.stop"]
    assert rules.needs_approval(terminate, environment="production", policy="by_environment")
    assert rules.needs_approval(terminate, environment="sandbox", policy="always")
    assert not rules.needs_approval(terminate, environment="production", policy="never")
    assert not rules.needs_approval(terminate, environment="staging", policy="by_environment")
    assert not rules.needs_approval(stop, environment="production", policy="always")


def test_one_target_is_confirmed_by_its_name_and_many_by_their_number() -> None:
    terminate, stop = ACTIONS["ec2.terminate"], ACTIONS["ec2.stop"]
    assert needed_confirmation(terminate, ["i-1"]) == "i-1"
    assert needed_confirmation(stop, ["i-1"]) == ""
    assert needed_confirmation(stop, ["i-1", "i-2", "i-3"]) == "stop 3"


# --- instances


@given(st.sampled_from(sorted(WANTED)), LOOKS)
def test_success_is_never_claimed_in_another_state_than_the_wanted_one(action: str, look: Look) -> None:
    if judge(action, look) is Judgement.REACHED:
        assert look.state == WANTED[action] or (action == "ec2.terminate" and not look.state)


@given(st.sampled_from(sorted(WANTED)), LOOKS)
def test_doubt_ends_after_a_while(action: str, look: Look) -> None:
    if not look.accepted and look.age > SETTLED and look.state == look.before_state and look.state not in GONE:
        assert judge(action, look) is not Judgement.WAIT


@given(st.sampled_from(sorted(WANTED)), LOOKS)
def test_a_call_that_aws_accepted_is_never_called_lost(action: str, look: Look) -> None:
    if look.accepted:
        assert judge(action, look) is not Judgement.NO_TRACE


def test_an_instance_that_was_seen_up_and_is_stopped_again_fell_back() -> None:
    look = Look("stopped", "Client.InternalError", "Client error on launch", "stopped", "pending", True, timedelta(seconds=4))
    assert judge("ec2.start", look) is Judgement.FELL_BACK


def test_a_stopped_instance_right_after_its_start_is_old_news() -> None:
    look = Look("stopped", "Client.UserInitiatedShutdown", "User initiated", "stopped", "", True, timedelta(seconds=1))
    assert judge("ec2.start", look) is Judgement.WAIT


def test_a_reboot_that_nobody_confirmed_leaves_no_trace() -> None:
    look = Look("running", "", "", "running", "", False, timedelta(seconds=1))
    assert judge("ec2.reboot", look) is Judgement.NO_TRACE


@given(st.sampled_from(sorted(WANTED)), st.sampled_from(STATES))
def test_nothing_is_offered_that_aws_would_refuse(action: str, state: str) -> None:
    if may_offer(action, state):
        assert state not in FORBIDDEN[action]
        assert state not in GONE
