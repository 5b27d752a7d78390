"""A target of the fuzzer: what it gets, and what must hold whatever it gets."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hypothesis.strategies import SearchStrategy

CASE_SECONDS: Final = 10
"""Limit of one case, in seconds: an input that takes longer is a fault, too."""


CHANGES: Final = 40
"""Changed copies of each input that hypothesis makes: a change takes microseconds."""


class HangingError(BaseException):
    """A case has taken longer than CASE_SECONDS; no code under test catches this."""


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of input.

    Attributes:
        name: its name on the command line.
        inputs: a strategy for its inputs.
        check: gets an input; raises if the product does not treat it as documented.
        change: returns a changed copy of an input, by random numbers; None if there is none.
        share: its part of all cases, compared with 1 of an ordinary target.
        of_bytes: makes an input of bytes, for a fuzzer that is guided by coverage.
        seconds: the limit of one case.
    """

    name: str
    inputs: SearchStrategy[Any]
    check: Callable[[Any], None]
    change: Callable[[Any, Random], Any] | None = None
    share: float = 1.0
    of_bytes: Callable[[bytes], Any] | None = None
    seconds: float = CASE_SECONDS

    def test(self, cases: int, number: int, counted: Callable[[], None]) -> Callable[[], None]:
        """Return a test of about this many cases by this seed; `counted` is called for each."""

        def checked(value: object) -> None:
            counted()
            with _limited(self.seconds):
                self.check(value)

        def case(value: object, changes: int) -> None:
            checked(value)
            if self.change is not None:
                rng = Random(changes)  # noqa: S311 - a seed, not a secret
                for _ in range(CHANGES):
                    checked(self.change(value, rng))

        configured = settings(
            max_examples=max(1, cases // (1 + CHANGES) if self.change else cases),
            database=None,
            deadline=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        test: Callable[[], None] = seed(number)(
            configured(given(self.inputs, st.integers(0, 2**32))(case))
        )
        return test


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def hangs(_number: int, _frame: object) -> None:
        raise HangingError(f"not done within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def told(problem: object) -> None:
    """Check that a person is told about an input in one line."""
    text = str(problem)
    assert text.strip()
    assert "\n" not in text, text
