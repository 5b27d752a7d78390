"""Files of measured times: written, read back, and refused with one line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from support.builders.times import CALIBRATIONS

from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.calibration import (
    Calibration,
    Measured,
    calibrated,
    read_calibration,
    write_calibration,
)
from tidemill.scaling.times.catalogue import USUAL, Grade
from tidemill.scaling.times.distributions import Samples

FILE = "calibration.json"
MINE = Calibration(
    stack="tidemill",
    region="eu-west-1",
    observed_at="2026-11-26T10:00:00Z",
    times={
        "pending": Measured(
            Samples((4.2, 5.1)), "2026-11-26T09:59:00Z", 2, "LaunchTime and instance state"
        )
    },
    about={"instance type": "t4g.small"},
)


@given(CALIBRATIONS)
def test_what_is_written_is_read_back(calibration: Calibration) -> None:
    """Every distribution, grade and text survives the file."""
    assert read_calibration(write_calibration(calibration), FILE) == calibration


def test_measured_times_replace_the_usual_ones() -> None:
    """The others keep their distribution, and the grade and source say what was measured."""
    times = calibrated(USUAL, MINE)
    assert times.pending.distribution == Samples((4.2, 5.1))
    assert times.pending.grade is Grade.FINE
    assert times.pending.span == USUAL.pending.span
    assert times.pending.source == (
        "LaunchTime and instance state: n = 2, tidemill in eu-west-1, 2026-11-26T09:59:00Z"
    )
    assert times.os_boot == USUAL.os_boot


def test_the_file_is_readable_by_people() -> None:
    """The documented fields, by their names."""
    content = json.loads(write_calibration(MINE))
    assert content["schema_version"] == 1
    assert content["times"]["pending"] == {
        "distribution": "samples",
        "seconds": [4.2, 5.1],
        "grade": "measured finely",
        "observed_at": "2026-11-26T09:59:00Z",
        "n": 2,
        "source": "LaunchTime and instance state",
    }


def _with(**changes: object) -> str:
    """Return the file's text with changed or, for None, removed fields of `pending`."""
    content = json.loads(write_calibration(MINE))
    one = content["times"]["pending"] | changes
    content["times"]["pending"] = {name: value for name, value in one.items() if value is not None}
    return json.dumps(content)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "not JSON", id="empty"),
        pytest.param("[]", "the file is not an object", id="list"),
        pytest.param("[" * 100_000, "too deep", id="deep"),
        pytest.param("1" * 5000, "Exceeds the limit", id="too many digits"),
        pytest.param("{}", "schema_version is null: this program reads 1", id="no version"),
        pytest.param('{"schema_version": true}', "schema_version is true", id="odd version"),
        pytest.param('{"schema_version": 2}', "schema_version is 2", id="newer version"),
        pytest.param('{"schema_version": NaN}', "NaN is not a number of JSON", id="NaN"),
        pytest.param('{"schema_version": 1}', "lacks observed_at, region", id="no fields"),
        pytest.param(
            write_calibration(MINE).replace("pending", "pendign"),
            "there is no time pendign: choose from alarm_lag, ",
            id="unknown time",
        ),
        pytest.param(
            write_calibration(MINE).replace('"about"', '"abuot"'),
            "unknown fields: abuot",
            id="unknown field",
        ),
        pytest.param(_with(n=3), "times.pending: n is 3, but 2 are given", id="wrong count"),
        pytest.param(_with(n=True), "n is not a number of measurements", id="odd count"),
        pytest.param(_with(n=None), "times.pending lacks n", id="no count"),
        pytest.param(_with(low=1), "times.pending has unknown fields: low", id="foreign field"),
        pytest.param(_with(seconds=5), "seconds is not a list", id="no list"),
        pytest.param(_with(seconds=[]), "times.pending: no seconds are given", id="no samples"),
        pytest.param(_with(seconds=["5"]), '"5" is not a number of seconds', id="text"),
        pytest.param(_with(seconds=[-5]), "-5 is not from 0 to 86400", id="negative"),
        pytest.param(_with(seconds=[1700000000]), "is not from 0 to 86400", id="an epoch"),
        pytest.param(_with(seconds=[10**400]), "is not from 0 to 86400", id="huge"),
        pytest.param(_with(distribution="normal"), 'the distribution is "normal"', id="kind"),
        pytest.param(_with(distribution=["samples"]), "the distribution is", id="odd kind"),
        pytest.param(_with(grade="good"), "the grade is none of published", id="grade"),
        pytest.param(_with(grade=[]), "the grade is none of", id="odd grade"),
        pytest.param(_with(source=""), "times.pending: source is not a text", id="no source"),
        pytest.param(
            _with(distribution="uniform", seconds=None, low=3, high=2),
            "times.pending: 3, 2 are not in ascending order",
            id="order",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(text: str, says: str) -> None:
    """One line, which begins with the file's name."""
    with pytest.raises(CalibrationError) as caught:
        read_calibration(text, FILE)
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{FILE}: ")
    assert "\n" not in str(caught.value)


def test_the_documented_example_is_a_valid_file() -> None:
    """docs/simulator.md shows a file that the reader takes."""
    page = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text()
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert read_calibration(example, FILE).times["pending"].n == 3
