"""Files of published examples: the project's own, or those of a folder of your choice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from support.examples.all_kinds import find
from support.examples.kind import ExampleError, UnknownFieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN: Final = Path(__file__).parents[2] / "scaling" / "vectors"


class FolderError(Exception):
    """A folder has no files of examples."""


def chosen() -> Path:
    """Return the folder that TIDEMILL_VECTORS names, the project's own without it."""
    return Path(os.environ.get("TIDEMILL_VECTORS") or OWN)


def read(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the examples of all files in a folder, each with the name of its file.

    Raises:
        FolderError: there are no files.
    """
    files = sorted(folder.glob("*.json"))
    if not files:
        raise FolderError(f"no vector files in {folder}; set TIDEMILL_VECTORS to their folder")
    for file in files:
        for vector in json.loads(file.read_text(encoding="utf-8"))["vectors"]:
            yield file.name, vector


@dataclass
class Tally:
    """The ids of a file's examples, by what becomes of them.

    Attributes:
        run: those that are run.
        not_run: the others, by the reason.
        unfit: those of no kind, or with an unknown field; their test fails.
    """

    run: list[str] = field(default_factory=list)
    not_run: dict[str, list[str]] = field(default_factory=dict)
    unfit: list[str] = field(default_factory=list)

    def left_out(self) -> int:
        """Return how many are not run for a reason."""
        return sum(map(len, self.not_run.values()))


@cache
def tallies(folder: Path) -> dict[str, Tally]:
    """Return the tally of each file of a folder.

    Raises:
        FolderError: there are no files.
    """
    found: dict[str, Tally] = {}
    for name, vector in read(folder):
        tally = found.setdefault(name, Tally())
        try:
            why = find(vector).kind.why_not_run
        except (ExampleError, UnknownFieldError):
            tally.unfit.append(vector["id"])
            continue
        (tally.not_run.setdefault(why, []) if why else tally.run).append(vector["id"])
    return found


def table(found: dict[str, Tally]) -> str:
    """Return the tallies as the table of docs/loop.md."""
    lines = ["| file | run | not run | why not |", "| --- | --- | --- | --- |"]
    for name, tally in found.items():
        counted = [f"{why} ({len(ids)})" for why, ids in tally.not_run.items()]
        reasons = "; ".join(counted if len(counted) > 1 else tally.not_run)
        lines.append(f"| {name} | {len(tally.run)} | {tally.left_out()} | {reasons} |")
    return "\n".join(lines)
