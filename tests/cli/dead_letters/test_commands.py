"""The commands of `tidemill dlq` against a local SQS."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from support.emulators.ministack import CREDENTIALS
from typer.testing import CliRunner

from tidemill.cli.dead_letters.app import app
from tidemill.rig.background import RigState
from tidemill.rig.lock import locked

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.letter_desk import Desk

pytestmark = pytest.mark.impure  # every test asks a local SQS


def write_lines(folder: Path, *attempts: tuple[str, str, str]) -> None:
    """Write consumers' lines: id, outcome and reason of each attempt."""
    lines = [
        {
            "time": f"2026-11-27T06:00:{number:02}.000+00:00",
            "event": "message",
            "instance_id": "i-1",
            "message_id": message_id,
            "receive_count": number,
            "duration_seconds": 0.5,
            "outcome": outcome,
            "reason": reason,
        }
        for number, (message_id, outcome, reason) in enumerate(attempts, start=1)
    ]
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    (folder / "i-1.jsonl").write_text(text)


def test_the_list_says_why_each_letter_is_there(desk: Desk) -> None:
    """And how many there are of each reason; senders cannot command the terminal."""
    one, two, three = desk.fill('{"n":1}', '{"n":2}', "x\x85\u202e")
    write_lines(
        desk.folder / "logs",
        (one, "failed", "KeyError: 'total'"),
        (one, "timed_out", "60 s"),
        (two, "failed", "KeyError: 'total'"),
    )
    shown = desk.give("list", "--logs", "logs").output
    assert f"{one}  0s old, receive 1, failed 1, timed_out 1" in shown.replace("1s old", "0s old")
    assert "timed_out: 60 s\n" in shown
    assert "     1  no attempt in the logs" in shown
    assert "x\\x85\\u202e" in shown
    assert f"3 dead letters of 3 looked at in {desk.stem}-dead-letters" in shown
    assert desk.server.counts(desk.dead) == (3, 0)
    chosen = desk.json("list", "--logs", "logs", "--reason", "keyerror")
    assert [letter["messageId"] for letter in chosen["letters"]] == [two]
    assert three in desk.give("list").output


def test_what_the_list_shows_of_an_id_is_an_argument(desk: Desk) -> None:
    """As a whole, or its beginning."""
    one, _ = desk.fill('{"n":1}', '{"n":2}')
    for given in (one, one[:12]):
        shown = desk.give("show", given).output
        assert '{"n":1}' in shown
        assert '{"n":2}' not in shown
    assert desk.json("show", one)["letters"][0]["body"] == '{"n":1}'
    refused = desk.give("show", "ffff-none", code=1)
    assert "no dead letter has an id that begins with ffff-none" in str(refused.exception)
    assert "give 4 characters" in str(desk.give("show", "abc", code=2).output)


def test_a_redrive_sends_what_is_selected_with_all_attributes(desk: Desk) -> None:
    """Everything else stays, and can be received."""
    attributes = {
        "n": {"DataType": "Number", "StringValue": "4.20"},
        "raw": {"DataType": "Binary.png", "BinaryValue": b"\x00\xff"},
    }
    desk.fill('{"n":1}', '{"n":2}', MessageAttributes=attributes)
    dry = desk.give("redrive", "--field", "n=1", "--dry-run").stdout
    assert dry == f"would send 1 dead letter to {desk.work}\n"
    assert "not confirmed" in str(desk.give("redrive", "--field", "n=1", code=1).exception)
    assert desk.server.counts(desk.work) == (0, 0)
    done = desk.give("redrive", "--field", "n=1", typed="y\n").output
    assert "sent 1 dead letter, deleted 1 of them" in done
    with desk.server.sqs() as client:
        (message,) = client.receive_message(QueueUrl=desk.work, MessageAttributeNames=["All"])[
            "Messages"
        ]
    assert (message["Body"], message["MessageAttributes"]) == ('{"n":1}', attributes)
    assert desk.server.counts(desk.dead) == (1, 0)
    assert list(desk.folder.glob("redrive-*")) == []


def test_a_redrive_must_be_told_which_letters(desk: Desk) -> None:
    """Either some, or all of them."""
    assert "give --all, or say which" in desk.give("redrive", code=2).output
    assert "give --all, or say which" in desk.give("redrive", "--all", "abcd", code=2).output
    assert "give a number above 0" in desk.give("redrive", "--all", "--rate", "0", code=2).output


@pytest.mark.parametrize("desk", [".fifo"], indirect=True)
def test_a_redrive_of_a_fifo_queue_keeps_groups_and_order(desk: Desk) -> None:
    """SQS does not drop letters whose deduplication ids it has just seen in the work queue."""
    with desk.server.sqs() as client:
        for number in range(14):
            for url in (desk.work, desk.dead):
                client.send_message(
                    QueueUrl=url,
                    MessageBody=str(number),
                    MessageGroupId=f"g{number % 2}",
                    MessageDeduplicationId=f"id-{number}",
                )
    desk.server.take_all(desk.work)
    found = desk.json("redrive", "--all", "--yes")
    assert (len(found["sent"]), found["deleted"]) == (14, 14)
    bodies = desk.server.take_all(desk.work)
    assert [one for one in bodies if int(one) % 2] == [str(number) for number in range(1, 14, 2)]
    assert [one for one in bodies if not int(one) % 2] == [
        str(number) for number in range(0, 14, 2)
    ]


