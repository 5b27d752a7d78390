"""Summary of a soak test: its figures, and the promises that it did not keep."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tidemill.ledger.account import draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.folder import LineFolder
from tidemill.ledger.queues import write_queues
from tidemill.ledger.sent import read_sent_logs
from tidemill.scaling.fault_kinds import KINDS, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.rig.chaos.bench import Bench
    from tidemill.rig.chaos.runner import PlanRun
    from tidemill.rig.chaos.soak import SoakRun
    from tidemill.rig.chaos.soak_options import SoakOptions

NOT_PROVEN: Final = "not proven: "
"""The start of a problem of which the ledger is not certain."""


def summarize(
    bench: Bench, options: SoakOptions, run: SoakRun, about: Mapping[str, object]
) -> dict[str, Any]:
    """Return the figures of a soak test whose workers have ended, and keep them in its folder.

    Args:
        bench: the fleet, which has ended.
        options: those of the run.
        run: what became of it.
        about: the conditions of the run.
    """
    write_queues(bench.folder, run.queues)
    sent = read_sent_logs(run.sent_logs)
    lines = LineFolder(bench.logs)
    lines.read()
    account = draw_up(sent, lines.record, run.queues, Conditions(faults=faults_of(run.going)))
    summary = {
        "world": bench.kind.value,
        "messages": options.messages,
        "instances": options.instances,
        "every_seconds": options.every,
        **about,
        **run.going.figures(),
        "wall_seconds": run.wall_seconds,
        "producer_runs": len(run.sent_logs),
        **figures(account, sent, lines.record),
    }
    summary["broken_promises"] = broken_promises(summary)
    (bench.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def faults_of(going: PlanRun) -> dict[str, list[str]]:
    """Return the faults that happened to each instance itself, or to its calls alone."""
    found: dict[str, list[str]] = {}
    for one in going.done:
        kind = one.fault["kind"]
        ours = KINDS[kind].target in {Target.INSTANCE, Target.CALLER}
        if ours and one.target.startswith("i-"):
            found.setdefault(one.target, []).append(kind)
    return found


def broken_promises(summary: dict[str, Any]) -> list[str]:
    """Return a sentence for each promise that a run did not keep; without any, it passes.

    What the ledger cannot prove, such as where lines are missing, is none as long as every message
    has a known fate.
    """
    wrong = [text for text in summary["problems"] if not text.startswith(NOT_PROVEN)]
    if summary["unknown"]:
        wrong.append(f"{summary['unknown']} messages are of unknown fate")
    if summary["poison_dead_lettered"] != summary["poison"]:
        wrong.append(
            f"{summary['poison'] - summary['poison_dead_lettered']} malformed messages are not "
            "among the dead letters"
        )
    if not summary["faults_happened"]:
        wrong.append("no fault happened")
    known = summary["sent"] + summary["indeterminate"]
    if known < summary["messages"]:
        wrong.append(f"{summary['messages'] - known} messages were not sent")
    return wrong
