from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection

QUEUE = "queue-{}"  # kombu remembers within a process which queues it has declared, whatever the folder
numbers = itertools.count()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    folders = {name: str(tmp_path / "queue") for name in ("data_folder_in", "data_folder_out")}
    options = {**folders, "control_folder": str(tmp_path / "control"), "polling_interval": 0.01}
    with Connection("filesystem://localhost", transport="cloudconsole.broker:Transport", transport_options=options) as made:
        yield made


def test_messages_arrive_in_the_order_in_which_they_were_sent(connection: Connection) -> None:
    with connection.SimpleQueue(QUEUE.format(next(numbers))) as queue:
        for number in range(5):
            queue.put({"number": number})
        assert [queue.get(timeout=60).payload["number"] for _ in range(5)] == [0, 1, 2, 3, 4]


def test_a_message_that_is_still_being_written_is_not_taken(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue(QUEUE.format(next(numbers))) as queue:
        (tmp_path / "queue" / "1_half.draft").write_text('{"half of a mess')
        with pytest.raises(queue.Empty):
            queue.get(block=False)


def test_only_the_owner_can_read_the_folders(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue(QUEUE.format(next(numbers))) as queue:
        queue.put({})
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("queue", "control")} == {0o700}
