"""The settings of the workers that a template starts."""

from __future__ import annotations

import re

import pytest
from support.builders.fleets import product_fleet

from consumer import cycle
from consumer.settings import read
from tidemill.scaling.template.user_data import UserDataError
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.worker_settings import WorkerSettings, read_worker_settings


def test_the_product_s_worker_is_read_from_its_user_data() -> None:
    """Every setting of the worker is the template's."""
    fleet = product_fleet(
        PollWaitSeconds="7", MessagesPerPoll="35", Concurrency="4", MessageSeconds="60"
    )
    assert read_worker_settings(fleet.user_data) == WorkerSettings(
        cycle.Rhythm(messages_per_poll=35, poll_wait=7.0, receive_wait=20),
        concurrency=4,
        drain=90.0,
        retry_delay=30.0,
        retry_delay_max=900.0,
    )


def test_a_script_without_settings_starts_a_worker_with_the_consumers_defaults() -> None:
    """The defaults are those that the consumer reads when only the queue is set."""
    usual = read({"QUEUE_NAME": "work"}, "host")
    assert read_worker_settings("#!/bin/bash\necho hello\n") == WorkerSettings(
        usual.rhythm,
        concurrency=usual.concurrency,
        drain=usual.drain,
        retry_delay=usual.retry_delay,
        retry_delay_max=usual.retry_delay_max,
    )


@pytest.mark.parametrize("seconds", ["0", "0.5", "1", "19.01", "20"])
def test_a_part_of_a_second_of_waiting_is_what_the_consumer_makes_of_it(seconds: str) -> None:
    """Both round it up: SQS takes whole seconds only."""
    given = {"QUEUE_NAME": "work", "RECEIVE_WAIT_SECONDS": seconds}
    script = f"docker run --env RECEIVE_WAIT_SECONDS={seconds} image"
    assert read_worker_settings(script).rhythm == read(given, "host").rhythm


@pytest.mark.parametrize("value", ["many", "$CORES", "$(nproc)"])
def test_a_setting_that_is_no_number_is_refused(value: str) -> None:
    """The error has the name and the value, also of a value that only an instance can compute."""
    with pytest.raises(SimulationError, match=re.escape(f"CONCURRENCY={value} is no number")):
        read_worker_settings(f"docker run --env CONCURRENCY='{value}' image")


@pytest.mark.parametrize(
    "options",
    [
        pytest.param("-e CONCURRENCY=4", id="short"),
        pytest.param('--env=CONCURRENCY="4"', id="quoted"),
        pytest.param("\\\n  --env CONCURRENCY=4", id="continued"),
        pytest.param("--env ID=$(imds id) --env CONCURRENCY=4", id="beside-what-nobody-knows"),
    ],
)
def test_a_setting_is_read_however_it_is_written(options: str) -> None:
    """Only the options of `docker run` count, not other text that looks like them."""
    script = f"echo --env CONCURRENCY=9\ndocker run {options} image # not --env CONCURRENCY=8\n"
    assert read_worker_settings(script).concurrency == 4


def test_settings_in_a_file_are_refused() -> None:
    """With an environment file the settings are unknown, and defaults would be wrong."""
    with pytest.raises(UserDataError, match="--env-file"):
        read_worker_settings("docker run --env-file /etc/worker.env image")
