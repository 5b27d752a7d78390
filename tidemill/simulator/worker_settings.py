"""Settings of the workers that a template starts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from consumer import cycle
from consumer import setting_table as table
from tidemill.scaling.template.user_data import NoConsumerError, container_settings
from tidemill.simulator.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.settings import Seconds, Whole


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The settings of a consumer that the simulator imitates; durations are in seconds.

    After each failure a message stays hidden twice as long, from `retry_delay` to
    `retry_delay_max`: with 30 and 100, for 30, 60, 100, 100 s.
    """

    rhythm: cycle.Rhythm = field(default_factory=cycle.Rhythm)
    concurrency: int = table.CONCURRENCY.default
    drain: float = table.DRAIN_SECONDS.default
    retry_delay: float = table.RETRY_DELAY_SECONDS.default
    retry_delay_max: float = table.RETRY_DELAY_MAX_SECONDS.default
    message_logging: str = table.MESSAGE_LOGGING.default


RHYTHM: Final = (
    table.MESSAGES_PER_POLL,
    table.POLL_WAIT_SECONDS,
    table.RECEIVE_WAIT_SECONDS,
    table.CONCURRENCY,
)
"""The settings that decide how fast a worker takes messages."""


def assumed_worker(user_data: str) -> tuple[str, ...]:
    """Return a sentence if a script does not say how its workers take messages, else nothing.

    Their rhythm decides every wait, and the simulator knows no worker but Tidemill's own.

    Raises:
        UserDataError: the settings of the container cannot be read.
    """
    try:
        given = container_settings(user_data)
        what = "the script's container has none of the settings of Tidemill's worker"
    except NoConsumerError:
        given, what = {}, "the script starts no container"
    if any(setting.name in given for setting in RHYTHM):
        return ()
    usual = WorkerSettings().rhythm
    taken, rest = usual.messages_per_poll, usual.poll_wait
    return (f"{what}: assumed are workers that take {taken} messages and then wait {rest:g} s",)


def read_worker_settings(user_data: str) -> WorkerSettings:
    """Return the settings of the container in a launch template's script.

    A setting that is not in the script has the consumer's default. Without a container in the
    script, all settings have their defaults.

    Raises:
        SimulationError: a setting is not a number, such as a value that exists only on an instance.
        UserDataError: the settings of the container cannot be read.
    """
    try:
        given = container_settings(user_data)
    except NoConsumerError:
        given = {}
    return WorkerSettings(
        rhythm=cycle.Rhythm.of_settings(
            messages_per_poll=int(_number(given, table.MESSAGES_PER_POLL)),
            poll_wait=_number(given, table.POLL_WAIT_SECONDS),
            receive_wait=_number(given, table.RECEIVE_WAIT_SECONDS),
        ),
        concurrency=int(_number(given, table.CONCURRENCY)),
        drain=_number(given, table.DRAIN_SECONDS),
        retry_delay=_number(given, table.RETRY_DELAY_SECONDS),
        retry_delay_max=_number(given, table.RETRY_DELAY_MAX_SECONDS),
        message_logging=given.get(table.MESSAGE_LOGGING.name, table.MESSAGE_LOGGING.default),
    )


def _number(given: Mapping[str, str], setting: Whole | Seconds) -> float:
    try:
        return float(given.get(setting.name, setting.default))
    except ValueError:
        value = given[setting.name]
        raise SimulationError(f"user data: {setting.name}={value} is no number") from None
