"""Settings of the consumer, as an instance of the stack gives them to its container."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from support.fakes.instance import (
    INSTANCE_ID,
    PLACE,
    REPOSITORY,
    consumer_environment,
    live,
    user_data,
)

from consumer import settings
from consumer.setting_table import SETTINGS

if TYPE_CHECKING:
    from pathlib import Path

LEFT_OUT: Final = {
    *("QUEUE_NAME", "LOG_STREAM", "LOG_LEVEL", "METRICS_NAMESPACE"),
    *("IDEMPOTENCY_KEY", "LOG_BUFFER_MIB", "START_SECONDS"),
}
"""Settings whose defaults are right on an instance."""


@pytest.mark.impure
def test_the_templates_parameters_become_the_consumers_settings(tmp_path: Path) -> None:
    """Each parameter becomes a setting, and the consumer accepts all of them."""
    script = user_data(
        ImageTag="3f9c2ab",
        Handler="mine.handlers:charge",
        MessageSeconds="300",
        PollWaitSeconds="0",
        MessagesPerPoll="25",
        Workers="2",
        Concurrency="4",
        Envelope="sns",
        IdempotencyTable="true",
        HoldSeconds="300",
        QueueKind="fifo",
        MessageLogging="worker",
    )
    life = live(tmp_path, script)
    given = consumer_environment(life)
    assert given == {
        "AWS_REGION": PLACE.region,
        "AWS_DEFAULT_REGION": PLACE.region,
        "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "6",
        "AWS_METADATA_SERVICE_TIMEOUT": "5",
        "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-work.fifo",
        "DEAD_LETTER_QUEUE_URL": (
            "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-dead-letters.fifo"
        ),
        "INSTANCE_ID": INSTANCE_ID,
        "LOG_GROUP": "/tidemill/shop/workers",
        "HANDLER": "mine.handlers:charge",
        "ENVELOPE": "sns",
        "WORKERS": "2",
        "CONCURRENCY": "4",
        "MESSAGES_PER_POLL": "25",
        "POLL_WAIT_SECONDS": "0",
        "RECEIVE_WAIT_SECONDS": "20",
        "IDEMPOTENCY_TABLE": "shop-processed-messages",
        "MESSAGE_LOGGING": "worker",
        "MESSAGE_SECONDS": "300",
        "VISIBILITY_TIMEOUT_SECONDS": "660",
        "DRAIN_SECONDS": "345",
        "RETRY_DELAY_SECONDS": "30",
        "RETRY_DELAY_MAX_SECONDS": "300",
        "IDEMPOTENCY_SECONDS": "86400",
    }
    assert life.of("docker", "run")[0][-1] == f"{REPOSITORY}:3f9c2ab"
    assert settings.read(given, "host").handler == "mine.handlers:charge"


@pytest.mark.impure
def test_no_setting_of_the_consumer_is_forgotten(tmp_path: Path) -> None:
    """Settings that are not given have a default that is right on an instance."""
    known = {setting.name for setting in SETTINGS}
    given = consumer_environment(live(tmp_path)).keys()
    assert known - given == LEFT_OUT
    own = {name for name in given - known if not name.startswith("AWS_METADATA_SERVICE_")}
    assert own == {"AWS_DEFAULT_REGION", "AWS_REGION"}
