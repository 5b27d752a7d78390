"""The hooks of pre-commit: the same commands as the Makefile's, in the same environment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]


def hooks() -> list[dict[str, Any]]:
    """Return all hooks, in their order."""
    settings = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in settings["repos"]] == ["local"]
    return [hook for repository in settings["repos"] for hook in repository["hooks"]]


def recipe(target: str) -> list[str]:
    """Return the commands of a target of the Makefile."""
    text = (ROOT / "Makefile").read_text()
    found = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert found
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in found[1].splitlines()]


def test_hooks_are_the_checks_of_the_makefile() -> None:
    """`make check` and `make quick` both begin with the target `code`."""
    assert [hook["entry"] for hook in hooks()] == recipe("code")


def test_hooks_bring_no_versions_of_their_own() -> None:
    """Each hook is a system command, which the project's environment pins, for the whole tree."""
    for hook in hooks():
        assert (hook["language"], hook["pass_filenames"]) == ("system", False), hook["id"]
        assert "additional_dependencies" not in hook, hook["id"]
