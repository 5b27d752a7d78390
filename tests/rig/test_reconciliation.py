"""Reconciliation of messages, and the consumers' logs that it is computed from."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tidemill.rig.consumer_logs import ConsumerLogs
from tidemill.rig.reconciliation import SentMessage, read_sent_log, reconcile_messages

IDS = st.integers(0, 12).map(lambda number: f"m-{number}")


def a_line(
    message_id: str, outcome: str = "processed", second: int = 0, reason: str | None = None
) -> str:
    """Return a consumer's line about a message."""
    return json.dumps(
        {
            "time": f"2026-01-01T00:00:{second:02d}.000+00:00",
            "event": "message",
            "message_id": message_id,
            "outcome": outcome,
            "reason": reason,
            "body": {"vehicleId": "VH1"},
        }
    )


def some_logs(folder: Path, *lines: str) -> ConsumerLogs:
    """Return consumers' logs with these lines, read to the end."""
    (folder / "i-1.jsonl").write_text("".join(f"{line}\n" for line in lines))
    logs = ConsumerLogs(folder)
    logs.read()
    return logs


@given(st.sets(IDS), st.lists(IDS), st.sets(IDS), st.sets(IDS))
def test_lost_is_what_is_nowhere(
    sent: set[str], processed: list[str], in_queue: set[str], dead: set[str]
) -> None:
    """A lost message is in no queue, and no log has it as processed."""
    logs = ConsumerLogs(Path("nowhere"))
    logs.processed.update(processed)
    messages = [SentMessage(name, poison=False, sent_at=0.0) for name in sent]
    account = reconcile_messages(messages, logs, in_queue, dead)
    assert account.lost == len(sent - set(processed) - in_queue - dead)
    assert account.duplicates == sum(max(processed.count(name) - 1, 0) for name in sent)
    assert account.sent == len(sent)


def test_a_message_found_invalid_and_gone_from_the_queues_is_lost(tmp_path: Path) -> None:
    """It is not lost while it is in the dead-letter queue."""
    logs = some_logs(tmp_path, a_line("a", "invalid"))
    messages = [SentMessage("a", poison=True, sent_at=0.0)]
    assert reconcile_messages(messages, logs, set(), set()).lost == 1
    assert reconcile_messages(messages, logs, set(), {"a"}).lost == 0


def test_logs_are_read_as_they_grow(tmp_path: Path) -> None:
    """An incomplete line is read later, and nothing counts twice."""
    path = tmp_path / "i-1.jsonl"
    whole = a_line("a") + "\n" + a_line("b")
    logs = ConsumerLogs(tmp_path)
    for cut in (5, len(whole) - 3, len(whole)):
        path.write_text(whole[:cut])
        logs.read()
    assert dict(logs.processed) == {"a": 1}
    path.write_text(whole + "\n")
    logs.read()
    logs.read()
    assert dict(logs.processed) == {"a": 1, "b": 1}


def test_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    """A handler may print anything."""
    no_time = a_line("b").replace("2026-", "once ")
    foreign = ("hello", "[1]", '{"event": "cycle"}', '{"event": "message"}', "\xff", no_time)
    logs = some_logs(tmp_path, *foreign, a_line("a"))
    assert dict(logs.processed) == {"a": 1}


def test_a_line_counts_whatever_a_handler_printed_before_it(tmp_path: Path) -> None:
    """A printed dot without a newline does not make a message look lost."""
    logs = some_logs(tmp_path, f"...{a_line('a')}", a_line("b"))
    assert dict(logs.processed) == {"a": 1, "b": 1}


def test_consumers_that_start_later_are_read_too(tmp_path: Path) -> None:
    """A message that two consumers processed is a duplicate."""
    logs = some_logs(tmp_path, a_line("a"), a_line("b", "failed"), a_line("b"))
    (tmp_path / "i-2.jsonl").write_text(a_line("a") + "\n" + a_line("c") + "\n")
    logs.read()
    sent = [SentMessage(name, poison=False, sent_at=0.0) for name in "abcd"]
    account = reconcile_messages(sent, logs, {"d"}, set())
    assert (account.processed, account.duplicates, account.failed) == (3, 1, 1)
    assert (account.left_in_queue, account.lost) == (1, 0)


def test_first_and_last_are_of_processed_messages(tmp_path: Path) -> None:
    """The order of files and lines does not matter."""
    logs = some_logs(
        tmp_path, a_line("a", second=9), a_line("x", "invalid", 1), a_line("b", second=4)
    )
    assert logs.first is not None
    assert logs.last is not None
    assert logs.last - logs.first == 5


def test_the_sent_log_is_read_back(tmp_path: Path) -> None:
    """The producer's other fields are ignored."""
    path = tmp_path / "sent.jsonl"
    path.write_text('{"message_id": "a", "poison": false, "sent_at": 1.5, "line": 3}\n')
    assert read_sent_log(path) == [SentMessage("a", poison=False, sent_at=1.5)]


def test_every_way_in_which_an_attempt_ends_is_counted_by_messages(tmp_path: Path) -> None:
    """A message counts once in each way, however often it was tried."""
    logs = some_logs(
        tmp_path,
        *(a_line("a", outcome) for outcome in ("failed", "failed", "retry", "processed")),
        *(a_line("b", outcome) for outcome in ("crashed", "timed_out", "crashed")),
        a_line("c", "rejected"),
        '{"event": "cycle", "returned": 3}',
        '{"event": "cycle", "returned": 4}',
        '{"event": "cycle"}',
    )
    sent = [SentMessage(name, poison=False, sent_at=0.0) for name in "abc"]

    account = reconcile_messages(sent, logs, set(), {"b", "c"})

    assert (account.processed, account.failed, account.retried) == (1, 1, 1)
    assert (account.crashed, account.timed_out, account.rejected) == (1, 1, 1)
    assert (account.returned, account.dead_lettered, account.lost) == (7, 2, 0)


def test_a_copy_that_was_known_is_not_lost(tmp_path: Path) -> None:
    """An idempotency table has it: the message that it copies was processed."""
    logs = some_logs(tmp_path, a_line("a"), a_line("copy", "duplicate"))
    sent = [SentMessage(name, poison=False, sent_at=0.0) for name in ("a", "copy")]

    account = reconcile_messages(sent, logs, set(), set())

    assert (account.processed, account.known_copies, account.lost) == (1, 1, 0)


def test_dead_letters_have_the_reason_of_their_last_attempt(tmp_path: Path) -> None:
    """The most frequent one comes first; a message without an attempt has one of its own."""
    logs = some_logs(
        tmp_path,
        a_line("a", "failed", reason="KeyError: 'sku'"),
        a_line("a", "timed_out", reason="10 s are over"),
        a_line("b", "timed_out", reason="10 s are over"),
        a_line("c", "crashed"),
        a_line("e", "failed", reason="x" * 999),
        a_line("e"),
    )
    sent = [SentMessage(name, poison=False, sent_at=0.0) for name in "abcde"]

    reasons = reconcile_messages(sent, logs, set(), set("abcd")).dead_letter_reasons

    assert next(iter(reasons.items())) == ("timed_out: 10 s are over", 2)
    assert reasons == {
        "timed_out: 10 s are over": 2,
        "crashed: no reason": 1,
        "received too often, and no attempt ended": 1,
    }
