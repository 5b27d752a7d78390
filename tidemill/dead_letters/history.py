"""Histories: how the attempts at each message ended, by the consumers' lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tidemill.dead_letters.letter import Letter

LINE: Final = b'{"time":'
"""The start of a consumer's line; a handler may have printed text before it."""

UNKNOWN: Final = "unknown: no logs were read"
NO_ATTEMPT: Final = "no attempt in the logs"


class Attempt(msgspec.Struct, frozen=True):
    """An attempt as its line tells it; `time` is ISO 8601 in UTC."""

    message_id: str
    outcome: str
    time: str
    reason: str | None = None
    instance_id: str = ""
    receive_count: int = 0
    duration_seconds: float = 0.0


class _Line(Attempt, frozen=True):
    event: str = ""


_decoder = msgspec.json.Decoder(_Line)

GOOD: Final = frozenset({"processed", "duplicate"})
"""Outcomes after which nothing is left to do."""


class Histories:
    """The attempts at each message, oldest first; `read` is False if there are no logs to ask."""

    def __init__(self, attempts: Mapping[str, Sequence[Attempt]], *, read: bool) -> None:
        """Keep the attempts by message id."""
        self._attempts = attempts
        self.read = read

    def of(self, letter: Letter) -> list[Attempt]:
        """Return the attempts at this message, oldest first; each once, however often delivered."""
        ids = {letter.id, letter.original_id}
        found = {one for name in ids for one in self._attempts.get(name, ())}
        return sorted(found, key=lambda one: (one.time, one.receive_count))

    def reason_of(self, letter: Letter) -> str:
        """Return why this is a dead letter: outcome and reason of its last attempt that failed."""
        bad = [one for one in self.of(letter) if one.outcome not in GOOD]
        if bad:
            return f"{bad[-1].outcome}: {bad[-1].reason or 'no reason'}"
        if letter.rejected_reason is not None:
            return f"rejected: {letter.rejected_reason}"
        return NO_ATTEMPT if self.read else UNKNOWN

    def outcomes_of(self, letter: Letter) -> str:
        """Return how often it was tried with which outcome: "failed 2, timed_out 1"."""
        counts = Counter(one.outcome for one in self.of(letter))
        return ", ".join(f"{outcome} {count}" for outcome, count in counts.most_common())


def histories(lines: Iterable[bytes]) -> Histories:
    """Return the attempts that these lines tell of; lines of anything else are left out."""
    found: defaultdict[str, list[Attempt]] = defaultdict(list)
    for line in lines:
        try:
            read = _decoder.decode(line[max(0, line.find(LINE)) :])
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            continue  # another event, or printed by the user's handler
        if read.event == "message":
            fields = {name: getattr(read, name) for name in Attempt.__struct_fields__}
            found[read.message_id].append(Attempt(**fields))
    return Histories(found, read=True)
