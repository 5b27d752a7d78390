"""Runs of tests against mutants: each in a fork of this process, on all cores, with a time limit.

Starting Python, pytest and the libraries takes seconds, a module's pure tests a fraction of one. So
this process imports everything once. Each fork imports the mutant, whatever imports it, and the
tests again, and runs the tests until one fails.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Final

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType, ModuleType

# A mutant that never ends uses this many times what the tests need; a loaded machine makes them
# slow but not thirsty, so the limit in wall-clock time is wide.
CPU_TIMES: Final = 5
CPU_SECONDS_MIN: Final = 3
WALL_TIMES: Final = 20
WALL_SECONDS_MIN: Final = 60
EXAMPLES: Final = 50  # half of hypothesis' default: what they miss counts as a survivor
PASSED: Final = 0
# Plain assertions: pytest wants to be the first to import what it rewrites.
OPTIONS: Final = ("-x", "-q", "--pure", "--assert=plain", "-p", "no:cacheprovider")


@dataclass(frozen=True)
class Target:
    """A module, the name it is imported by, and the tests that belong to it."""

    path: Path
    name: str
    tests: tuple[Path, ...]


@dataclass(frozen=True)
class Outcome:
    """The end of one run of tests: pytest's exit code, or None if it had to be ended."""

    code: int | None
    cpu: float
    wall: float


class _Loader(SourceFileLoader):
    """A module whose source is not what its file holds."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, _: str) -> CodeType:
        """Compile the given source under the file's name, and keep no bytecode."""
        return compile(self.source, self.path, "exec")


class _Finder:
    """Finds one module before all other finders do."""

    def __init__(self, target: Target, root: Path, source: str) -> None:
        self.target, self.path, self.source = target, str(root / target.path), source

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module with its source, or None for any other name."""
        if name != self.target.name:
            return None
        return spec_from_file_location(
            name, self.path, loader=_Loader(name, self.path, self.source)
        )


def prepare(tests: Sequence[Path]) -> None:
    """Import what tests need."""
    # No deadline, because the machine is busy; the same examples each time, none of an earlier run.
    hypothesis.settings.register_profile(
        "mutants",
        deadline=None,
        derandomize=True,
        database=None,
        max_examples=EXAMPLES,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutants")
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*OPTIONS, "--collect-only", *map(str, tests)])
    gc.freeze()  # pytest collects garbage at its end, and all of this is none


def forget(root: Path, target: Target) -> None:
    """Make Python import again: a module, whatever imports it, and the tests."""
    own = _own_modules(root)
    gone = {target.name}
    while more := {name for name, needs in own.items() if needs & gone} - gone:
        gone |= more
    tests = {name for name in own if "conftest" in name or ".test_" in f".{name}"}
    for name in gone | tests:
        module = sys.modules.pop(name, None)
        package, _, last = name.rpartition(".")
        if vars(sys.modules.get(package, sys)).get(last) is module is not None:
            delattr(sys.modules[package], last)


def _own_modules(root: Path) -> dict[str, set[str]]:
    """Return the project's modules that are loaded, each with the names that it imports."""
    here, found = str(Path(__file__).parent), {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        own = file.startswith(f"{root}/") and not file.startswith((f"{root}/.venv", here))
        if own and name != "__main__":
            found[name] = _imports(file)
    return found


@cache
def _imports(file: str) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def baseline(root: Path, target: Target) -> Outcome:
    """Run the tests of a module as it is, which says how long they take; they have to pass."""
    source = (root / target.path).read_text(encoding="utf-8")
    runs = run(root, target, [source], (None, None))
    return next(outcome for _, outcome in runs)


def limits(unharmed: Outcome) -> tuple[float, float]:
    """Return the seconds of CPU and of wall-clock time that a mutant may take."""
    return (
        max(CPU_SECONDS_MIN, CPU_TIMES * unharmed.cpu),
        max(WALL_SECONDS_MIN, WALL_TIMES * unharmed.wall),
    )


def run(
    root: Path,
    target: Target,
    sources: Sequence[str],
    limit: tuple[float | None, float | None],
    jobs: int | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Run a module's tests against each source; return its index with how they ended."""
    cpu, wall = limit
    _own_modules(root)  # reads their imports once, for all forks
    waiting = list(enumerate(sources))[::-1]
    running: dict[int, tuple[int, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < (jobs or os.cpu_count() or 1):
                index, source = waiting.pop()
                process = _fork(partial(_tests, root, target, source, cpu))
                running[process] = (index, time.monotonic())
            for process, (index, began) in list(running.items()):
                ended, status, usage = os.wait4(process, os.WNOHANG)
                taken = time.monotonic() - began
                if not ended and wall is not None and taken > wall:
                    _kill(process)
                    ended, status, usage = os.wait4(process, 0)
                if ended:
                    del running[process]
                    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
                    yield index, Outcome(code, usage.ru_utime + usage.ru_stime, taken)
            time.sleep(0.01)
    finally:
        for process in running:
            _kill(process)


def _fork(work: Callable[[], int]) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setpgid(0, 0)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nothing, stream)
        code = work()
    finally:
        os._exit(code)


def _tests(root: Path, target: Target, source: str, cpu: float | None) -> int:
    if cpu is not None:
        seconds = int(cpu) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    forget(root, target)
    sys.meta_path.insert(0, _Finder(target, root, source))
    return int(pytest.main([*OPTIONS, *map(str, target.tests)]))


def _kill(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
