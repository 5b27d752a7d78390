"""Which modules are tested, and by which tests: those that mirror a module's path."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

# Code that computes: what is in the scaling core, the simulator, the ledger and both images.
FOLDERS: Final = (
    *("images/consumer", "images/producer", "images/shared"),
    *("tidemill/scaling", "tidemill/simulator", "tidemill/ledger"),
)


def changed(root: Path, base: str) -> list[Path]:
    """Return the modules of FOLDERS that differ from a revision, and those git does not know."""
    # `--` ends revisions, so that a name of a file is not taken for one
    differing = _git(root, "diff", "--name-only", "--diff-filter=d", base, "--", *FOLDERS)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "--", *FOLDERS)
    return sorted(Path(name) for name in {*differing, *new} if name.endswith(".py"))


def tests_of(root: Path, module: Path) -> list[Path]:
    """Return tests/consumer/test_x.py and its parts test_x_*.py for images/consumer/x.py."""
    folder = root / "tests" / Path(*module.parts[1:]).parent
    names = [f"test_{module.stem}.py", f"test_{module.stem}_*.py"]
    return sorted(path.relative_to(root) for name in names for path in folder.glob(name))


def dotted(module: Path) -> str:
    """Return the name by which a module is imported: consumer.x for images/consumer/x.py."""
    parts = module.with_suffix("").parts
    parts = parts[1:] if parts[0] == "images" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _git(root: Path, *arguments: str) -> list[str]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
