"""Files of a finished run, made by the real core in virtual time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.builders.fleets import product_fleet
from support.fakes.worlds import FakeQueue, FakeWorld, Run

from tidemill.scaling.facts import to_record

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY: dict[str, Any] = {
    "sent": 505,
    "poison": 5,
    "processed": 500,
    "invalid": 5,
    "dead_lettered": 5,
    "lost": 0,
    "duplicates": 0,
    "peak_instances": 4,
    "final_instances": 0,
    "seconds_to_first_message": 130.0,
    "seconds_to_drain": 1000.0,
    "scale_out_activities": 4,
    "scale_in_activities": 4,
    "aws_minutes": 22.0,
    "wall_seconds": 66.0,
    "speed": 20.0,
    "seed": 1,
    "source": "500 random vehicles",
    "template": "template.yaml",
    "parameters": {"HoldSeconds": "120"},
    "revision": "abc1234",
    "command": "tidemill demo --count 500 --seed 1",
}

LINES: list[dict[str, Any]] = [
    {"event": "message", "message_id": "a", "outcome": "processed", "body": {"make": "Fiat|500"}},
    {"event": "message", "message_id": "b", "outcome": "invalid", "reason": "not JSON: x"},
    {"event": "cycle", "_aws": {"Timestamp": 1}, "MessagesReceived": 2},
    {"event": "stopped", "exit_code": 0},
]


def finished_run() -> Run:
    """Return a run of the product's fleet that scaled out for 500 messages, and in to 0."""
    run = Run(product_fleet(HoldSeconds="120", WarmupSeconds="300"), FakeWorld(FakeQueue(), rate=1))
    run.go(30)
    run.queue.visible = 500
    run.go(1200)
    return run


def write_results(folder: Path, **changes: Any) -> None:  # noqa: ANN401 - figures as they come
    """Write the files of a finished run, with the given figures changed."""
    (folder / "logs").mkdir(parents=True)
    records = (json.dumps(to_record(fact)) for fact in finished_run().facts)
    (folder / "timeline.jsonl").write_text("\n".join(records) + "\n")
    (folder / "summary.json").write_text(json.dumps(SUMMARY | changes))
    lines = "".join(f"{json.dumps(line)}\n" for line in LINES)
    (folder / "logs/i-1.jsonl").write_text(f"printed by a handler\n{lines}")
