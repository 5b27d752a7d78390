"""Import rules: each contract in pyproject.toml is broken on purpose, and lint-imports reports it.

Without these tests, nobody would notice a contract that forbids too little. The forbidden imports
are derived from the contracts themselves, so that a new contract is tried, too.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from importlinter import configuration
from importlinter.application import use_cases
from importlinter.application.app_config import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grimp import ImportGraph

ROOT: Final = Path(__file__).parents[2]
CONFIGURATION: Final = str(ROOT / "pyproject.toml")

configuration.configure()
OPTIONS: Final = use_cases.read_user_options(CONFIGURATION)
use_cases._register_contract_types(OPTIONS)
NAMES: Final = [str(contract["name"]) for contract in OPTIONS.contracts_options]


@dataclass(frozen=True)
class Violation:
    """An import that a contract forbids; `imported` is empty for a module in no layer."""

    contract: str
    importer: str
    imported: str = ""

    def __str__(self) -> str:
        """Return the test's id."""
        return f"{self.importer} imports {self.imported}" if self.imported else self.importer


def _of_layers(contract: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for container in contract.get("containers", [""]):
        prefix = f"{container}." if container else ""
        layers = [
            [prefix + name.strip(" ()") for name in re.split("[|:]", layer)]
            for layer in contract["layers"]
        ]
        for upper, lower in itertools.pairwise(layers):
            yield from itertools.product(lower, upper)
        for layer, text in zip(layers, contract["layers"], strict=True):
            if "|" in text:
                yield from itertools.permutations(layer, 2)
        if contract.get("exhaustive") in {True, "True", "true"}:
            yield f"{prefix}in_no_layer", ""


def violations(contract: dict[str, Any]) -> list[Violation]:
    """Return one forbidden import for each pair of modules that the contract keeps apart."""
    pairs: Iterator[tuple[str, str]]
    match contract["type"]:
        case "forbidden":
            pairs = itertools.product(contract["source_modules"], contract["forbidden_modules"])
        case "independence":
            pairs = itertools.permutations(contract["modules"], 2)
        case "layers":
            pairs = _of_layers(contract)
        case other:
            raise NotImplementedError(f"a contract of type {other}: say here how to break it")
    return [Violation(str(contract["name"]), *pair) for pair in pairs]


VIOLATIONS: Final = [one for contract in OPTIONS.contracts_options for one in violations(contract)]


@dataclass(frozen=True)
class Broken:
    """A graph builder for import-linter: the project's own graph with one violation added."""

    graph: ImportGraph
    violation: Violation

    def build(self, **_: object) -> ImportGraph:
        """Return the graph, which holds the violation from now on."""
        self.graph.add_module(self.violation.importer)
        if self.violation.imported:
            self.graph.add_import(
                importer=self.violation.importer, imported=self.violation.imported
            )
        return self.graph


@pytest.fixture(scope="module")
def graph() -> ImportGraph:
    """Build the project's import graph as lint-imports does, once."""
    return use_cases.create_report(OPTIONS, cache_dir=None).graph


def broken(graph: ImportGraph, violation: Violation, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of the contracts that are broken once the violation is in the graph."""
    monkeypatch.setitem(settings._config, "GRAPH_BUILDER", Broken(deepcopy(graph), violation))
    report = use_cases.create_report(OPTIONS, cache_dir=None)
    return {
        contract.name for contract, check in report.get_contracts_and_checks() if not check.kept
    }


@pytest.mark.parametrize("violation", VIOLATIONS, ids=str)
def test_a_forbidden_import_breaks_its_contract(
    graph: ImportGraph, violation: Violation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contract that forbids the import is reported as broken."""
    assert violation.contract in broken(graph, violation, monkeypatch)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy all source that the contracts are about, once."""
    folder = tmp_path_factory.mktemp("tree")
    for name in ("tidemill", "images"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.txt")
        )
    shutil.copy(CONFIGURATION, folder)
    return folder


@pytest.mark.impure
@pytest.mark.parametrize("name", NAMES)
def test_lint_imports_reports_that_contract_alone(
    tree: Path, graph: ImportGraph, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An import is written into the copy that breaks one contract and none of the others."""
    violation = next(
        one
        for one in VIOLATIONS
        if one.contract == name and one.imported and broken(graph, one, monkeypatch) == {name}
    )
    file = source(tree, violation.importer)
    before = file.read_text()
    file.write_text(f"{before}\nimport {violation.imported}\n")
    try:
        found = lint_imports(tree)
    finally:
        file.write_text(before)
    assert found.returncode == 1
    assert re.findall(r"^(.*) BROKEN\b", found.stdout, re.MULTILINE) == [name]


@pytest.mark.impure
def test_the_tree_as_it_is_breaks_none(tree: Path) -> None:
    """Without the violations, all contracts are kept in the copy."""
    found = lint_imports(tree)
    assert (found.returncode, f"{len(NAMES)} kept, 0 broken" in found.stdout) == (0, True)


def source(tree: Path, module: str) -> Path:
    """Return the file of a module of the copy."""
    folder = tree / "images" if (tree / "images" / module.partition(".")[0]).is_dir() else tree
    path = folder / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the command on the copy; a contract's name stays on one line."""
    command = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [command, "--no-cache", "--no-logo"],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": f"{tree}:{tree / 'images'}", "COLUMNS": "500"},
        capture_output=True,
        text=True,
        check=False,
    )
