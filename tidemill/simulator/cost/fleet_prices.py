"""Prices that depend on the fleet: of its instance type and of its kind of queue."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tidemill.simulator.cost.options import FIFO_REQUESTS
from tidemill.simulator.cost.prices import FACTUALMINDS, PRICES, Price

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.spec import Fleet

LISTS: Final = "price lists of several public projects, 2024 to 2026"

LARGE: Final[Mapping[str, tuple[float, str]]] = {
    "c5": (0.085, LISTS),
    "c6g": (0.068, LISTS),
    "c6i": (0.085, LISTS),
    "c7a": (0.1026, LISTS),
    "c7g": (0.0725, LISTS),
    "m5": (0.096, LISTS),
    "m6g": (0.077, LISTS),
    "m6i": (0.096, LISTS),
    "m7g": (0.0816, FACTUALMINDS),
    "m7i": (0.1008, LISTS),
    "r5": (0.126, LISTS),
    "r6g": (0.1008, LISTS),
    "r6i": (0.126, LISTS),
    "t3": (0.0832, LISTS),
    "t3a": (0.0752, LISTS),
    "t4g": (0.0672, "a price list, June 2026"),
}
"""Dollars an hour of a family's size `large` in us-east-1 with Linux, and where they were read."""

SHARES: Final = {"nano": 1 / 16, "micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0}
"""Price of a size as a share of that of `large`; xlarge costs twice as much, nxlarge 2 n times."""


def hourly_price(instance_type: str) -> Price | None:
    """Return the price of an hour of a type; None if it is not known.

    Each size costs twice as much as the next smaller one: t4g.large 0.0672, t4g.small 0.0168.
    """
    family, _, size = instance_type.partition(".")
    match = re.fullmatch(r"(\d*)xlarge", size)
    share = 2.0 * int(match[1] or 1) if match else SHARES.get(size)
    if family not in LARGE or share is None:
        return None
    large, source = LARGE[family]
    usd = round(large * share, 5)
    return Price(f"{instance_type}, On-Demand", "hour", usd, source=source)


def prices_of(fleet: Fleet) -> Mapping[str, Price]:
    """Return all prices, with those of the fleet's preferred instance type and of its queue.

    An instance whose price is not known costs as much as a t4g.small.
    """
    types = fleet.instance_types
    price = hourly_price(types[0]) if types else None
    return {
        **PRICES,
        "instances": price or PRICES["instances"],
        "requests": FIFO_REQUESTS if fleet.queue.fifo else PRICES["requests"],
    }
