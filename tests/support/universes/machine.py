"""A universe as a state machine of hypothesis, which shrinks what it finds to a few steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support.universes.faults import CHANCES
from support.universes.plan import Event, draw
from support.universes.universe import THE_PRODUCT, Universe

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from support.universes.life import Blueprint, Life

KINDS = st.sampled_from(sorted(CHANCES))
SECONDS = st.sampled_from([0.01, 0.5, 2.0, 10.0, 40.0])
CONSUMERS = st.integers(1, 3)


class UniverseMachine(RuleBasedStateMachine):
    """Steps: messages are sent, consumers come and go, faults happen, time passes.

    At the end of each run a last consumer drains the queue, and everything is checked.
    """

    blueprint: Blueprint = THE_PRODUCT

    def __init__(self) -> None:
        """Start without a universe."""
        super().__init__()
        self.universe: Universe | None = None
        self._watched: AbstractContextManager[None] | None = None

    @initialize(seed=st.integers(0, 2000))
    def begin(self, seed: int) -> None:
        """Take settings from a seed, and nothing that happens."""
        plan = replace(draw(seed), sends=(), starts=(), stops=(), events=(), faults=frozenset())
        self.universe = Universe(plan, self.blueprint)
        self._watched = self.universe.watched()
        self._watched.__enter__()  # hypothesis ends it, in `teardown`
        self._life(1).start()

    @rule(count=st.integers(1, 12))
    def send(self, count: int) -> None:
        """Send messages."""
        for _ in range(count):
            self._universe().send()

    @rule(seconds=SECONDS)
    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self._universe().pass_time(seconds)

    @rule(kind=KINDS)
    def fail_next(self, kind: str) -> None:
        """Let a fault happen where it can happen next."""
        self._universe().faults.force(kind)

    @rule(consumer=CONSUMERS)
    def start(self, consumer: int) -> None:
        """Start a consumer."""
        if self._life(consumer).started_at < 0:
            self._life(consumer).start()

    @rule(consumer=CONSUMERS)
    def stop(self, consumer: int) -> None:
        """Ask a consumer to stop."""
        if self._life(consumer).started_at >= 0:
            self._life(consumer).stop.request()

    @rule(
        consumer=CONSUMERS,
        kind=st.sampled_from(["frozen", "killed", "clock set", "outage"]),
        seconds=SECONDS,
    )
    @precondition(lambda self: self.universe is not None)
    def strike(self, consumer: int, kind: str, seconds: float) -> None:
        """Let a fault happen to a consumer that runs."""
        if self._life(consumer).started_at >= 0:
            universe = self._universe()
            universe.strike(Event(universe.scheduler.now, kind, consumer, seconds))

    def teardown(self) -> None:
        """End the universe, and check everything."""
        if self.universe is None or self._watched is None:
            return
        try:
            if self.universe.violation is None:
                self.universe.finish()
        finally:
            self._watched.__exit__(None, None, None)

    def _universe(self) -> Universe:
        if self.universe is None:
            raise TypeError("hypothesis has not begun")
        return self.universe

    def _life(self, number: int) -> Life:
        return self._universe().life(number)
