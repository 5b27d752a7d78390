"""The settings of the workers that a template starts."""

from __future__ import annotations

import re

import pytest
from support.builders.fleets import product_fleet

from consumer import cycle
from consumer.leaving.drain import Drain
from consumer.settings import read
from tidemill.scaling.template.user_data import UserDataError
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.worker_settings import (
    WorkerSettings,
    assumed_capacity,
    read_worker_settings,
)


def test_the_product_s_worker_is_read_from_its_user_data() -> None:
    """Every setting of the worker is the template's."""
    fleet = product_fleet(
        PollWaitSeconds="7", MessagesPerPoll="35", Concurrency="4", MessageSeconds="60"
    )
    assert read_worker_settings(fleet.user_data, fleet.instance_types) == WorkerSettings(
        cycle.Rhythm(messages_per_poll=35, poll_wait=7.0, receive_wait=20),
        concurrency=4,
        cpus=2,
        time_limit=60.0,
        drain=90.0,
        retry_delay=30.0,
        retry_delay_max=120.0,
    )


def test_a_script_without_settings_starts_a_worker_with_the_consumers_defaults() -> None:
    """The defaults are those that the consumer reads when only the queue is set."""
    usual = read({"QUEUE_NAME": "work"}, "host")
    assert read_worker_settings("#!/bin/bash\necho hello\n") == WorkerSettings(
        usual.rhythm,
        concurrency=usual.concurrency,
        time_limit=usual.message_seconds,
        drain=Drain.of(usual.drain).handlers,
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


@pytest.mark.parametrize(
    ("given", "types", "slots"),
    [
        pytest.param("", ["t4g.small"], 1, id="the default handler"),
        pytest.param("HANDLER=orders:handle", ["c7g.2xlarge"], 8, id="a process for each CPU"),
        pytest.param("HANDLER=orders:handle", [], 1, id="of an unknown type"),
        pytest.param("HANDLER=orders:handle WORKERS=", ["t4g.small"], 2, id="an empty setting"),
        pytest.param("HANDLER=orders:handle WORKERS=3 CONCURRENCY=4", [], 12, id="as it is set"),
        pytest.param("HANDLER=orders:handle WORKERS=0 CONCURRENCY=4", [], 4, id="threads"),
    ],
)
def test_workers_and_concurrency_decide_how_many_are_handled_at_once(
    given: str, types: list[str], slots: int
) -> None:
    """The rule is the consumer's own (consumer.capacity)."""
    options = " ".join(f"--env {one}" for one in given.split())
    assert read_worker_settings(f"docker run {options} image", types).slots == slots


def test_messages_that_take_time_have_a_handler_of_ones_own() -> None:
    """The default handler takes none; how many processes that means is said."""
    worker = read_worker_settings("docker run image", ["c7g.xlarge"])
    assert (worker.slots, worker.handling(2.0).slots) == (1, 4)
    assert list(assumed_capacity(worker, ["c7g.xlarge"], 0.0)) == []
    (said,) = assumed_capacity(worker, ["c7g.xlarge"], 2.0)
    assert "each of the 4 vCPUs of a c7g.xlarge" in said


def test_an_unknown_type_is_named() -> None:
    """One vCPU is assumed for it."""
    worker = read_worker_settings("docker run --env HANDLER=a:b image", ["z9.metal"])
    (said,) = assumed_capacity(worker, ["z9.metal"], 1.0)
    assert said == "the number of vCPUs of a z9.metal is not known: 1 is assumed"


@pytest.mark.parametrize(
    ("rest", "seconds", "rate"),
    [
        pytest.param(60.0, 0.0, 10.0, id="ten a minute"),
        pytest.param(60.0, 6.0, 6.7, id="handling and rest"),
        pytest.param(0.0, 6.0, 20.0, id="without a rest"),
        pytest.param(0.0, 0.0, None, id="without a limit"),
    ],
)
def test_an_instance_handles_so_many_messages_a_minute(
    rest: float, seconds: float, rate: float | None
) -> None:
    """Two slots, ten messages per poll: that is what BacklogPerInstance should follow."""
    worker = WorkerSettings(cycle.Rhythm(10, rest, 20), workers=2, own_handler=True)
    found = worker.messages_a_minute(seconds)
    assert (None if found is None else round(found, 1)) == rate
