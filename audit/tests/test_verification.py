"""What somebody with every right in the database can do to the trail, and what the verifier says of it."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from audit import services, triggers, verbs
from audit.models import AuditEvent, AuditHead
from audit.rules import chain
from audit.services import checkpoints, verification
from audit.services.verification import Harm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def trail(settings: Settings, tmp_path: Path) -> None:
    """Nine events; a checkpoint after the sixth."""
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints.jsonl"
    record(6)
    checkpoints.write()
    record(3)


def record(count: int) -> None:
    for number in range(count):
        services.record(verbs.SIGNED_IN, actor=None, detail={"number": number, "word": "grün", "yes": True, "nothing": None})


def as_superuser(*statements: str) -> None:
    with triggers.lifted(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def rewind_head(to: int, *, seal: str = "") -> None:
    event = AuditEvent.objects.get(seq=to)
    AuditHead.objects.update(seq=to, hash=event.hash, **({"seal": seal} if seal else {}))


def verdict() -> tuple[Harm, int, int]:
    (finding,) = verification.verify().findings
    return finding.harm, finding.first, finding.last


def swap(first: int, second: int) -> None:
    with triggers.lifted(connection), connection.cursor() as cursor:
        for now, before in ((1000, first), (first, second), (second, 1000)):
            cursor.execute("UPDATE audit_auditevent SET seq = %s WHERE seq = %s", [now, before])


def test_an_untouched_trail_is_intact() -> None:
    report = verification.verify()

    assert (report.intact, report.events, report.checkpoints) == (True, 9, 1)


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        ("UPDATE audit_auditevent SET actor_name = 'mallory' WHERE seq = 4", (Harm.EDITED, 4, 4)),
        ("UPDATE audit_auditevent SET outcome = 'failure' WHERE seq IN (4, 5)", (Harm.EDITED, 4, 5)),
        ("UPDATE audit_auditevent SET hash = 'x' WHERE seq = 4", (Harm.EDITED, 4, 4)),
        ("UPDATE audit_auditevent SET prev_hash = 'x' WHERE seq = 4", (Harm.EDITED, 4, 4)),
        ("DELETE FROM audit_auditevent WHERE seq = 4", (Harm.DELETED, 4, 4)),
        ("DELETE FROM audit_auditevent WHERE seq < 4", (Harm.DELETED, 1, 3)),
        ("DELETE FROM audit_auditevent WHERE seq > 7", (Harm.CUT, 8, 9)),
        ("DELETE FROM audit_auditevent", (Harm.CUT, 1, 9)),
    ],
)
def test_each_harm_is_told_apart_and_placed(harm: str, expected: tuple[Harm, int, int]) -> None:
    as_superuser(harm)

    assert verdict() == expected


def test_a_swap_is_no_edit() -> None:
    swap(3, 4)

    assert verdict() == (Harm.REORDERED, 3, 5)


def test_a_deletion_is_seen_behind_new_numbers() -> None:
    as_superuser(
        "DELETE FROM audit_auditevent WHERE seq = 8",
        "UPDATE audit_auditevent SET seq = 8 WHERE seq = 9",
    )

    assert [finding.harm for finding in verification.verify().findings] == [Harm.DELETED, Harm.CUT]


def test_a_cut_tail_is_seen_though_the_head_was_set_back() -> None:
    as_superuser("DELETE FROM audit_auditevent WHERE seq > 7")
    rewind_head(7)

    assert verdict()[0] is Harm.HEAD


def test_a_cut_tail_is_seen_though_the_head_was_set_back_to_an_old_seal(settings: Settings) -> None:
    """From a backup of the database, say: head and events agree, and only the file outside knows better."""
    seal_of_5 = chain.head_seal(settings.AUDIT_KEY, 5, AuditEvent.objects.get(seq=5).hash)
    as_superuser("DELETE FROM audit_auditevent WHERE seq > 5")
    rewind_head(5, seal=seal_of_5)
    assert verdict() == (Harm.CUT, 6, 6)

    record(4)
    assert verdict() == (Harm.CUT, 6, 6)


def test_a_forged_checkpoint_is_told(settings: Settings) -> None:
    path = Path(settings.AUDIT_CHECKPOINTS)
    path.write_text(path.read_text().replace('"seq": 6', '"seq": 5') + "not json\n[]\n{}\n")

    assert [finding.harm for finding in verification.verify().findings] == [Harm.CHECKPOINTS] * 4


@pytest.mark.parametrize(
    ("harm", "code", "words"),
    [
        (lambda: None, None, "The audit trail is intact."),
        (lambda: as_superuser("UPDATE audit_auditevent SET ip = '::1' WHERE seq = 2"), 2, "Event 2 was changed"),
        (lambda: as_superuser("DELETE FROM audit_auditevent WHERE seq = 2"), 3, "Event 2 is missing"),
        (lambda: swap(2, 3), 4, "Events 2 to 4 do not stand in the order"),
        (lambda: as_superuser("DELETE FROM audit_auditevent WHERE seq = 9"), 5, "Event 9, the last, was cut off"),
    ],
)
def test_the_command_says_it_in_words_and_by_its_exit_code(harm: Callable[[], None], code: int | None, words: str) -> None:
    harm()
    printed = StringIO()
    if code is None:
        call_command("verify_audit", stdout=printed)
    else:
        with pytest.raises(SystemExit) as exit_:
            call_command("verify_audit", stdout=printed)
        assert exit_.value.code == code

    assert words in printed.getvalue()


def test_a_checkpoint_is_written_once_for_each_end(settings: Settings) -> None:
    assert checkpoints.write() is not None
    assert checkpoints.write() is None

    assert len(Path(settings.AUDIT_CHECKPOINTS).read_text().splitlines()) == 2
