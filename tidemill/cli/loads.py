"""Options for the load of a simulation, and the scenarios that they choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.cli.options import read_pairs, refuse_usage
from tidemill.scaling.errors import FaultError
from tidemill.scaling.fault_kinds import KINDS
from tidemill.scaling.faults import read_fault
from tidemill.simulator.errors import UnreadableTraceError
from tidemill.simulator.run import START
from tidemill.simulator.scenario import GROUPS, SCENARIOS, scenarios
from tidemill.simulator.traces.trace import read_trace, trace_scenario

if TYPE_CHECKING:
    from tidemill.scaling.faults import Fault
    from tidemill.simulator.instances.handling import Failures, HandlerTime
    from tidemill.simulator.scenario import Scenario
    from tidemill.simulator.traces.trace import Lot

ScenarioOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scenario",
        metavar="NAME",
        help=f"The load, repeatable: {', '.join(SCENARIOS)}. [default: all of them]",
    ),
]
TraceOption = Annotated[
    Path | None,
    typer.Option(
        "--trace", metavar="FILE", help="Your own load instead: a CSV file of time,count."
    ),
]
LoadOption = Annotated[
    int,
    typer.Option(
        "--load",
        min=1,
        metavar="TIMES",
        help="Send so many times as many messages as the load has.",
    ),
]
MeanOption = Annotated[
    float, typer.Option("--handler-seconds", min=0, help="Mean seconds to handle a message.")
]
VariationOption = Annotated[
    float,
    typer.Option(
        "--handler-variation",
        min=0,
        help="Standard deviation of that time, as a share of the mean.",
    ),
]
FailingOption = Annotated[
    float,
    typer.Option(
        "--failing", min=0, max=1, metavar="SHARE", help="Share of attempts that fail by chance."
    ),
]
CrashingOption = Annotated[
    float,
    typer.Option(
        "--crashing",
        min=0,
        max=1,
        metavar="SHARE",
        help="Share of attempts that end their process by chance.",
    ),
]
AlwaysFailingOption = Annotated[
    float,
    typer.Option(
        "--always-failing",
        min=0,
        max=1,
        metavar="SHARE",
        help="Share of messages whose every attempt fails.",
    ),
]
GroupsOption = Annotated[
    int | None,
    typer.Option(
        "--groups",
        min=1,
        help=f"Number of message groups, if the queue is FIFO; each message is of one of them at "
        f"random. [default: {GROUPS}]",
    ),
]
FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar="KIND@SECONDS",
        help=f"A fault after so many seconds, such as spot@600,target=ID or metrics-late@0,"
        f"late_minutes=5,for_minutes=0; repeat it. Kinds: {', '.join(KINDS)}.",
    ),
]


@dataclass(frozen=True, slots=True)
class Work:
    """The work that all chosen scenarios get: handling times, failures, message groups."""

    handler: HandlerTime
    failures: Failures
    groups: int = GROUPS

    @staticmethod
    def of_options(handler: HandlerTime, failures: Failures, groups: int | None) -> Work:
        """Return the work of the options."""
        if failures.failing + failures.crashing > 1:
            refuse_usage("--failing and --crashing: give shares that are at most 1 together")
        return Work(handler, failures, groups or GROUPS)

    def given(self, scenario: Scenario) -> Scenario:
        """Return the scenario with this work."""
        handler, failures = self.handler, self.failures
        return replace(scenario, handler=handler, failures=failures, groups=self.groups)


def chosen_scenarios(
    names: list[str] | None, trace: Path | None, load: int, work: Work
) -> tuple[list[Scenario], float]:
    """Return the chosen scenarios, and when they start in epoch seconds."""
    if trace is not None:
        if names:
            refuse_usage("--scenario and --trace cannot be combined: choose one load")
        lots = [(at, count * load) for at, count in _read(trace)]
        return [work.given(trace_scenario(lots, trace.stem))], lots[0][0] // 60 * 60
    known = scenarios(load)
    for name in names or []:
        if name not in known:
            refuse_usage(f"--scenario: there is no {name}: choose from {', '.join(known)}")
    return [work.given(known[name]) for name in names or known], START


def _read(trace: Path) -> list[Lot]:
    try:
        return read_trace(trace)
    except UnreadableTraceError as error:
        refuse_usage(str(error))


def with_faults(chosen: list[Scenario], texts: list[str] | None) -> list[Scenario]:
    """Return the scenarios with the faults that options describe."""
    faults = [_fault(text) for text in texts or ()]
    return [replace(scenario, faults=faults) for scenario in chosen]


def _fault(text: str) -> Fault:
    """Return the fault that an option describes, such as spot@600,target=i-1.

    Raises:
        typer.BadParameter: the option does not describe a fault, or lacks its time.
    """
    event, *given = text.split(",")
    kind, _, at = event.partition("@")
    fields = read_pairs("--fault", given)
    try:
        fault = read_fault({"kind": kind, "at": at or "0", **fields})
    except FaultError as error:
        refuse_usage(f"--fault {text}: {error}")
    if not at:
        refuse_usage(f"--fault {text}: give the time in seconds as well, such as {kind}@600")
    return fault
