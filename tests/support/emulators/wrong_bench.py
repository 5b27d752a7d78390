"""A queue at an endpoint that answers wrongly, and the calls that tests make of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.wrong_server import (
    Behaviour,
    drip_the_body,
    drip_the_head,
    drip_without_length,
    silent,
)

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.queue import SqsQueue
from shared.queue_connection import connect
from shared.sqs.calls import Calls
from shared.sqs.wrong_answers import Reaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.emulators.wrong_server import Call, WrongServer

    from shared.queue import Refusal

PATIENCE: Final = 60.0
"""Time for a whole answer in these tests, if one is to come: a machine may be busy."""

SECONDS: Final = 0.6
"""The same where none is to come."""

HANGING: Final[tuple[Behaviour, ...]] = (silent, drip_the_head, drip_the_body, drip_without_length)

CALLS: Final[dict[str, Callable[[SqsQueue], Any]]] = {
    "send": lambda queue: queue.send(["one", "two"]),
    "receive": lambda queue: queue.receive(10, 0, 30),
    "delete": lambda queue: queue.delete(["r-1", "r-2"]),
    "change visibility": lambda queue: queue.change_visibility([("r-1", 0), ("r-2", 0)]),
}
BATCHES: Final = [name for name in CALLS if name != "receive"]


@contextmanager
def queue_at(server: WrongServer, name: str = "", seconds: float = PATIENCE) -> Iterator[SqsQueue]:
    """Provide a queue at this endpoint, without retries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        url = "" if name else server.queue_url
        queue = connect(url, name, attempts=1, answer_seconds=seconds)
        yield queue
        queue._client.close()


@dataclass(frozen=True, slots=True)
class Bench:
    """A server, and a queue there."""

    server: WrongServer
    queue: SqsQueue

    def behaving(self, *behaviours: Behaviour, attempts: int = 1) -> SqsQueue:
        """Return the queue, whose server behaves so: in turn, and then always like the last.

        Calls have little time if that one hangs.
        """
        left = list(behaviours)

        def behave(call: Call) -> None:
            (left.pop(0) if len(left) > 1 else left[0])(call)

        self.server.behave = behave
        seconds = SECONDS if behaviours[-1] in HANGING else PATIENCE
        return SqsQueue(self.queue._client, self.server.queue_url, Calls(attempts, seconds))


def reaction(call: Callable[[SqsQueue], Any], queue: SqsQueue) -> tuple[Reaction, bool]:
    """Make a call; return what follows, and whether SQS may have done it all the same."""
    try:
        answer = call(queue)
    except QueueUnavailableError as error:
        return Reaction.AGAIN, error.answer_lost
    except QueueRefusedError:
        return Reaction.END, False
    assert [(refusal.index, refusal.retry) for refusal in refusals(answer)] == [
        (0, False),
        (1, False),
    ]
    assert not getattr(answer, "sent", None)
    return Reaction.GIVE_UP, False


def refusals(answer: Any) -> tuple[Refusal, ...]:  # noqa: ANN401 - of a send, or of the others
    """Return the refusals of an answer to a batch."""
    found: tuple[Refusal, ...] = getattr(answer, "refused", answer)
    return found
