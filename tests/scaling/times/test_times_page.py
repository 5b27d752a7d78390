"""docs/simulator.md has the times of the catalogue, in its order, and an example of measured."""

from __future__ import annotations

import re
from pathlib import Path

from tidemill.scaling.times.calibration import calibrated, read_calibration
from tidemill.scaling.times.catalogue import USUAL, Grade

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def chapter() -> str:
    """Return the chapter about the times."""
    _, _, after = PAGE.read_text(encoding="utf-8").partition("\n## Times of AWS\n")
    return after.partition("\n## ")[0]


def test_the_table_has_every_time() -> None:
    """Name, span, distribution, grade and source of each."""
    rows = [line for line in chapter().splitlines() if line.startswith("| `")]
    assert rows == [
        f"| `{name}` | {time.span} | {time.distribution} | {time.grade} | {time.source} |"
        for name, time in USUAL.named()
    ]


def test_the_page_explains_every_grade_and_has_the_mean_boot() -> None:
    """The grades are those of the code, and the mean is computed."""
    assert all(f"`{grade}`" in chapter() for grade in Grade)
    (mean,) = re.findall(r"A boot takes (\d+) s on average", chapter())
    assert int(mean) == round(USUAL.boot())


def test_the_advice_about_images_uses_the_mean_boot() -> None:
    """docs/deploy.md names the mean boot, and its guessed parts."""
    page = PAGE.with_name("deploy.md").read_text(encoding="utf-8")
    mean, bare = round(USUAL.boot()), USUAL.installs.mean + USUAL.image_pull.mean
    assert f"| {mean}, as the simulator assumes |" in page
    assert f"| {mean - round(bare)}, as the simulator assumes without installs and pull |" in page
    assert f"{USUAL.installs.mean:.0f} s of them are guessed for these installs" in page
    assert f"and {USUAL.image_pull.mean:.0f} s for the pull" in page


def test_the_example_of_a_file_can_be_read_and_is_the_one_on_the_page() -> None:
    """`--times` takes docs/calibration-example.json, and each of its times replaces a usual one."""
    example = PAGE.with_name("calibration-example.json")
    text = example.read_text(encoding="utf-8")
    assert f"```json\n{text}```" in PAGE.read_text(encoding="utf-8")
    measured = read_calibration(text, str(example))
    times = calibrated(USUAL, measured)
    assert measured.times
    for name, one in measured.times.items():
        assert getattr(times, name).distribution == one.distribution
        assert getattr(USUAL, name).distribution != one.distribution
