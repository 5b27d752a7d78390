"""Draws of AWS's times for one run, from random numbers of their own for each time."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tidemill.scaling.times.distributions import Constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.times.catalogue import Times
    from tidemill.scaling.times.distributions import Distribution

    Draw = Callable[[], float]
    """Returns the seconds of the next draw."""


class TimeDraws:
    """Draws of every time that differs from one occasion to the next.

    Each time has its own random numbers: if one of them is changed, all others are drawn as before.

    Attributes:
        billed_at_least: the shortest time that is billed for an instance.
    """

    def __init__(self, times: Times, seed: int) -> None:
        """Begin with the random numbers of this seed."""
        draws = {name: _draw(time.distribution, seed, name) for name, time in times.named()}
        self.reaction = draws["reaction"]
        self.notice = draws["notice"]
        self.startup_watch = draws["startup_watch"]
        self.request = draws["request"]
        self.flush = draws["flush"]
        self.terminate = draws["terminate"]
        self.spot_warning = draws["spot_warning"]
        self.billed_at_least = times.billed_at_least.mean
        self._launch_request = draws["launch_request"]
        self._pending = draws["pending"]
        self._os_boot = draws["os_boot"]
        self._installs = draws["installs"]
        self._image_pull = draws["image_pull"]
        self._consumer_start = draws["consumer_start"]
        self._restart = draws["restart"]

    def until_running(self) -> float:
        """Return the seconds from an order to launch until the instance runs."""
        return self.reaction() + self._launch_request() + self._pending()

    def until_work(self) -> tuple[float, float]:
        """Return a first boot's seconds, from running to the container and to its first receive."""
        created = self._os_boot() + self._installs() + self._image_pull()
        return created, created + self._consumer_start()

    def until_work_again(self) -> tuple[float, float]:
        """Return the same two times for a stopped instance of a warm pool."""
        restart, start = self._restart(), self._consumer_start()
        return max(restart - start, 0.0), restart


def _draw(distribution: Distribution, seed: int, name: str) -> Draw:
    """Return the draws of a time; those of a constant one need no random number."""
    at = distribution.at
    if isinstance(distribution, Constant):
        seconds = distribution.seconds
        return lambda: seconds
    share = Random(f"{seed}-{name}").random  # noqa: S311 - chance, not secrets
    return lambda: at(share())
