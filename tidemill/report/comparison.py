"""Chapter of the report that compares the template's policy with other policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.report.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Run = Mapping[str, Any]

CLAIRVOYANT = "clairvoyant"
"""The name of the policy in the runs that contain the bounds."""

CENT = 0.01
"""The difference in dollars a day above which one policy counts as cheaper than another."""

FRONTIER = "no other policy is faster (mean wait) and more than one US cent a day cheaper"
"""When a policy is on the frontier, in words; `is_better` says the same."""

MEANING = """\
Simulated with seed {seed}: the same messages, group and workers under other policies. \
docs/simulator.md describes the scenarios and the policies. Each cell has the mean wait until a \
message is processed, and the dollars a day for everything that depends on the policy. **Bold** \
marks a policy on the frontier: {frontier}. \
The clairvoyant column has two lower bounds, one for the wait and one \
for the cost; a policy may be unable to reach both."""


def is_better(one: Run, other: Run) -> bool:
    """Return whether the first run keeps the second one off the frontier.

    It does so if it has no message left, is faster, and is more than a cent a day cheaper. Example:
    60 s for 0.90 dollars keeps 61 s for 0.92 off the frontier, but not 61 s for 0.905, and not 59 s
    for 2 dollars.
    """
    if one["mean_wait"] is None or other["mean_wait"] is None or one["left"]:
        return False
    cheaper: float = other["dollars_a_day"] - one["dollars_a_day"]
    return one["mean_wait"] < other["mean_wait"] and cheaper > CENT


def comparison_chapter(runs: Sequence[Run], picture: str) -> Iterator[str]:
    """Yield the chapter, with a link to the picture.

    Args:
        runs: the figures of every policy in every scenario, as `tidemill compare --json` has them;
            the first policy is the template's.
        picture: the link to the picture.
    """
    policies = list(dict.fromkeys(run["policy"] for run in runs))
    scenarios = list(dict.fromkeys(run["scenario"] for run in runs))
    found = {(run["scenario"], run["policy"]): run for run in runs}
    yield "## Compared with other policies\n"
    yield MEANING.format(seed=runs[0]["seed"], frontier=FRONTIER) + "\n"
    rows = [(name, *(_cell(found[name, policy]) for policy in policies)) for name in scenarios]
    yield markdown_table(("scenario", *policies), rows) + "\n"
    yield "![Mean wait against dollars a day, a panel for each scenario.]" + f"({picture})\n"
    ours = [run for run in runs if run["policy"] == policies[0]]
    for policy in policies:
        if policy.startswith(policies[0]):  # the template, and the same with another parameter
            best = [f"`{name}`" for name in scenarios if found[name, policy]["on_frontier"]]
            named = f": {', '.join(best)}" if best else ""
            yield (
                f"The {policy} is on the frontier in {len(best)} of {len(scenarios)} "
                f"scenarios{named}.\n"
            )
    for run in ours:
        if not run["on_frontier"]:
            yield f"- {_why_not(run, [one for one in runs if one['scenario'] == run['scenario']])}"
    yield ""


def _cell(run: Run) -> str:
    text = _wait_and_cost(run)
    return f"**{text}**" if run.get("on_frontier") else text


def _wait_and_cost(run: Run) -> str:
    if "failed" in run:
        return "-"
    wait = "-" if run["mean_wait"] is None else f"{run['mean_wait']:,.0f} s"
    return f"{wait}, ${run['dollars_a_day']:.3f}"


def _why_not(ours: Run, runs: Sequence[Run]) -> str:
    """Return the policies that beat the template, the cost of its alarms, and better variants."""
    if "failed" in ours:
        return str(ours["failed"])
    beaten = "; ".join(
        f"{run['policy']} has {_wait_and_cost(run)}"
        for run in runs
        if run["policy"] in ours["beaten_by"]
    )
    items = ours["dollars_a_day_by_item"]
    alarms = items.get("alarms", 0.0) + items.get("fast alarms", 0.0)
    text = (
        f"`{ours['scenario']}`: the template has {_wait_and_cost(ours)}; {beaten}. Of this, "
        f"the metrics of the template's alarms cost ${alarms:.3f}, even without messages."
    )
    variants = [
        f"{run['policy']} has {_wait_and_cost(run)}"
        for run in runs
        if run["policy"].startswith(f"{ours['policy']} ") and run["on_frontier"]
    ]
    return f"{text} On the frontier instead: {'; '.join(variants)}." if variants else text