def test_an_edited_letter_is_sent_and_the_old_one_deleted(desk: Desk) -> None:
    """The difference is shown before; without a change nothing happens."""
    (one,) = desk.fill('{"n":1,"b":2}')
    same = desk.give("edit", one, "--set", "n=1", "--yes", code=1)
    assert "nothing was changed" in str(same.exception)
    done = desk.give("edit", one, "--set", "n=7", "--attribute", "why=fixed", typed="y\n")
    assert '-  "n": 1' in done.output
    assert '+  "n": 7' in done.output
    with desk.server.sqs() as client:
        (message,) = client.receive_message(QueueUrl=desk.work, MessageAttributeNames=["All"])[
            "Messages"
        ]
    assert message["Body"] == '{"n":7,"b":2}'
    assert message["MessageAttributes"]["why"]["StringValue"] == "fixed"
    assert desk.server.counts(desk.dead) == (0, 0)


def test_the_editor_is_the_users(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails, or that is not there, changes nothing."""
    (one,) = desk.fill('{"n":1}')
    for editor in ("false", "/none/editor"):
        monkeypatch.setenv("EDITOR", editor)
        failed = desk.give("edit", one, code=1)
        assert f"the editor '{editor}' failed" in str(failed.exception)
    monkeypatch.setenv("EDITOR", "sed -i s/1/8/")
    desk.give("edit", one, "--yes")
    assert desk.server.take_all(desk.work) == ['{"n":8}']


def test_an_export_has_every_letter_and_removes_none(desk: Desk) -> None:
    """As lines with all that is known, or for the producer."""
    desk.fill('{"n":1}', "no JSON")
    desk.give("export", "letters.jsonl", "--field", "n=1")
    (line,) = (desk.folder / "letters.jsonl").read_text().splitlines()
    assert json.loads(line)["body"] == '{"n":1}'
    assert "name a new file" in desk.give("export", "letters.jsonl", code=2).output
    done = desk.give("export", "-", "--form", "producer")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(line["body"] for line in lines) == ["no JSON", '{"n":1}']
    assert desk.server.counts(desk.dead) == (2, 0)


def test_a_purge_asks_for_the_count(desk: Desk) -> None:
    """A wrong one deletes nothing; only what was counted is deleted."""
    desk.fill('{"n":1}', '{"n":1}', '{"n":2}')
    wrong = desk.give("purge", "--field", "n=1", typed="3\n", code=1)
    assert "2 are selected, not 3: nothing was deleted" in str(wrong.exception)
    assert "not None" in str(desk.give("purge", "--all", code=1).exception)
    done = desk.give("purge", "--field", "n=1", typed="2\n")
    assert "deleted 2 of 2 dead letters" in done.output
    assert len(desk.json("purge", "--all", "--count", "1")["deleted"]) == 1
    assert desk.server.counts(desk.dead) == (0, 0)


def test_a_queue_with_dead_letters_of_its_own_is_not_looked_at(desk: Desk) -> None:
    """Each look would count as a receive there, and could move its messages."""
    name = f"{desk.stem}-work"
    done = CliRunner().invoke(app, ["list", "--queue", name])
    assert f"Give --queue {desk.stem}-dead-letters" in str(done.exception)
    allowed = CliRunner().invoke(app, ["list", "--queue", name, "--count-receives"])
    assert allowed.exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("list", "--queue", "none"), "queue none does not exist"),
        (("list", "--stack", "none"), "there is no queue none-dead-letters"),
        (("list",), "no rig is up"),
    ],
    ids=["queue", "stack", "rig"],
)
def test_a_place_that_is_not_there_is_a_sentence(
    desk: Desk, words: tuple[str, ...], message: str
) -> None:
    """It says what to check."""
    assert desk.stem
    assert message in str(CliRunner().invoke(app, list(words)).exception)


def test_without_a_known_source_the_target_must_be_named(desk: Desk) -> None:
    """MiniStack does not say whose dead letters a queue has."""
    name = f"{desk.stem}-dead-letters"
    words = ["redrive", "--queue", name, "--all", "--yes"]
    assert "with --to" in str(CliRunner().invoke(app, words).exception)
    here = CliRunner().invoke(app, [*words, "--to", name])
    assert "this is the dead-letter queue itself" in str(here.exception)
    assert CliRunner().invoke(app, [*words, "--to", f"{desk.stem}-work"]).exit_code == 0


def test_without_a_place_the_rig_that_is_up_is_meant(desk: Desk) -> None:
    """Its queues and its consumers' lines, with its credentials."""
    (one,) = desk.fill("x")
    at_most = ["--limit", "1"]
    folder = desk.folder / "build/rig"
    (folder / "logs").mkdir(parents=True)
    write_lines(folder / "logs", (one, "invalid", "not JSON"))
    client = {**CREDENTIALS, "AWS_ENDPOINT_URL": desk.server.endpoint}
    state = RigState(os.getpid(), desk.server.endpoint, "", desk.work, desk.dead, client, status={})
    fields = {name: getattr(state, name) for name in RigState.__slots__}
    with locked(folder):
        (folder / "state.json").write_text(json.dumps(fields))
        shown = CliRunner().invoke(app, ["list", *at_most])
        assert "invalid: not JSON" in shown.output, shown.exception
        done = CliRunner().invoke(app, ["redrive", "--reason", "invalid", "--yes", *at_most])
    assert done.exit_code == 0, done.exception
    assert desk.server.take_all(desk.work) == ["x"]
