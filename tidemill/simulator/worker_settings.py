"""Settings of the workers that a template starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer import cycle
from consumer import setting_table as table
from tidemill.scaling.template.user_data import NoConsumerError, container_settings
from tidemill.simulator.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.settings import Seconds, Whole


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The settings of a consumer that the simulator follows; durations are in seconds.

    A failed message stays hidden for `retry_delay`, then twice as long, up to `retry_delay_max`.
    """

    rhythm: cycle.Rhythm = field(default_factory=cycle.Rhythm)
    concurrency: int = table.CONCURRENCY.default
    drain: float = table.DRAIN_SECONDS.default
    retry_delay: float = table.RETRY_DELAY_SECONDS.default
    retry_delay_max: float = table.RETRY_DELAY_MAX_SECONDS.default


def read_worker_settings(user_data: str) -> WorkerSettings:
    """Return the settings that a launch template's script gives its container.

    A setting that the script does not give has the consumer's default. Where the script starts no
    container, all have it.

    Raises:
        SimulationError: a setting is no number, such as one that only an instance knows.
        UserDataError: the settings of the container cannot be read.
    """
    try:
        given = container_settings(user_data)
    except NoConsumerError:
        given = {}
    return WorkerSettings(
        rhythm=cycle.Rhythm(
            messages_per_poll=int(_number(given, table.MESSAGES_PER_POLL)),
            poll_wait=_number(given, table.POLL_WAIT_SECONDS),
            receive_wait=int(_number(given, table.RECEIVE_WAIT_SECONDS)),
        ),
        concurrency=int(_number(given, table.CONCURRENCY)),
        drain=_number(given, table.DRAIN_SECONDS),
        retry_delay=_number(given, table.RETRY_DELAY_SECONDS),
        retry_delay_max=_number(given, table.RETRY_DELAY_MAX_SECONDS),
    )


def _number(given: Mapping[str, str], setting: Whole | Seconds) -> float:
    try:
        return float(given.get(setting.name, setting.default))
    except ValueError:
        value = given[setting.name]
        raise SimulationError(f"user data: {setting.name}={value} is no number") from None
