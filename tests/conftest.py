"""Fixtures that tests of several packages share, and `--pure`, which `make quick` runs with.

A test is pure unless it is marked `impure` (it starts a process, opens a socket or builds AWS
clients) or `long` (it computes for seconds). With `--pure` the others are left out, and a test that
starts a process or opens a socket without its mark fails.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from support.emulators import ministack as support

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

HERE: Final = Path(__file__).parent
# Nearly every test in these folders starts containers, playbooks, servers or consumers.
IMPURE_FOLDERS: Final = [HERE / name for name in ("ansible", "ci", "compose", "images", "rig")]
IMPURE_FIXTURES: Final = {"ministack"}
# Names in "Audit events table" of Python's library reference.
IMPURE_EVENTS: Final = frozenset(
    {"os.fork", "os.posix_spawn", "socket.bind", "socket.connect", "subprocess.Popen"}
)
PURE: Final = pytest.StashKey["Purity"]()


class Purity:
    """What the running test has done that a pure one does not; nothing is running at first."""

    def __init__(self) -> None:
        """Watch this process from now on: an audit hook cannot be removed."""
        self.watching = False
        self.impure: list[str] = []
        sys.addaudithook(self._audit)

    def _audit(self, event: str, _: tuple[object, ...]) -> None:
        if event in IMPURE_EVENTS and self.watching:
            self.impure.append(event)

    def check(self) -> None:
        """Fail the test that has just run if it was impure."""
        self.watching = False
        done, self.impure = sorted(set(self.impure)), []
        if done:
            pytest.fail(f"{', '.join(done)}: mark this test with pytest.mark.impure", pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option `--pure`."""
    parser.addoption("--pure", action="store_true", help="leave out impure and long tests")


def pytest_configure(config: pytest.Config) -> None:
    """Watch what tests do if they all have to be pure."""
    if config.getoption("--pure"):
        config.stash[PURE] = Purity()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole folders, which spares their imports; None leaves the decision to others."""
    return True if PURE in config.stash and collection_path in IMPURE_FOLDERS else None


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark the tests that use a server or run the whole rig, and those of impure folders."""
    fixtures = getattr(item, "fixturenames", ())
    inside = any(folder in item.path.parents for folder in IMPURE_FOLDERS)
    runs_rig = item.get_closest_marker("endtoend") is not None
    if inside or runs_rig or not IMPURE_FIXTURES.isdisjoint(fixtures):
        item.add_marker(pytest.mark.impure)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the impure and the long tests."""
    if PURE not in config.stash:
        return
    left_out = {item for item in items if _left_out(item)}
    config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
    items[:] = [item for item in items if item not in left_out]


def _left_out(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("impure", "long"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Watch one test."""
    purity = item.config.stash.get(PURE, None)
    if purity is None:
        return (yield)
    purity.watching = True
    try:
        return (yield)
    finally:
        purity.check()


@pytest.fixture(scope="session")
def ministack() -> Iterator[support.Ministack]:
    """Provide one MiniStack to all tests of a run; each test creates queues of its own name."""
    with support.running() as server:
        yield server
