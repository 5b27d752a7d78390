"""Style of all pictures; the import of this module selects matplotlib's backend for files."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from matplotlib.figure import Figure

STATE_COLOURS = {"ALARM": "#D55E00", "OK": "#8FC7B0", "INSUFFICIENT_DATA": "#D0D0D0"}
"""Colours of Okabe and Ito's palette, which people with any colour vision can distinguish."""

WAITING, IN_FLIGHT, SERVING, DESIRED = "#56B4E9", "#E69F00", "#8FB8DE", "#0B3C5D"
FAULT = "#CC79A7"
DOTS_PER_INCH = 110

BESIDE_TITLE: dict[str, Any] = {
    "bbox_to_anchor": (1, 0.97),
    "fontsize": 9,
    "frameon": False,
    "loc": "lower right",
    "ncols": 3,
}
"""The position of a panel's legend: at the height of its title, on the right."""


@contextmanager
def style(font_size: float = 11) -> Iterator[None]:
    """Draw in the style of all pictures, with texts of this size in points."""
    settings: dict[Any, Any] = {
        "axes.spines.right": False,
        "axes.spines.top": False,
        "font.family": "DejaVu Sans",
        "font.size": font_size,
        "svg.hashsalt": "tidemill",
    }
    with mpl.rc_context(settings):
        yield


def save(figure: Figure, path: Path) -> None:
    """Write a figure to a file and close it; the same figure makes the same bytes.

    Args:
        figure: the figure.
        path: the file; its ending gives the format, PNG or SVG.
    """
    # The file has no dates and versions, so that the same figure makes the same bytes.
    metadata = {"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata=metadata)
    plt.close(figure)
