"""Log followers: the output of containers, copied into files as it grows."""

from __future__ import annotations

import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from tidemill.rig.containers.log_followers import LogFollowers
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE: Final = 20.0
BREAK: Final = b"BREAK"


class Spoken:
    """Output that the test writes; an empty text is the end, BREAK is an error."""

    def __init__(self) -> None:
        """Begin without output."""
        self.words: dict[str, SimpleQueue[bytes]] = {}
        self.asked: list[tuple[str, bool, bool]] = []

    def say(self, name: str, *words: bytes) -> None:
        """Write output of a container."""
        for word in words:
            self.words.setdefault(name, SimpleQueue()).put(word)

    def follow(self, name: str, *, stdout: bool, stderr: bool) -> Iterator[bytes]:
        """Yield what is written."""
        self.asked.append((name, stdout, stderr))
        while word := self.words.setdefault(name, SimpleQueue()).get(timeout=PATIENCE):
            if word == BREAK:
                raise RigError("the container is gone")
            yield word


def await_true(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the condition was not true in time"
        time.sleep(0.01)


def read(path: Path) -> bytes:
    """Return the content of a file, nothing if it is missing."""
    return path.read_bytes() if path.exists() else b""


def test_output_is_in_the_file_as_soon_as_it_is_written(tmp_path: Path) -> None:
    """Only standard output is copied, into a file named after the instance."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    followers.follow("mill-i-1", "i-1")
    for said, so_far in ((b"one\n", b"one\n"), (b"two", b"one\ntwo")):
        spoken.say("mill-i-1", said)
        await_true(lambda so_far=so_far: read(tmp_path / "i-1.jsonl") == so_far)  # type: ignore[misc]  # mypy infers no default's type
    assert spoken.asked == [("mill-i-1", True, False)]
    spoken.say("mill-i-1", b"")


def test_several_are_followed_at_once_each_into_its_own_file(tmp_path: Path) -> None:
    """The threads do not wait for one another."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    for name in ("i-1", "i-2"):
        followers.follow(f"mill-{name}", name)
    spoken.say("mill-i-2", b"two\n")
    await_true(lambda: read(tmp_path / "i-2.jsonl") == b"two\n")
    spoken.say("mill-i-1", b"one\n", b"")
    await_true(lambda: read(tmp_path / "i-1.jsonl") == b"one\n")
    spoken.say("mill-i-2", b"")


def test_a_container_is_not_followed_twice(tmp_path: Path) -> None:
    """One thread is enough, however often the container is seen."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    for _ in range(3):
        followers.follow("mill-i-1", "i-1")
    spoken.say("mill-i-1", b"one\n", b"")
    followers.finish("mill-i-1", "i-1")
    assert len(spoken.asked) == 1
    assert read(tmp_path / "i-1.jsonl") == b"one\n"


def test_a_container_that_starts_again_is_followed_again(tmp_path: Path) -> None:
    """The engine sends all output again, which replaces the file's content."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    for words in ([b"one\n"], [b"one\n", b"two\n"]):
        spoken.say("mill-i-1", *words, b"")
        followers.follow("mill-i-1", "i-1")
        followers.finish("mill-i-1", "i-1")
    assert read(tmp_path / "i-1.jsonl") == b"one\ntwo\n"


def test_the_file_keeps_its_content_when_nothing_is_left_to_follow(tmp_path: Path) -> None:
    """A container can be removed before its output is read."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    for words in ([b"one\n", b""], [b""], [BREAK]):
        spoken.say("mill-i-1", *words)
        followers.follow("mill-i-1", "i-1")
        followers.finish("mill-i-1", "i-1")
    assert read(tmp_path / "i-1.jsonl") == b"one\n"


def test_a_container_that_is_removed_meanwhile_is_no_error(tmp_path: Path) -> None:
    """The file keeps the output up to then."""
    spoken = Spoken()
    followers = LogFollowers(spoken, tmp_path)
    spoken.say("mill-i-1", b"one\ntw", BREAK)
    followers.follow("mill-i-1", "i-1")
    followers.finish("mill-i-1", "i-1")
    assert read(tmp_path / "i-1.jsonl") == b"one\ntw"


def test_output_of_an_unseen_container_is_copied_at_the_end(tmp_path: Path) -> None:
    """This happens before the container and its output are removed."""
    spoken = Spoken()
    spoken.say("mill-i-1", b"one\n", b"")
    LogFollowers(spoken, tmp_path).finish("mill-i-1", "i-1")
    assert read(tmp_path / "i-1.jsonl") == b"one\n"
