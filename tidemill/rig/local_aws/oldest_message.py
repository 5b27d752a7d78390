"""Age of the oldest message in a local queue, from the endpoint's list of messages.

SQS's API does not tell the age. LocalStack has a list of messages that no receive disturbs ("SQS
developer endpoints" in its documentation); MiniStack has none.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from tidemill.rig.door.credentials import RIG
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.errors import RigError
from tidemill.scaling.metrics.queue import AGE, UNCOUNTED_RECEIVES, queue_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemill.rig.door.credentials import Keys
    from tidemill.rig.local_aws.clients import LocalClients
    from tidemill.scaling.spec import Fleet

MESSAGES = "/_aws/sqs/messages"
ANSWER_SECONDS = 10
KEPT_SECONDS = 1.0
"""The list has every message, so it is read at most once in so many wall-clock seconds."""

NOT_KNOWN = (
    f"the local AWS does not list messages, so {AGE} has no datapoints: an alarm on it can be "
    "tried in containers, where LocalStack does, or with `tidemill simulate`"
)


class OldestMessage:
    """The oldest message of a queue, if an alarm of the fleet reads its age and it can be known.

    Attributes:
        not_known: a sentence if an alarm reads the age and the endpoint does not list messages.
    """

    def __init__(
        self,
        fleet: Fleet,
        clients: LocalClients,
        queue_url: str,
        speed: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Find out whether the endpoint lists messages, if an alarm of the fleet needs that.

        Args:
            fleet: the fleet with its alarms.
            clients: of the local AWS.
            queue_url: the queue's URL there.
            speed: how many times faster than wall-clock time AWS's time runs.
            now: the wall clock, in epoch seconds.
        """
        asked = urlencode({"QueueUrl": queue_url, "ShowInvisible": "true"})
        self._url = f"{clients.endpoint}{MESSAGES}?{asked}"
        self._keys = clients.session.keys(RIG)
        self._speed = speed
        self._now = now
        self._read_at = float("-inf")
        self._sent: float | None = None
        self._known = fleet.reads(queue_metric(fleet.queue.name, AGE))
        self.not_known: tuple[str, ...] = ()
        if self._known:
            try:
                self.age()
            except RigError:
                self._known, self.not_known = False, (NOT_KNOWN,)

    def age(self) -> int | None:
        """Return the age in whole seconds of AWS's time; None if no message counts or if not known.

        Raises:
            RigError: the endpoint does not list messages.
        """
        if not self._known:
            return None
        now = self._now()
        if now - self._read_at >= KEPT_SECONDS:
            self._sent = min(_counted(_list(self._keys, self._url)), default=None)
            self._read_at = now
        return None if self._sent is None else int(max(0.0, now - self._sent) * self._speed)


def _list(keys: Keys, url: str) -> list[dict[str, Any]]:
    """Return the messages that are visible or in flight.

    Raises:
        RigError: the endpoint has no such list.
    """
    request = signed(keys, url)
    request.add_header("Accept", "application/json")
    try:
        with DIRECT.open(request, timeout=ANSWER_SECONDS) as answer:
            found = json.load(answer)["ReceiveMessageResponse"]["ReceiveMessageResult"]
    except (HTTPError, URLError, OSError, ValueError, LookupError, TypeError) as error:
        raise RigError(f"the local AWS does not list messages: {error}") from error
    messages: list[dict[str, Any]] | dict[str, Any] = (found or {}).get("Message", [])
    return [messages] if isinstance(messages, dict) else messages


def _counted(messages: list[dict[str, Any]]) -> Iterator[float]:
    """Yield when each message that counts was sent, in epoch seconds."""
    for message in messages:
        attributes = {one["Name"]: one["Value"] for one in message["Attribute"]}
        if int(attributes["ApproximateReceiveCount"]) < UNCOUNTED_RECEIVES:
            yield int(attributes["SentTimestamp"]) / 1000
