"""Consumer errors: the metric filter counts the lines that people must look at, and no others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.programs import running
from support.stack.metric_uses import resolver

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

HANDLERS: Final = (
    "import os, sys\n\n\ndef fail(message):\n    raise ValueError\n\n\n"
    "def end(message):\n    os._exit(1)\n\n\n"
    "def leave(message):\n    sys.exit('no more')\n"
)
VEHICLE: Final = (
    '{"vehicleId": "VH1", "make": "Honda", "model": "Civic", "year": 2020, "color": "Blue", '
    '"mileage": 1}'
)


def matches(pattern: str, line: dict[str, Any]) -> bool:
    """Return whether a JSON filter pattern of alternatives matches a line.

    Rules: CloudWatch Logs user guide, "Filter pattern syntax": a condition on a property that a
    line does not have does not hold; conditions in parentheses hold together.
    """
    inside = re.fullmatch(r"\{ (.+) \}", pattern)
    assert inside
    return any(
        all(holds(condition, line) for condition in alternative.strip("()").split(" && "))
        for alternative in inside.group(1).split(" || ")
    )


def holds(condition: str, line: dict[str, Any]) -> bool:
    """Return whether one condition of a pattern holds for a line."""
    text = re.fullmatch(r'\$\.(\w+) = "(\w+)"', condition)
    number = re.fullmatch(r"\$\.(\w+) > (\d+)", condition)
    if text:
        return bool(line.get(text.group(1)) == text.group(2))
    assert number, condition
    return bool(line.get(number.group(1), 0) > int(number.group(2)))


def lines_of(
    server: Ministack,
    directory: Path,
    *,
    handler: str,
    bodies: tuple[str, ...],
    awaited: int,
    absent: bool = False,
) -> list[dict[str, Any]]:
    """Run a consumer on these messages to its end; return all of its lines."""
    url = server.create_queue(f"errors-{handler}-{absent}")
    with server.sqs() as client:
        for body in bodies:
            client.send_message(QueueUrl=url, MessageBody=body)
        if absent:
            client.delete_queue(QueueUrl=url)
    (directory / "their_handlers.py").write_text(HANDLERS, encoding="utf-8")
    environment = {
        **server.environment,
        "QUEUE_URL": url,
        "HANDLER": f"their_handlers:{handler}",
        "RECEIVE_WAIT_SECONDS": "1",
    }
    with running("consumer", environment, directory) as consumer:
        consumer.wait_for("message", awaited)
        if awaited:
            consumer.signal()
        consumer.wait()
        return list(consumer._lines)


def counted(lines: list[dict[str, Any]]) -> list[str]:
    """Return the events of the lines that the metric filter counts."""
    pattern = resolver().properties("ConsumerErrorsMetricFilter")["FilterPattern"]
    return [line["event"] for line in lines if matches(pattern, line)]


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        pytest.param({"level": "ERROR"}, 1, id="error"),
        pytest.param({"level": "CRITICAL"}, 1, id="critical"),
        pytest.param({"event": "stopped", "level": "INFO", "exit_code": 1}, 1, id="a-bad-end"),
        pytest.param({"event": "stopped", "level": "INFO", "exit_code": 0}, 0, id="in-order"),
        pytest.param({"level": "WARNING", "exit_code": 137}, 0, id="a-handlers-process"),
        pytest.param({"level": "WARNING"}, 0, id="warning"),
    ],
)
def test_what_is_counted_of_a_line(line: dict[str, Any], counts: int) -> None:
    """Lines that a handler's own module logs are treated like the consumer's own."""
    assert len(counted([{"event": "any", **line}])) == counts


def test_a_queue_that_refuses_calls_is_counted(ministack: Ministack, tmp_path: Path) -> None:
    """A consumer whose queue was deleted, or that lost the permission to use it, is counted."""
    lines = lines_of(ministack, tmp_path, handler="fail", bodies=(), awaited=0, absent=True)
    assert counted(lines)


def test_a_handler_that_ends_its_process_is_not_counted(
    ministack: Ministack, tmp_path: Path
) -> None:
    """It costs its message an attempt; a process takes the place of the one that ended."""
    lines = lines_of(ministack, tmp_path, handler="end", bodies=(VEHICLE,), awaited=1)
    assert "worker process ended" in {line["event"] for line in lines}
    assert {line["outcome"] for line in lines if line["event"] == "message"} == {"crashed"}
    assert counted(lines) == []


def test_a_handler_that_ends_the_program_is_not_counted(
    ministack: Ministack, tmp_path: Path
) -> None:
    """It fails its message, which is counted elsewhere, and the consumer goes on."""
    lines = lines_of(ministack, tmp_path, handler="leave", bodies=(VEHICLE,), awaited=1)
    assert [line["outcome"] for line in lines if line["event"] == "message"] == ["failed"]
    assert counted(lines) == []


def test_failing_handlers_invalid_messages_and_a_drain_are_not(
    ministack: Ministack, tmp_path: Path
) -> None:
    """Failed and invalid messages are expected, have metrics of their own, and are not counted."""
    lines = lines_of(ministack, tmp_path, handler="fail", bodies=(VEHICLE, "no json"), awaited=2)
    assert {line["outcome"] for line in lines if line["event"] == "message"} == {
        "failed",
        "invalid",
    }
    assert lines[-1]["event"] == "stopped"
    assert counted(lines) == []
