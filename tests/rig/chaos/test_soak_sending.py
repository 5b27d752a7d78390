"""The runs of a soak test's producer, a program of this test: what each of them has to send."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from tidemill.rig.chaos import soak_sending
from tidemill.rig.chaos.soak_options import SoakOptions
from tidemill.rig.chaos.soak_sending import Sending
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.rig.chaos.bench import Bench

PATIENCE = 60.0
OPTIONS = SoakOptions(seed=2, messages=10, poison=2, rate=5.0, every=1.0, instances=1)

PRODUCER = """
import json, os, sys, uuid
from pathlib import Path
log = Path(sys.argv[sys.argv.index("--sent-log") + 1])
number = int(log.stem.split("-")[1])
asked = {name: sys.argv[sys.argv.index(name) + 1] for name in ("--count", "--poison", "--seed")}
(log.parent / f"asked-{number}.json").write_text(json.dumps(asked))
accepted = [] if FAILS else ["vehicle", "vehicle", "poison"]
with log.open("w") as out:
    for index, origin in enumerate(accepted):
        out.write(json.dumps({"sending": [[origin, index, f"{number}-{index}"]]}) + "\\n")
        out.write(json.dumps({
            "message_id": str(uuid.uuid4()), "poison": origin == "poison", "index": index,
            "sent_at": 1.0,
        }) + "\\n")
    if not FAILS:
        out.write(json.dumps({"sending": [["vehicle", 99, f"{number}-99"]]}) + "\\n")
sys.exit(0 if number == LAST else 1)
"""


@dataclass
class Fleet:
    """A bench of which only the folder and the environment are needed."""

    folder: Path

    def client_environment(self, caller: str) -> dict[str, str]:
        """Return an empty environment for the producer."""
        assert caller == "producer"
        return {}


def sending(folder: Path, *, fails: bool = False, last: int = 2) -> Sending:
    """Return the sending of a producer whose runs fail, up to the last one."""
    program = PRODUCER.replace("FAILS", str(fails)).replace("LAST", str(last))
    bench = cast("Bench", Fleet(folder))
    return Sending(bench, OPTIONS, producer=(sys.executable, "-c", program))


def await_end(runs: Sending) -> None:
    """Let the runs go on until everything is sent."""
    deadline = time.monotonic() + PATIENCE
    while not runs.go_on():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def asked(folder: Path, number: int) -> dict[str, Any]:
    """Return what a run of the producer had to send."""
    return dict(json.loads((folder / f"asked-{number}.json").read_text()))


def test_a_run_that_failed_is_followed_by_one_for_what_is_missing(tmp_path: Path) -> None:
    """Sends without an answer count as sent: SQS may have them. Each run has a seed of its own."""
    runs = sending(tmp_path)
    await_end(runs)
    assert runs.codes == [1, 0]
    first, second = asked(tmp_path, 1), asked(tmp_path, 2)
    assert (first["--count"], first["--poison"]) == ("8", "2")
    # Two good ones and a malformed one were accepted, and one got no answer: 8 - 2 - 1 = 5.
    assert (second["--count"], second["--poison"]) == ("5", "1")
    assert first["--seed"] != second["--seed"]
    assert [log.name for log in runs.logs] == ["sent-1.jsonl", "sent-2.jsonl"]


def test_a_producer_that_fails_again_and_again_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the log of its last run."""
    monkeypatch.setattr(soak_sending, "MOST_RUNS", 2)
    monkeypatch.setattr(soak_sending, "RUN_PAUSE", 0.0)
    with pytest.raises(RigError, match=r"the producer failed 2 times: see .*sent-2\.jsonl"):
        await_end(sending(tmp_path, fails=True, last=9))
