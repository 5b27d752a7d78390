"""Picture of a comparison: mean wait and cost of each policy, a panel per scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from tidemill.report.comparison import CLAIRVOYANT
from tidemill.report.figure_style import save, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

COLOURS = ("#0B3C5D", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito's palette, which people with any colour vision can distinguish."""

MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
"""Nine forms for seven colours: no two of 63 policies have the same form and colour."""

COLUMNS = 3
LEAST_SECONDS = 1.0
"""Shorter waits are drawn as 1 s, because a logarithmic axis has no 0."""


def draw_comparison(runs: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw mean wait against dollars a day; the same runs make the same file.

    Args:
        runs: figures as `compare` returns them.
        path: the file; its ending gives the format, PNG or SVG.
    """
    scenarios = list(dict.fromkeys(run["scenario"] for run in runs))
    rows = -(-len(scenarios) // COLUMNS)
    columns = min(COLUMNS, len(scenarios))
    with style(font_size=9):
        figure, panels = plt.subplots(
            rows,
            columns,
            figsize=(3.8 * columns, 2.9 * rows + 0.5),
            layout="constrained",
            squeeze=False,
        )
        for panel, scenario in zip(panels.flat, scenarios, strict=False):
            _draw(panel, [run for run in runs if run["scenario"] == scenario])
            panel.set_title(scenario, loc="left", fontweight="bold")
        for panel in panels.flat[len(scenarios) :]:
            panel.set_axis_off()
        handles, labels = panels.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        save(figure, path)


def _draw(axes: Axes, runs: Sequence[Mapping[str, Any]]) -> None:
    real = [run for run in runs if run["policy"] != CLAIRVOYANT]
    for number, run in enumerate(real):
        if run["mean_wait"] is not None:
            axes.scatter(
                run["dollars_a_day"],
                max(run["mean_wait"], LEAST_SECONDS),
                s=42,
                color=COLOURS[number % len(COLOURS)],
                marker=MARKS[number % len(MARKS)],
                label=run["policy"],
                zorder=3,
            )
    for run in runs:
        if run["policy"] == CLAIRVOYANT and run["mean_wait"] is not None:
            dotted: dict[str, Any] = {"color": "#808080", "linestyle": ":", "linewidth": 1.2}
            axes.axhline(
                max(run["mean_wait"], LEAST_SECONDS), label="the clairvoyant's bounds", **dotted
            )
            axes.axvline(run["dollars_a_day"], **dotted)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(left=0)
    axes.set_xlabel("dollars a day")
    axes.set_ylabel("mean wait in seconds")
