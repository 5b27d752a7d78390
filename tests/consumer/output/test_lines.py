"""Tests of the lines that handlers print and log in worker processes."""

from __future__ import annotations

import pytest
from support.emulators import pools
from support.emulators.pools import do

pytestmark = pytest.mark.impure

KINDS = "support.examples.kinds_of_handlers"


def test_whatever_prints_becomes_lines_with_the_messages_id() -> None:
    """Python, C and programs; each line is one of its own."""
    with pools.running() as pool:
        pool.do(do("prints_in_every_way", "text"))
        assert sorted(pool.seen.texts("m1")) == [
            "text by C",
            "text by a program",
            "text by bytes",
            "text by descriptor",
            "text by print",
            "text to stderr",
        ]
        assert {line["event"] for line in pool.seen.lines} == {"output"}
        assert {line["level"] for line in pool.seen.lines} == {"INFO"}
        assert {line["instance_id"] for line in pool.seen.lines} == {"i-0123"}


def test_a_messages_trace_is_in_all_its_lines() -> None:
    """What is printed and logged has the trace id of the message's own line."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    with pools.running() as pool:
        attributes: dict[str, str | bytes] = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
        pool.do(do("prints_in_every_way", "text"), attributes=attributes)
        pool.do(do("logs", "order refused"), attributes=attributes)
        pool.do(do("prints", "no end"), attributes=attributes)
        assert len(pool.seen.lines) == 8
        assert {line["trace_id"] for line in pool.seen.lines} == {trace}


def test_threads_do_not_mix_their_lines() -> None:
    """Each message prints in pieces, at the same time as the others."""
    with pools.running(f"{KINDS}:prints_slowly", concurrency=4) as pool:
        pool.do(*[do("print", f"{n}{n}{n}{n}") for n in range(4)])
        for n in range(4):
            assert pool.seen.texts(f"m{n + 1}") == [f"{n}{n}{n}{n}"]


def test_a_line_without_an_end_ends_with_its_message() -> None:
    """It is neither lost nor glued to another one."""
    with pools.running() as pool:
        pool.do(do("prints", "no newline here"), do("prints", "nor here"))
        assert pool.seen.texts("m1") == ["no newline here"]
        assert pool.seen.texts("m2") == ["nor here"]


def test_a_long_line_is_split() -> None:
    """20,000 characters are three numbered parts."""
    with pools.running() as pool:
        pool.do(do("prints", "x" * 20_000))
        assert "".join(pool.seen.texts("m1")) == "x" * 20_000
        assert [line["part"] for line in pool.seen.lines] == [1, 2, 3]


def test_a_log_record_is_a_line_with_its_logger_and_error() -> None:
    """What the handler gave as `extra` is in `fields`."""
    with pools.running() as pool:
        pool.do(do("logs", "order refused"))
        [line] = pool.seen.lines
        assert (line["text"], line["logger"], line["level"]) == ("order refused", "mine", "ERROR")
        assert line["message_id"] == "m1"
        assert line["fields"] == {"order": 7, "shop": "north"}
        assert line["error"].endswith("ValueError: no luck today")


def test_a_bad_log_call_is_a_line_and_no_error() -> None:
    """The message is processed, and the line shows what was wrong."""
    with pools.running() as pool:
        assert pool.do(do("logs_a_bad_format")) == {"m1": "processed"}
        [text] = pool.seen.texts("m1")
        assert text.startswith("%d (not formatted: TypeError")


def test_numbers_and_texts_of_other_classes_are_logged_as_plain_ones() -> None:
    """A float of numpy, or a text of a template engine, does not fail the message."""
    with pools.running(f"{KINDS}:logs_values_of_other_classes") as pool:
        assert pool.do(do("nothing")) == {"m1": "processed"}
        assert pool.seen.texts("m1") == ["safe", "printed"]
        assert pool.seen.lines[0]["fields"] == {"price": 1.5, "shop": "north"}


def test_what_is_written_around_python_without_an_end_has_its_messages_id() -> None:
    """It is written when the message is done, and is still that message's."""
    with pools.running() as pool:
        pool.do(do("writes_without_end", "by C"), do("nothing"))
        assert pool.pool.close(5)
        assert pool.seen.texts("m1") == ["by C"]


def test_what_a_handler_has_logged_before_it_dies_is_not_lost() -> None:
    """Lines that were ended leave the process at once."""
    with pools.running() as pool:
        pool.do(do("prints_and_dies", "last words"))
        assert pool.seen.texts("m1") == ["last words, logged"]


def test_the_stacks_of_a_crash_are_in_no_handlers_line() -> None:
    """They belong to the line about the process."""
    with pools.running() as pool:
        pool.do(do("crashes_the_interpreter"))
        assert pool.seen.lines == []
