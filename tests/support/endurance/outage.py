"""An outage of SQS in front of a consumer: when work goes on, and what it costs in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import psutil
from support.emulators.consumer_stage import Stage
from support.emulators.recording_proxy import Fault, Request, recording
from support.endurance.fleet import PATIENCE, Fleet, Leaving

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.emulators.ministack import Ministack

Wrong: TypeAlias = Callable[[Request], Fault | None]
"""What is wrong with SQS: what happens to each request."""


def unavailable(_request: Request) -> Fault:
    """Answer 503."""
    return Fault.REFUSED


def silent(_request: Request) -> Fault:
    """Answer nothing, and do nothing."""
    return Fault.REQUEST_HELD


def lossy(_request: Request) -> Fault:
    """Do what is asked, and lose the answer."""
    return Fault.ANSWER_HELD


@dataclass(frozen=True, slots=True)
class Disaster:
    """An outage: its kinds, one after another, each of which lasts for `seconds`.

    `rate` messages are sent in a second, during the outage as well.
    """

    kinds: Sequence[Wrong]
    seconds: float
    rate: float = 10.0
    settings: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What an outage has shown.

    Attributes:
        requests: the consumer's requests during the outage.
        before: MiB of the consumer and its worker process before the outage.
        most: the most at any second until the end.
        after: when the queue was empty.
        going_on: seconds from the outage's end to the next message.
        empty: seconds from the outage's end until the queue was empty.
        waited: messages that were in the queue at the outage's end.
        exit_code: the consumer's, after SIGTERM at the end.
        starts: how often a consumer has started.
        ledger: the figures of the ledger.
    """

    requests: int
    before: float
    most: float
    after: float
    going_on: float
    empty: float
    waited: int
    exit_code: int
    starts: int
    ledger: dict[str, Any]


def run_outage(server: Ministack, folder: Path, disaster: Disaster) -> Recovery:
    """Let a consumer meet an outage, and return what it has shown."""
    folder.mkdir()
    stage = Stage(server, folder)
    with server.sqs() as sqs, recording(server.endpoint) as proxy:
        settings = {"AWS_ENDPOINT_URL": proxy.endpoint, **disaster.settings}
        fleet = Fleet(stage, sqs, Leaving(drained=True), settings, handler_seconds=0.01)
        with closing(fleet):
            fleet.begin(1)
            member = fleet.living[0]
            before = _memory(member.process.pid)
            asked = len(proxy.requests)
            sizes = [before]
            for kind in disaster.kinds:
                proxy.fault = kind
                end = time.monotonic() + disaster.seconds
                while time.monotonic() < end:
                    fleet.send_ten()
                    sizes.append(_memory(member.process.pid))
                    time.sleep(10 / disaster.rate)
            requests = len(proxy.requests) - asked
            waited, lines = sum(fleet.counts()), member.lines()
            proxy.fault = lambda _: None
            over_at = time.monotonic()
            _wait(lambda: member.lines() > lines, 3 * PATIENCE)
            going_on = time.monotonic() - over_at
            while fleet.counts() != (0, 0):
                sizes.append(_memory(member.process.pid))
                time.sleep(0.1)
                assert member.process.poll() is None, "the consumer has ended"
            empty = time.monotonic() - over_at
            after = _memory(member.process.pid)
            fleet.leave()
        return Recovery(
            requests=requests,
            before=before,
            most=max(sizes),
            after=after,
            going_on=going_on,
            empty=empty,
            waited=waited,
            exit_code=member.process.returncode,
            starts=member.log.read_bytes().count(b'"event":"started"'),
            ledger=fleet.account(),
        )


def _memory(pid: int) -> float:
    """Return the resident memory of a process and its children in MiB."""
    process = psutil.Process(pid)
    everyone = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in everyone) / 2**20


def _wait(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "no message is handled after the outage"
        time.sleep(0.05)
