"""The consumer in simulated universes: whatever SQS, machines and handlers do, invariants hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from support.universes.broken import BROKEN
from support.universes.faults import FIFO_HAS_NOT, KINDS, REQUESTS
from support.universes.machine import UniverseMachine
from support.universes.plan import draw
from support.universes.record import Violation
from support.universes.rule_names import DONE, RULES
from support.universes.scheduler import Machine, Scheduler, StuckError
from support.universes.shrinking import shrink, violation_of
from support.universes.threads import UniverseThreads
from support.universes.universe import Universe

pytestmark = pytest.mark.long

PAGE = (Path(__file__).parents[2] / "docs/universes.md").read_text(encoding="utf-8")
BATCH = 50
"""Universes of one test: it stays far below a test's time limit on a busy machine as well."""
ENOUGH = 400
"""Universes in which a broken consumer has to be found."""


@pytest.mark.parametrize("first", range(0, 20 * BATCH, BATCH))
def test_a_thousand_universes_keep_every_invariant(first: int) -> None:
    """Each has its own settings, a random half of the faults, and its own order of threads."""
    faults: Counter[str] = Counter()
    for seed in range(first, first + BATCH):
        universe = Universe(draw(seed))
        try:
            universe.run()
        except Violation as violation:
            pytest.fail(f"seed {seed} (make universes UNIVERSE={seed}): {violation}", pytrace=False)
        faults += universe.faults.counts
    assert len(faults) > len(KINDS) / 2


@pytest.mark.parametrize("name", BROKEN)
def test_a_consumer_that_is_broken_on_purpose_is_found(name: str) -> None:
    """Otherwise the universes above would prove nothing."""
    found = (violation_of(draw(seed), BROKEN[name]) for seed in range(ENOUGH))
    assert next(violation for violation in found if violation).rule in RULES


def test_any_steps_that_hypothesis_thinks_of_keep_every_invariant() -> None:
    """Messages, consumers, faults and waits in any order; a failure is shrunk to a few steps."""
    run_state_machine_as_test(
        UniverseMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=15,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_hypothesis_finds_a_broken_consumer_and_needs_few_steps_for_it() -> None:
    """One message and some time are enough for a consumer that deletes first."""

    class Broken(UniverseMachine):
        blueprint = BROKEN["deletes before handling"]

    with pytest.raises(Violation, match=DONE) as failure:
        run_state_machine_as_test(
            Broken,
            settings=settings(
                max_examples=10,
                stateful_step_count=5,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate, Phase.shrink],
            ),
        )
    steps = [note for note in failure.value.__notes__ if note.startswith("state.")]
    assert len(steps) <= 4


def test_a_failing_universe_is_made_smaller() -> None:
    """One message and one consumer without any fault are left of it."""
    blueprint = BROKEN["deletes before handling"]
    seed = next(seed for seed in range(ENOUGH) if len(draw(seed).sends) > 5)
    small = shrink(draw(seed), DONE, blueprint)
    assert (len(small.sends), len(small.starts), small.faults) == (1, 1, frozenset())
    violation = violation_of(small, blueprint)
    assert violation is not None
    assert violation.rule == DONE


@pytest.mark.parametrize("seed", range(0, 200, 10))
def test_a_seed_gives_the_same_universe_again(seed: int) -> None:
    """Event by event, so that what was found can be looked at."""
    traces = []
    for _ in range(2):
        universe = Universe(draw(seed), trace=True)
        universe.run()
        traces.append(universe.record.trace)
    assert traces[0] == traces[1]
    assert len(traces[0] or ()) > 5


def test_a_universe_enables_about_half_of_the_faults() -> None:
    """And one in ten has none; a FIFO queue has fewer kinds."""
    plans = [draw(seed) for seed in range(300)]
    share = sum(len(plan.faults) for plan in plans) / len(plans) / len(KINDS)
    assert 0.3 < share < 0.5
    assert 10 < sum(not plan.faults for plan in plans) < 60
    assert not any(plan.faults & FIFO_HAS_NOT for plan in plans if plan.fifo)


@pytest.mark.parametrize("word", [*RULES, *KINDS])
def test_the_page_about_universes_has_each_invariant_and_each_fault(word: str) -> None:
    """docs/universes.md; faults of requests stand there without the request."""
    request, _, fault = word.partition(" ")
    assert (
        f"| {word} |" in PAGE
        or f"`{word}`" in PAGE
        or (request in REQUESTS and f"`{request}`" in PAGE and f"`{fault}`" in PAGE)
    )


def test_threads_that_wait_for_each_other_are_a_deadlock() -> None:
    """In some order of their steps; in the others both come to their end."""
    stuck = Counter(_deadlocks(seed) for seed in range(50))
    assert stuck[True] > 5
    assert stuck[False] > 5


def _deadlocks(seed: int) -> bool:
    rng = Random(seed)  # noqa: S311 - chance, not secrets
    scheduler, machine = Scheduler(rng, 1e-6, interruptions=0.5), Machine("m")
    threads = UniverseThreads(scheduler, machine, lambda _name: False)
    first, second = threads.condition(), threads.condition()

    def one() -> None:
        with first, second:
            pass

    def other() -> None:
        with second, first:
            pass

    scheduler.spawn(machine, "one", one)
    scheduler.spawn(machine, "other", other)
    try:
        scheduler.run(float("inf"), lambda: not machine.tasks)
    except StuckError:
        return True
    finally:
        scheduler.close([machine])
    return False
