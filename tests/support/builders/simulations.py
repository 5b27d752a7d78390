"""Builders of scenarios and candidates for tests of the simulator."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from support.builders.fleets import product_fleet

from tidemill.scaling.errors import ScalingError
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleets
from tidemill.simulator.candidate import Candidate
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.pacing.needed_turns import can_leave_out_turns
from tidemill.simulator.run import USUAL_RUN, RunOptions, simulate
from tidemill.simulator.scenario import Scenario

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.result import Result


OTHER_TEMPLATES = Path(__file__).parents[2] / "scaling" / "example_templates"


@cache
def the_template(*parameters: tuple[str, str]) -> Candidate:
    """Return the product's fleet with these parameters."""
    return Candidate.of_template(product_fleet(**dict(parameters)))


def with_turns_left_out() -> list[Candidate]:
    """Return the example templates' fleets for which the simulator leaves out turns."""
    fleets: list[Fleet] = []
    for path in sorted(OTHER_TEMPLATES.iterdir()):
        try:
            fleets += read_fleets(parse_template(path.read_text(encoding="utf-8"), path.name), {})
        except ScalingError:
            continue
    return [
        Candidate(f"{fleet.group.logical_id} {fleet.queue.name}", fleet, the_template().worker)
        for fleet in fleets
        if can_leave_out_turns(fleet)
    ]


def bursts(
    *lots: tuple[float, int],
    poison: float = 0.0,
    handler: HandlerTime | None = None,
    seconds: float = 3600,
) -> Scenario:
    """Return a scenario with these numbers of messages at these seconds."""
    return Scenario(
        "bursts",
        "for a test",
        lambda _: (at for at, count in sorted(lots) for _ in range(count)),
        seconds=seconds,
        poison=poison,
        handler=handler or HandlerTime(),
    )


def simulated(
    candidate: Candidate,
    scenario: Scenario,
    *,
    seed: int = 1,
    options: RunOptions = USUAL_RUN,
    turn_every: float | None = None,
) -> tuple[Result, list[Fact]]:
    """Return the result of a run, and its facts."""
    facts: list[Fact] = []
    paced = replace(options, turn_every=turn_every)
    result = simulate(candidate, scenario, seed, paced, facts.extend)
    return result, facts


def scenarios() -> st.SearchStrategy[Scenario]:
    """Return bursts of up to 300 messages within two hours, some with poison, some with work."""
    lots = st.tuples(st.integers(0, 7200).map(float), st.integers(1, 300))
    handlers = st.builds(
        HandlerTime, st.sampled_from([0.0, 0.0, 0.3, 2.0, 12.0]), st.sampled_from([0.0, 0.7])
    )
    return st.builds(
        lambda lots, poison, handler: bursts(*lots, poison=poison, handler=handler),
        st.lists(lots, min_size=1, max_size=4),
        st.sampled_from([0.0, 0.0, 0.1, 1.0]),
        handlers,
    )


PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "BacklogPerInstance": st.sampled_from(["1", "7", "200"]),
        "PollWaitSeconds": st.sampled_from(["0", "5", "60"]),
        "MessagesPerPoll": st.sampled_from(["1", "10", "35"]),
        "Concurrency": st.sampled_from(["1", "3"]),
        "MaxReceiveCount": st.sampled_from(["3", "5"]),
        "HoldSeconds": st.sampled_from(["60", "120", "300", "3600"]),
        "WarmupSeconds": st.sampled_from(["0", "300"]),
        "FastSignal": st.sampled_from(["false", "false", "false", "true"]),
    },
).map(lambda given: the_template(*sorted(given.items())))
"""The product's fleet, with some of its parameters changed."""
