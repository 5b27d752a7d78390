"""The figures of a demo."""

from __future__ import annotations

import pytest

from tidemill.rig.demo import peak_in_service
from tidemill.scaling.facts import Fact, InstanceChanged, Noted


def changes(*steps: str) -> list[Fact]:
    """Return the facts of instances that changed like this: "a InService", one after another."""
    return [InstanceChanged(0.0, *step.split(" ")) for step in steps]


@pytest.mark.parametrize(
    ("facts", "peak"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([Noted(0.0, "x"), *changes("a Pending", "b Pending")], 0, id="pending"),
        pytest.param(changes("a InService", "a InService", "b InService"), 2, id="together"),
        pytest.param(
            changes("a InService", "a Terminating:Wait", "b InService"), 1, id="one-after-the-other"
        ),
        pytest.param(
            changes("a InService", "b InService", "a Terminated", "c InService"), 2, id="replaced"
        ),
    ],
)
def test_the_peak_is_of_instances_in_service_at_the_same_time(facts: list[Fact], peak: int) -> None:
    """Pending and terminating instances do not count."""
    assert peak_in_service(facts) == peak
