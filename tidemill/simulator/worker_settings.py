"""Settings of the workers that a template starts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from consumer import cycle
from consumer import setting_table as table
from consumer.capacity import slots
from consumer.leaving.drain import Drain
from tidemill.scaling.template.user_data import NoConsumerError, container_settings
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.instance_types import vcpus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from shared.settings import Seconds, Whole


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """The settings of a consumer that the simulator imitates; durations are in seconds.

    After each failure a message stays hidden twice as long, from `retry_delay` to
    `retry_delay_max`: with 30 and 100, for 30, 60, 100, 100 s.

    Attributes:
        rhythm: how it polls.
        workers: its processes; None for as many as CPUs, if the handler is the user's own.
        concurrency: messages that each process handles at the same time.
        cpus: vCPUs of its instance.
        own_handler: whether the handler is the user's own.
        time_limit: the longest time of an attempt.
        drain: the time that handlers have to finish after a signal to stop, a part of
            DRAIN_SECONDS.
        retry_delay: the shortest delay after a failure.
        retry_delay_max: the longest delay after a failure.
        message_logging: who sends the messages' content to CloudWatch Logs.
    """

    rhythm: cycle.Rhythm = field(default_factory=cycle.Rhythm)
    workers: int | None = None
    concurrency: int = table.CONCURRENCY.default
    cpus: int = 1
    own_handler: bool = False
    time_limit: float = table.MESSAGE_SECONDS.default
    drain: float = Drain.of(table.DRAIN_SECONDS.default).handlers
    retry_delay: float = table.RETRY_DELAY_SECONDS.default
    retry_delay_max: float = table.RETRY_DELAY_MAX_SECONDS.default
    message_logging: str = table.MESSAGE_LOGGING.default

    @property
    def slots(self) -> int:
        """Return how many messages are handled at the same time."""
        return slots(self.workers, self.concurrency, self.cpus, own_handler=self.own_handler)

    @property
    def longest_expected(self) -> float:
        """Return the expected time of a message before the first one was measured."""
        return self.time_limit if self.own_handler else 0.0

    def messages_a_minute(self, seconds: float) -> float | None:
        """Return how many messages of so many seconds a worker handles in a minute at most.

        None if nothing limits it. A worker of two slots that takes 10 messages of 6 s and then
        rests for 60 s needs 30 + 60 s for them: 6.7 messages a minute.
        """
        taken, rest = self.rhythm.messages_per_poll, self.rhythm.poll_wait
        # a slot handles one message at a time, so an odd message keeps one of them busy alone
        cycle_seconds = rest + math.ceil(taken / self.slots) * seconds
        if not rest:
            return 60 * self.slots / seconds if seconds else None
        return 60 * taken / cycle_seconds

    def handling(self, seconds: float) -> WorkerSettings:
        """Return the settings for messages that take so many seconds.

        The default handler takes no time, so a handler of the user's own is assumed otherwise.
        """
        return replace(self, own_handler=True) if seconds else self


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


def assumed_capacity(
    worker: WorkerSettings, instance_types: Sequence[str], handler_seconds: float
) -> Iterator[str]:
    """Yield what is assumed about how many messages a worker handles at a time.

    Args:
        worker: its settings.
        instance_types: the types of its instance, the preferred one first.
        handler_seconds: the mean time to handle a message.
    """
    busy = worker.handling(handler_seconds)
    if busy.workers is not None or not busy.own_handler:
        return
    name = instance_types[0] if instance_types else "instance"
    if not worker.own_handler:
        yield (
            "messages that take time have a handler of your own, which gets a process for each of "
            f"the {busy.cpus} vCPUs of a {name}"
        )
    if instance_types and vcpus(name) is None:
        yield f"the number of vCPUs of a {name} is not known: 1 is assumed"


def read_worker_settings(user_data: str, instance_types: Sequence[str] = ()) -> WorkerSettings:
    """Return the settings of the container in the script of a launch template.

    A setting that is not in the script, or empty, has the consumer's default. Without a container
    in the script, all settings have their defaults. The instances are of the preferred type.

    Raises:
        SimulationError: a setting is not a number, such as a value that exists only on an instance.
        UserDataError: the settings of the container cannot be read.
    """
    try:
        found = container_settings(user_data)
    except NoConsumerError:
        found = {}
    given = {name: value for name, value in found.items() if value}
    workers, drain = int(_number(given, table.WORKERS)), _number(given, table.DRAIN_SECONDS)
    return WorkerSettings(
        rhythm=cycle.Rhythm.of_settings(
            messages_per_poll=int(_number(given, table.MESSAGES_PER_POLL)),
            poll_wait=_number(given, table.POLL_WAIT_SECONDS),
            receive_wait=_number(given, table.RECEIVE_WAIT_SECONDS),
            drain=drain,
        ),
        workers=None if workers == table.AUTOMATIC else workers,
        concurrency=int(_number(given, table.CONCURRENCY)),
        cpus=next((vcpus(name) or 1 for name in instance_types), 1),
        own_handler=given.get(table.HANDLER.name, table.HANDLER.default) != table.HANDLER.default,
        time_limit=_number(given, table.MESSAGE_SECONDS),
        drain=Drain.of(drain).handlers,
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
