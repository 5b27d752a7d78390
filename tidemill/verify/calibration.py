"""Measured times for the file calibration.json, and the record of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.facts import stamp
from tidemill.scaling.times.calibration import Calibration, Measured
from tidemill.scaling.times.catalogue import USUAL, Grade
from tidemill.scaling.times.distributions import Samples
from tidemill.verify.acting.stages import UNTIL_WORK, Stage, measured, until_work
from tidemill.verify.bench import DONE, SKIPPED
from tidemill.verify.check import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.verify.bench import Seen
    from tidemill.verify.run import Run
    from tidemill.verify.target import Target

VERSION = 1
ENDPOINT = "endpoint"
"""The name in `about` of the emulator that was asked instead of AWS."""

ABOUT = ("instance_type", "image")
"""What was seen of the instance, for `about`."""

FOLLOWED = ("message", "overnight")
"""The observations that follow a message, and so measure times."""


def stages_of(run: Run) -> list[tuple[float, Stage]]:
    """Return every time that a run has measured, with the moment of its message."""
    found = []
    for name in FOLLOWED:
        seen = run.seen.get(name, {})
        if "sent" not in seen:
            continue
        stages = measured(run.target.fleet, seen)
        total = until_work(seen)
        if total is not None:
            stages.append(_installs(total))
        found += [(seen["sent"], stage) for stage in stages if stage.seconds >= 0]
    return found


def _installs(total: float) -> Stage:
    """Return the first of the stages that are measured together, less the usual others.

    Example: 40 s together, with 10 s and 1 s as the means of the others, are 29 s.
    """
    first, *others = UNTIL_WORK
    usual = sum(getattr(USUAL, name).mean for name in others)
    source = (
        f"cloud-init's line -> the consumer's first, less {usual:.1f} s for {', '.join(others)}"
    )
    return Stage(first, max(0.0, total - usual), source, Grade.FINE)


def check_same_place(before: Calibration, target: Target, about: Mapping[str, str]) -> None:
    """Check that more samples of a target may be added to a file.

    Raises:
        CalibrationError: the file is of another stack or region, or one of AWS and an emulator.
    """
    place = (target.name, target.region, about.get(ENDPOINT))
    if (before.stack, before.region, before.about.get(ENDPOINT)) != place:
        where = before.about.get(ENDPOINT, "AWS")
        raise CalibrationError(
            f"it has times of {before.stack} in {before.region} at {where}: choose another file"
        )


def calibration_of(
    run: Run, about: Mapping[str, str], now: float, before: Calibration | None
) -> Calibration | None:
    """Return the measured times of a run, None if it has measured none.

    Args:
        run: the run.
        about: what a reader should know.
        now: when the file is written.
        before: the file as it is, whose samples are kept if it is of the same stack.

    """
    target = run.target
    stages = stages_of(run)
    if not stages:
        return None
    times = dict(before.times) if before is not None else {}
    if ENDPOINT in about:  # an emulator shows nothing about AWS
        source = f"; at {about[ENDPOINT]}"
        stages = [
            (sent, replace(stage, grade=Grade.GUESSED, source=stage.source + source))
            for sent, stage in stages
        ]
    for sent, stage in stages:
        times[stage.name] = _with_sample(times.get(stage.name), stage, stamp(sent))
    instance = {
        name.replace("_", " "): seen[name]
        for seen in run.seen.values()
        for name in ABOUT
        if name in seen
    }
    return Calibration(target.name, target.region, stamp(now), times, {**about, **instance})


def _with_sample(before: Measured | None, stage: Stage, at: str) -> Measured:
    """Return a time with one more sample; one that another program measured is replaced."""
    samples: tuple[float, ...] = ()
    if before is not None and isinstance(before.distribution, Samples):
        if before.observed_at == at:
            return before  # a resumed run has counted it already
        samples = before.distribution.seconds
    samples = (*samples, round(stage.seconds, 3))
    return Measured(Samples(samples), at, len(samples), stage.source, stage.grade)


def record_of(run: Run, about: Mapping[str, str], now: float) -> dict[str, Any]:
    """Return a run as plain data: every check with its rows, and everything that was seen."""
    target = run.target
    return {
        "version": VERSION,
        "stack": target.name,
        "region": target.region,
        "account": target.account,
        "caller": target.caller,
        "written_at": stamp(now),
        "about": dict(about),
        "checks": [
            {
                "name": finding.check.name,
                "question": finding.check.question,
                "level": finding.check.observation.level.name.lower(),
                "verdict": finding.verdict.value,
                "rows": [
                    {
                        "what": row.what,
                        "expected": row.expected,
                        "observed": row.observed,
                        "verdict": row.verdict.value,
                        "note": row.note,
                    }
                    for row in finding.rows
                ],
                "remedy": finding.check.remedy,
            }
            for finding in run.findings()
        ],
        "seen": run.seen,
    }


def resumed(text: str, run: Run) -> dict[str, Seen]:
    """Return what a record has seen that need not be seen again.

    Everything that only reads is read again. An observation that was interrupted is made again.

    Raises:
        CalibrationError: the text is no record of this stack.
    """
    try:
        record = json.loads(text)
        place = (record["version"], record["stack"], record["region"], record["account"])
        seen: dict[str, Seen] = record["seen"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CalibrationError(f"not a record of tidemill verify: {error}") from error
    target = run.target
    if place != (VERSION, target.name, target.region, target.account):
        raise CalibrationError("it is a record of another stack, account or version")
    if not isinstance(seen, dict) or not all(isinstance(one, dict) for one in seen.values()):
        raise CalibrationError("not a record of tidemill verify: what was seen is no object")
    reading = {
        check.observation.name for check in run.checks if check.observation.level is Level.READ
    }
    return {
        name: one
        for name, one in seen.items()
        if one.get(DONE) and SKIPPED not in one and name not in reading
    }
