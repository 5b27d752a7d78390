"""Mutants of mutants.toml, and copies of the programs with their changes."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from support.gate.scripts import Found

ROOT: Final = Path(__file__).parents[3]
TABLE: Final = Path(__file__).parent / "mutants.toml"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutant: which texts of a file are replaced, what the ledger has to say, in which trial."""

    name: str
    file: str
    change: list[dict[str, str]]
    seen: str
    trial: str = "busy"
    quick: bool = False

    def text(self) -> str:
        """Return the file's text after the changes.

        Raises:
            ValueError: a text to replace is not there exactly once, as the file has changed.
        """
        text = (ROOT / self.file).read_text(encoding="utf-8")
        for change in self.change:
            if (number := text.count(change["old"])) != 1:
                raise ValueError(
                    f"the mutant that {self.name} replaces a text that {self.file} has {number} "
                    f"times: adapt tests/support/gate/{TABLE.name}: {change['old'].strip()!r}"
                )
            text = text.replace(change["old"], change["new"])
        return text

    def is_seen(self, found: Found) -> bool:
        """Return whether the ledger says what it has to say."""
        return self.seen in found.names or bool(found.figures.get(self.seen))


def read_mutants() -> list[Mutant]:
    """Return all mutants."""
    table: dict[str, list[dict[str, Any]]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return [Mutant(**entry) for entry in table["mutant"]]


def copy_of(folder: Path, mutant: Mutant | None = None) -> Path:
    """Copy programs and template into a folder, with a mutant's changes; return the folder."""
    shutil.copytree(
        ROOT / "images", folder / "images", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "template.yaml", folder)
    if mutant is not None:
        (folder / mutant.file).write_text(mutant.text(), encoding="utf-8")
    return folder
