"""Bench: what a check may use while it observes: AWS within limits, time, and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tidemill.verify.ports import Answer, Aws, Clock
    from tidemill.verify.target import Target

Seen = dict[str, Any]
"""What was observed, by name, as data that JSON can hold; moments are in epoch seconds."""

UNANSWERED = "unanswered"
"""The name in Seen of the reasons why actions were refused, by action."""

SKIPPED = "skipped"
"""The name in Seen of the reason why the observation was not begun."""

DONE = "done"
"""The name in Seen that marks an observation which came to its end."""

MINUTE = 60
REPORT = 120.0
"""Seconds of a wait after which it is reported again."""

PAUSE = 5.0
"""Seconds between two looks at something that is awaited."""


class SkippedError(Exception):
    """The observation cannot be made now; the text has the reason and a remedy."""


class Bench:
    """The means of one observation, and the notes that it takes.

    The notes are kept as they are taken, so that an interrupted observation is not lost.
    """

    def __init__(
        self,
        aws: Aws,
        clock: Clock,
        target: Target,
        calls: Collection[str],
        say: Callable[[str], None],
    ) -> None:
        """Allow these actions and no others.

        Args:
            aws: the account.
            clock: AWS's time.
            target: the stack.
            calls: the actions that the check has announced.
            say: called with a line of progress.
        """
        self._aws = aws
        self._calls = frozenset(calls)
        self._say = say
        self.clock = clock
        self.target = target
        self.seen: Seen = {}

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Return the answer to an action that the check has announced.

        Raises:
            RefusedError: the service refuses it.
            AssertionError: the check has not announced it. What a user has agreed to is exactly
                what was announced, so such a check must not go on.
        """
        if action not in self._calls:
            raise AssertionError(f"{action} was not announced")
        return self._aws.call(action, **parameters)

    def ask(self, action: str, **parameters: Any) -> Answer | None:  # noqa: ANN401 - as `call`
        """Return the answer to an action; note a refusal and return None."""
        try:
            return self.call(action, **parameters)
        except RefusedError as error:
            self.seen.setdefault(UNANSWERED, {})[action] = str(error)
            return None

    def note(self, name: str, value: object) -> None:
        """Note an observation; the first one of a name stays."""
        self.seen.setdefault(name, value)

    def moment(self, name: str) -> None:
        """Note that something is the case now, unless it was noted earlier."""
        if name not in self.seen:
            self.note(name, self.clock.now())
            self.say(name.replace("_", " "))

    def say(self, line: str) -> None:
        """Report progress."""
        self._say(line)

    def wait(
        self, what: str, seconds: float, condition: Callable[[], bool], pause: float = PAUSE
    ) -> bool:
        """Look again and again until a condition holds; return whether it does in time.

        Args:
            what: what is awaited, for the progress.
            seconds: the longest wait.
            condition: the look; it may take notes.
            pause: seconds between two looks.
        """
        begin = reported = self.clock.now()
        self.say(f"waiting up to {seconds / MINUTE:.0f} min: {what}")
        while not condition():
            now = self.clock.now()
            if now >= begin + seconds:
                self.say(f"not in time: {what}")
                return False
            if now >= reported + REPORT:
                self.say(f"{(now - begin) / MINUTE:.0f} min: still waiting: {what}")
                reported = now
            self.clock.sleep(pause)
        return True


def why_missing(seen: Mapping[str, Any], *actions: str, otherwise: str = "") -> str:
    """Return why an observation is missing.

    It is the reason of the skip, or of the first of these actions that was refused (of any action
    if none is given), or `otherwise`.
    """
    if SKIPPED in seen:
        return str(seen[SKIPPED])
    refused = seen.get(UNANSWERED, {})
    for action in actions or tuple(refused):
        if action in refused:
            return str(refused[action])
    return otherwise
