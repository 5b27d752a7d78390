"""Costs of the stack's options that are not in the tables of every month: FIFO, idempotency."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from tidemill.simulator.cost.prices import (
    CLOUDBURN,
    PRICES,
    WITH_MESSAGES,
    Price,
    price_table,
    table,
    usage,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.simulator.cost.prices import Month

FIFO_REQUESTS: Final = Price("SQS requests, FIFO", "request", 0.50, 1e6, 1e6, CLOUDBURN)
WRITES: Final = Price("DynamoDB, writes on demand", "write", 0.625, 1e6)
WRITES_A_MESSAGE: Final = 2
"""The claim of a message before it is handled, and the note that it was processed."""


def fifo_usd(month: Month) -> float:
    """Return what FIFO queues cost more than standard ones, as dollars a month."""
    standard = PRICES["requests"]
    return usage(month)["requests"] * (
        FIFO_REQUESTS.usd / FIFO_REQUESTS.per - standard.usd / standard.per
    )


def idempotency_usd(month: Month) -> float:
    """Return what the table of processed messages costs, as dollars a month."""
    return month.messages * WRITES_A_MESSAGE * WRITES.usd / WRITES.per


def option_table(months: Mapping[str, Month]) -> str:
    """Return what each option adds to each month as a table in Markdown."""
    rows = [
        [name, *(f"{added(month):.2f}" for month in months.values())]
        for name, added in (
            ("QueueKind `fifo`", fifo_usd),
            ("IdempotencyTable `true`", idempotency_usd),
        )
    ]
    return table(["more in USD a month", *months], rows)


def report() -> str:
    """Return both tables, as they are in docs/deploy.md."""
    prices = price_table({"fifo": FIFO_REQUESTS, "writes": WRITES}, others=())
    return f"{option_table(WITH_MESSAGES)}\n\n{prices}\n"


if __name__ == "__main__":
    sys.stdout.write(report())
