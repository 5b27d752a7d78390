"""Test of a consumer that goes on by itself after an outage of SQS, as a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.endurance.outage import Disaster, run_outage, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure

GROWTH = 32
"""MiB by which it may grow; it keeps no more messages than it handles."""


def test_a_consumer_goes_on_after_an_outage_without_a_restart_and_loses_nothing(
    ministack: Ministack, tmp_path: Path
) -> None:
    """What was sent during the outage is handled afterwards, by the same process."""
    disaster = Disaster([unavailable], 3, settings={"VISIBILITY_TIMEOUT_SECONDS": "4"})
    recovery = run_outage(ministack, tmp_path / "outage", disaster)
    assert (recovery.starts, recovery.exit_code) == (1, 0)
    assert recovery.waited > 0
    assert recovery.ledger["problems"] == []
    assert recovery.ledger["processed"] == recovery.ledger["sent"]
    assert recovery.ledger["lost"] == recovery.ledger["left_in_queue"] == 0
    assert recovery.most < recovery.before + GROWTH
