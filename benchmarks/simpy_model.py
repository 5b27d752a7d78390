"""SimPy model: a day of the default template's fleet, written with the library SimPy.

It has the same messages, boot times, rhythm and steps. A rule that runs every minute replaces
alarms, missing data and warm-up, so the model does less than the simulator.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from collections.abc import Generator

    Steps = Generator[Any, Any, None]

DAY = 86_400
BOOT, POLL, REST, LIMIT = 60, 20, 60, 10
SHARE, MOST, IDLE_MINUTES = 50, 4, 5
LOOKS_AT = 6
"""Second of each minute at which the rule runs."""


class Model:
    """A queue, its consumers, and the rule that sets their number."""

    def __init__(self, environment: simpy.Environment) -> None:
        """Start without consumers."""
        self.environment = environment
        self.queue = simpy.Store(environment)
        self.size = 0
        self.wanted = 0
        self.processed = 0
        self.waits: dict[int, int] = {}
        environment.process(self.send())
        environment.process(self.look())

    def send(self) -> Steps:
        """Send a message every second."""
        while True:
            self.queue.put(self.environment.now)
            yield self.environment.timeout(1)

    def look(self) -> Steps:
        """Set the number of consumers every minute."""
        idle = 0
        yield self.environment.timeout(LOOKS_AT)
        while True:
            needed = min(MOST, math.ceil(len(self.queue.items) / SHARE))
            idle = idle + 1 if not self.queue.items else 0
            if needed > self.wanted:
                for _ in range(needed - self.wanted):
                    self.environment.process(self.consume())
                self.wanted = needed
            elif idle >= IDLE_MINUTES:
                self.wanted = 0
            yield self.environment.timeout(60)

    def consume(self) -> Steps:
        """Boot, then poll, process and wait for as long as this consumer is needed."""
        self.size += 1
        number = self.size
        yield self.environment.timeout(BOOT)
        while number <= self.wanted:
            get = self.queue.get()
            yield get | self.environment.timeout(POLL)
            if get.triggered:
                self.take(get.value)
                while len(self.queue.items) and self.processed % LIMIT:
                    self.take((yield self.queue.get()))
            else:
                get.cancel()
            yield self.environment.timeout(REST)
        self.size -= 1

    def take(self, sent: float) -> None:
        """Count a message and its wait."""
        self.processed += 1
        wait = int((self.environment.now - sent) * 10)
        self.waits[wait] = self.waits.get(wait, 0) + 1


def one_day() -> int:
    """Simulate a day; return how many messages were processed."""
    environment = simpy.Environment()
    model = Model(environment)
    environment.run(until=DAY)
    return model.processed
