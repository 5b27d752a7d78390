"""Tests of the consumer's settings."""

from __future__ import annotations

import pytest

from consumer.cycle import Rhythm
from consumer.settings import Settings, read
from shared.errors import SettingsError

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/work"


def problems(environment: dict[str, str]) -> tuple[str, ...]:
    """Return the problems that reading the environment reports."""
    with pytest.raises(SettingsError) as raised:
        read(environment, "host")
    return raised.value.problems


def test_only_the_queue_has_to_be_given() -> None:
    """With QUEUE_URL alone, all others have their defaults: the exercise's rhythm and so on."""
    assert read({"QUEUE_NAME": "work"}, "host") == Settings(
        queue_url="",
        queue_name="work",
        dead_letter_queue_url="",
        envelope="none",
        rhythm=Rhythm(messages_per_poll=10, poll_wait=60, receive_wait=4),
        start=300,
        workers=None,
        concurrency=1,
        message_seconds=30,
        handler="consumer.handlers:log_only",
        visibility=120,
        retry_delay=30,
        retry_delay_max=900,
        drain=9,
        idempotency_table="",
        idempotency_key="{@message_id}",
        idempotency_seconds=86_400,
        log_group="",
        log_buffer=16 * 1024 * 1024,
        log_stream="host",
        log_level="INFO",
        message_logging="both",
        instance_id="host",
        metrics_namespace="Tidemill",
    )


def test_a_dead_letter_queue_is_given_by_its_url() -> None:
    """A name or an ARN is refused before anything is received."""
    environment = {"QUEUE_NAME": "work", "DEAD_LETTER_QUEUE_URL": "work-dead"}
    [problem] = problems(environment)
    assert problem.startswith("DEAD_LETTER_QUEUE_URL='work-dead' is not a queue URL: give one like")


def test_every_setting_is_read() -> None:
    """Each name of the environment reaches its field."""
    settings = read(
        {
            "QUEUE_URL": URL,
            "QUEUE_NAME": "other",
            "DEAD_LETTER_QUEUE_URL": f"{URL}-dead",
            "ENVELOPE": "auto",
            "POLL_WAIT_SECONDS": "1.5",
            "MESSAGES_PER_POLL": "250",
            "RECEIVE_WAIT_SECONDS": "3",
            "START_SECONDS": "4.5",
            "WORKERS": "0",
            "CONCURRENCY": "4",
            "MESSAGE_SECONDS": "7.5",
            "HANDLER": "fleet.work:do",
            "VISIBILITY_TIMEOUT_SECONDS": "600",
            "RETRY_DELAY_SECONDS": "0.5",
            "RETRY_DELAY_MAX_SECONDS": "15",
            "DRAIN_SECONDS": "12.5",
            "IDEMPOTENCY_TABLE": "claims",
            "IDEMPOTENCY_KEY": "{order.id}",
            "IDEMPOTENCY_SECONDS": "600",
            "LOG_GROUP": "/fleet/workers",
            "LOG_BUFFER_MIB": "64",
            "LOG_STREAM": "stream",
            "LOG_LEVEL": "debug",
            "MESSAGE_LOGGING": "agent",
            "INSTANCE_ID": "i-0123",
            "METRICS_NAMESPACE": "Fleet",
        },
        "host",
    )
    assert settings == Settings(
        queue_url=URL,
        queue_name="other",
        dead_letter_queue_url=f"{URL}-dead",
        envelope="auto",
        rhythm=Rhythm(messages_per_poll=250, poll_wait=1.5, receive_wait=3),
        start=4.5,
        workers=0,
        concurrency=4,
        message_seconds=7.5,
        handler="fleet.work:do",
        visibility=600,
        retry_delay=0.5,
        retry_delay_max=15,
        drain=12.5,
        idempotency_table="claims",
        idempotency_key="{order.id}",
        idempotency_seconds=600,
        log_group="/fleet/workers",
        log_buffer=64 * 1024 * 1024,
        log_stream="stream",
        log_level="DEBUG",
        message_logging="agent",
        instance_id="i-0123",
        metrics_namespace="Fleet",
    )


def test_fractions_of_what_sqs_takes_whole_are_rounded_up() -> None:
    """A rig that runs sixty times faster gives 20 s / 60 and 120 s / 100."""
    settings = read(
        {
            "QUEUE_URL": URL,
            "RECEIVE_WAIT_SECONDS": "0.3333",
            "VISIBILITY_TIMEOUT_SECONDS": "1.2",
            "POLL_WAIT_SECONDS": "0.6",
        },
        "host",
    )
    assert (settings.rhythm.receive_wait, settings.visibility) == (1, 2)
    assert settings.rhythm.poll_wait == 0.6


@pytest.mark.parametrize(
    ("drain", "wait"), [("1", 1), ("9", 4), ("30", 16), ("40", 20), ("3600", 20)]
)
def test_a_receive_waits_no_longer_than_the_time_after_a_signal_allows(
    drain: str, wait: int
) -> None:
    """The receive under way at a signal has to end in time."""
    settings = read({"QUEUE_URL": URL, "DRAIN_SECONDS": drain}, "host")
    assert settings.rhythm.receive_wait == wait


def test_the_log_stream_is_named_after_the_instance() -> None:
    """Without LOG_STREAM each instance has a stream of its own."""
    assert read({"QUEUE_URL": URL, "INSTANCE_ID": "i-0123"}, "host").log_stream == "i-0123"


def test_all_problems_are_reported_at_once() -> None:
    """One start reports everything that has to be corrected."""
    found = problems(
        {
            "POLL_WAIT_SECONDS": "soon",
            "MESSAGES_PER_POLL": "0",
            "RECEIVE_WAIT_SECONDS": "21",
            "CONCURRENCY": "101",
            "WORKERS": "-1",
            "MESSAGE_SECONDS": "0",
            "VISIBILITY_TIMEOUT_SECONDS": "0",
            "RETRY_DELAY_SECONDS": "-1",
            "DRAIN_SECONDS": "nan",
            "IDEMPOTENCY_KEY": "order",
            "LOG_LEVEL": "loud",
        }
    )
    named = {problem.split("=")[0] for problem in found}
    assert named == {
        "POLL_WAIT_SECONDS",
        "MESSAGES_PER_POLL",
        "RECEIVE_WAIT_SECONDS",
        "CONCURRENCY",
        "WORKERS",
        "MESSAGE_SECONDS",
        "VISIBILITY_TIMEOUT_SECONDS",
        "RETRY_DELAY_SECONDS",
        "DRAIN_SECONDS",
        "IDEMPOTENCY_KEY",
        "LOG_LEVEL",
        "set QUEUE_URL or QUEUE_NAME: which queue to work on",
    }


def test_polling_without_any_pause_is_refused() -> None:
    """Short polling in a loop costs a request every few milliseconds."""
    found = problems({"QUEUE_URL": URL, "POLL_WAIT_SECONDS": "0", "RECEIVE_WAIT_SECONDS": "0"})
    assert len(found) == 1
    assert "POLL_WAIT_SECONDS=0 and RECEIVE_WAIT_SECONDS=0" in found[0]
