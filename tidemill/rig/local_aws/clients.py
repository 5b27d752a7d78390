"""Clients of the local AWS (with localstack-client), and the settings for other clients."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import localstack_client.session
from botocore.exceptions import BotoCoreError, ClientError

from tidemill.ledger.aws import dead_letter_url
from tidemill.rig.door.credentials import RIG, Session
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_sqs import SQSClient

    from tidemill.rig.door.credentials import Keys

REGION = "us-east-1"


class LocalClients:
    """Clients for one endpoint, independent of the user's own AWS settings."""

    def __init__(self, endpoint: str, session: Session | None = None) -> None:
        """Create clients of the local AWS at this URL.

        Args:
            endpoint: the URL.
            session: the session of its door; an endpoint without a door accepts any.
        """
        self.endpoint = endpoint
        self.session = session or Session.fresh()
        keys = self.session.keys(RIG)
        with _without_user_settings():
            local = localstack_client.session.Session(
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                region_name=REGION,
                localstack_host=endpoint.removeprefix("http://"),
            )
            self.cloudformation: CloudFormationClient = local.client("cloudformation")
            self.cloudwatch: CloudWatchClient = local.client("cloudwatch")
            self.sqs: SQSClient = local.client("sqs")

    def settings(self, caller: str) -> dict[str, str]:
        """Return the environment with which any client of this caller uses this local AWS."""
        return client_settings(self.endpoint, self.session.keys(caller))

    def dead_letter_url(self, queue_url: str) -> str | None:
        """Return the URL of this queue's dead-letter queue, None if it has none."""
        return dead_letter_url(self.sqs, queue_url)


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without AWS settings, the user's AWS files and proxies.

    With any of them, a client might send its requests to the real AWS.
    """
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return kept | {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@contextmanager
def aws_errors_translated(log: Path | str) -> Iterator[None]:
    """Raise a RigError with the log's name for each error of an AWS client inside the block."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise RigError(f"a call to the local AWS failed: {error}: see {log}") from error


@contextmanager
def _without_user_settings() -> Iterator[None]:
    """Hide the user's AWS settings inside the block; clients read them when they are created."""
    before = dict(os.environ)
    _set_environment(without_aws(before))
    try:
        yield
    finally:
        _set_environment(before)


def _set_environment(environment: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def client_settings(endpoint: str, keys: Keys) -> dict[str, str]:
    """Return the environment with which any AWS client uses the local AWS at this URL."""
    return {
        **keys.environment(),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
    }
