"""Calibration: a file of times that were measured on AWS, read and written without I/O.

The file is one JSON object. docs/simulator.md describes its fields.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.catalogue import NAMES, Grade, Time, Times
from tidemill.scaling.times.distributions import (
    Constant,
    Distribution,
    Samples,
    Triangular,
    Uniform,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION: Final = 1

LONGEST: Final = 86_400
"""No measured time may be longer than a day: such a value has another unit, or is a mistake."""

KINDS: Final[Mapping[str, type[Distribution]]] = {
    "constant": Constant,
    "uniform": Uniform,
    "triangular": Triangular,
    "samples": Samples,
}
"""The distributions by their names in a file; a distribution's other fields are its own."""

_FIELDS: Final = {"schema_version", "stack", "region", "observed_at", "about", "times"}
_TIME_FIELDS: Final = {"distribution", "grade", "source", "observed_at", "n"}


@dataclass(frozen=True, slots=True)
class Measured:
    """A time that was measured.

    Attributes:
        distribution: its seconds.
        observed_at: when the last of its measurements was made, in ISO 8601.
        n: number of measurements.
        source: where its two moments were read, such as `LaunchTime and instance state`.
        grade: how well it is known now.
    """

    distribution: Distribution
    observed_at: str
    n: int
    source: str
    grade: Grade = Grade.FINE


@dataclass(frozen=True, slots=True)
class Calibration:
    """Measured times of one stack.

    Attributes:
        stack: the stack's name.
        region: its region.
        observed_at: when the file was written, in ISO 8601.
        times: the measured times, by their names in Times; the others keep their usual values.
        about: anything else that a reader should know, such as the instance type and the AMI.
    """

    stack: str
    region: str
    observed_at: str
    times: Mapping[str, Measured]
    about: Mapping[str, str] = field(default_factory=dict)


def calibrated(usual: Times, calibration: Calibration) -> Times:
    """Return all times, the measured ones with their distribution, grade and source."""
    measured = {
        name: replace(
            _time(usual, name),
            distribution=one.distribution,
            grade=one.grade,
            source=f"{one.source}: n = {one.n}, {calibration.stack} in {calibration.region}, "
            f"{one.observed_at}",
        )
        for name, one in calibration.times.items()
    }
    return replace(usual, **measured)


def write_calibration(calibration: Calibration) -> str:
    """Return the text of the file."""
    content = {
        "schema_version": SCHEMA_VERSION,
        "stack": calibration.stack,
        "region": calibration.region,
        "observed_at": calibration.observed_at,
        "about": dict(calibration.about),
        "times": {name: _written(one) for name, one in calibration.times.items()},
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def read_calibration(text: str, name: str) -> Calibration:
    """Return the measured times in the text of a file.

    Args:
        text: the file's content.
        name: the file's name, for errors.

    Raises:
        CalibrationError: it is no such file, is of another version, names a time that does not
            exist, or a value is wrong; the message has the file and the place.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
        return _calibration(content)
    except json.JSONDecodeError as error:
        raise CalibrationError(f"{name}: not JSON: {error}") from None
    except RecursionError:
        raise CalibrationError(f"{name}: not a file of measured times: too deep") from None
    except CalibrationError as error:
        raise CalibrationError(f"{name}: {error}") from None
    except ValueError as error:  # such as a whole number of more digits than Python reads
        raise CalibrationError(f"{name}: {error}") from None


def _calibration(content: object) -> Calibration:
    top = _object(content, "the file")
    version = top.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise CalibrationError(
            f"schema_version is {json.dumps(version)}: this program reads {SCHEMA_VERSION}"
        )
    _check_fields(top, _FIELDS - {"about"}, _FIELDS, "the file")
    about = _object(top.get("about", {}), "about")
    times = _object(top["times"], "times")
    unknown = [name for name in times if name not in NAMES]
    if unknown:
        raise CalibrationError(
            f"there is no time {', '.join(unknown)}: choose from {', '.join(NAMES)}"
        )
    return Calibration(
        stack=_text(top, "stack", "the file"),
        region=_text(top, "region", "the file"),
        observed_at=_text(top, "observed_at", "the file"),
        times={name: _measured(one, f"times.{name}") for name, one in times.items()},
        about={name: _text(about, name, "about") for name in about},
    )


def _measured(content: object, place: str) -> Measured:
    one = _object(content, place)
    kind = one.get("distribution")
    if not isinstance(kind, str) or kind not in KINDS:
        raise CalibrationError(
            f"{place}: the distribution is {json.dumps(kind)}: choose from {', '.join(KINDS)}"
        )
    own = KINDS[kind].__dataclass_fields__.keys()
    _check_fields(one, _TIME_FIELDS | own, _TIME_FIELDS | own, place)
    n = one["n"]
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise CalibrationError(f"{place}: n is not a number of measurements")
    if one["grade"] not in list(Grade):
        raise CalibrationError(f"{place}: the grade is none of {', '.join(Grade)}")
    try:
        distribution = _distribution(kind, one)
    except CalibrationError as error:
        raise CalibrationError(f"{place}: {error}") from None
    if isinstance(distribution, Samples) and n != len(distribution.seconds):
        raise CalibrationError(f"{place}: n is {n}, but {len(distribution.seconds)} are given")
    return Measured(
        distribution=distribution,
        observed_at=_text(one, "observed_at", place),
        n=n,
        source=_text(one, "source", place),
        grade=Grade(one["grade"]),
    )


def _written(one: Measured) -> dict[str, object]:
    (kind,) = (kind for kind, made in KINDS.items() if isinstance(one.distribution, made))
    return {
        "distribution": kind,
        **asdict(one.distribution),
        "grade": str(one.grade),
        "observed_at": one.observed_at,
        "n": one.n,
        "source": one.source,
    }


def _time(usual: Times, name: str) -> Time:
    time: Time = getattr(usual, name)
    return time


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CalibrationError(f"{place} is not an object")
    return value


def _text(within: Mapping[str, object], name: str, place: str) -> str:
    value = within[name]
    if not isinstance(value, str) or not value:
        raise CalibrationError(f"{place}: {name} is not a text")
    return value


def _distribution(kind: str, one: Mapping[str, object]) -> Distribution:
    if kind == "samples":
        listed = one["seconds"]
        if not isinstance(listed, list):
            raise CalibrationError("seconds is not a list")
        return Samples(tuple(_seconds(value) for value in listed))
    made = KINDS[kind]
    return made(**{name: _seconds(one[name]) for name in made.__dataclass_fields__})  # type: ignore[arg-type]


def _seconds(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise CalibrationError(f"{json.dumps(value)} is not a number of seconds")
    if not 0 <= value <= LONGEST:
        raise CalibrationError(f"{json.dumps(value):.20} is not from 0 to {LONGEST} seconds")
    return float(value)


def _check_fields(
    given: Mapping[str, object], needed: set[str], known: set[str], place: str
) -> None:
    missing, unknown = sorted(needed - given.keys()), sorted(given.keys() - known)
    if missing:
        raise CalibrationError(f"{place} lacks {', '.join(missing)}")
    if unknown:
        raise CalibrationError(f"{place} has unknown fields: {', '.join(unknown)}")


def _refuse_constant(text: str) -> NoReturn:
    raise CalibrationError(f"{text} is not a number of JSON")
