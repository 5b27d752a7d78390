"""The cost of options: what FIFO queues and the table of processed messages add to a month."""

from __future__ import annotations

import pytest

from tidemill.simulator.cost.options import fifo_usd, idempotency_usd
from tidemill.simulator.cost.prices import Month, usage


def test_two_writes_a_message_are_paid_for() -> None:
    """A million messages at 0.625 USD per million writes cost 1.25 USD."""
    assert idempotency_usd(Month(1_000_000)) == pytest.approx(1.25)
    assert idempotency_usd(Month()) == 0


def test_fifo_queues_cost_a_quarter_more_per_request() -> None:
    """The difference is 0.10 USD per million requests."""
    month = Month(10_000_000)
    assert fifo_usd(month) == pytest.approx(usage(month)["requests"] * 0.1 / 1e6)
