"""The timeline file, which is written during the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.builders.fleets import product_fleet
from support.fakes.worlds import Run

from tidemill.rig.errors import RigError
from tidemill.rig.recorder import Recorder
from tidemill.scaling.facts import Fact, Noted, from_record


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "not-kept"])
def test_every_fact_is_on_the_file_at_once(tmp_path: Path, keep: bool) -> None:  # noqa: FBT001 - a case
    """The facts are unchanged and in order; each listener gets them, too."""
    run = Run(product_fleet())
    run.queue.visible = 70
    run.go(300, every=10)
    heard: list[Fact] = []
    path = tmp_path / "timeline.jsonl"
    path.write_text("of an earlier run\n")
    recorder = Recorder(path, heard.append, keep=keep)
    recorder.note(Noted(run.world.now, "a note: \u00e9"))
    for turn in run.turns:
        recorder.on_turn(turn)
    written = [from_record(json.loads(line)) for line in path.read_text().splitlines()]
    recorder.close()
    assert written == heard == [Noted(run.world.now, "a note: \u00e9"), *run.facts]
    assert recorder.facts == (heard if keep else [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_an_error_that_names_the_file() -> None:
    """Closing the file then raises nothing further."""
    recorder = Recorder(Path("/dev/full"), lambda _: None, keep=False)
    with pytest.raises(RigError, match=r"^cannot write /dev/full: No space left on device$"):
        recorder.note(Noted(0.0, "a note"))
    recorder.close()
