"""AWS through boto3, or an emulator at an endpoint; each error becomes one line."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from botocore.parsers import ResponseParserError

from shared.region import chosen_region
from tidemill.aws_errors import DENIED, error_code, error_message, why_no_call_succeeds
from tidemill.verify.ports import RefusedError, VerifyError

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

CLIENTS = {"servicequotas": "service-quotas"}
"""The name of a service's client where IAM's name for the service is another one."""

CONFIG = Config(
    connect_timeout=5,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 6},
)


class AccountAws:
    """One account and region of AWS, or an emulator at an endpoint."""

    def __init__(self, region: str | None, endpoint: str | None) -> None:
        """Use a region, or the one in the settings of the AWS tools.

        Raises:
            VerifyError: there is no region, or the profile cannot be used.
        """
        try:
            self._session = boto3.Session(region_name=region or chosen_region())
        except BotoCoreError as error:
            raise VerifyError(str(error)) from error
        if not self._session.region_name:
            raise VerifyError("no AWS region: set AWS_REGION, or give --region")
        self._given = endpoint
        self._clients: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """Return the region's name."""
        return str(self._session.region_name)

    @property
    def endpoint(self) -> str | None:
        """Return the URL of an emulator, None for AWS."""
        return self._given or os.environ.get("AWS_ENDPOINT_URL") or None

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Return the answer to an action with all its pages.

        Raises:
            RefusedError: the service refuses the action.
            VerifyError: without credentials or an answer, no action can succeed.
        """
        service, _, operation = action.partition(":")
        method = xform_name(operation)
        try:
            client = self._client(CLIENTS.get(service, service))
            if client.can_paginate(method):
                pages = client.get_paginator(method).paginate(**parameters)
                answer: Answer = pages.build_full_result()
            else:
                answer = getattr(client, method)(**parameters)
        except NoRegionError as error:
            raise VerifyError("no AWS region: set AWS_REGION, or give --region") from error
        except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
            raise _translated(action, error) from error
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients share no type
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,  # type: ignore[call-overload]  # any of boto3's services
                endpoint_url=self._given,
                config=CONFIG,
            )
        return self._clients[service]


class AwsClock:
    """AWS's time: wall-clock time, or the faster time of a rig.

    A rig's time equals wall-clock time when its group is created, and runs faster from then on
    (tidemill.rig.clock).
    """

    def __init__(self, speed: float = 1.0, origin: float = 0.0) -> None:
        """Let time run faster by `speed` since `origin`, in epoch seconds."""
        self._speed = speed
        self._origin = origin

    def now(self) -> float:
        """Return the present time in epoch seconds."""
        return self._origin + (time.time() - self._origin) * self._speed

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of AWS's time."""
        time.sleep(seconds / self._speed)


def _translated(action: str, error: Exception) -> VerifyError | RefusedError:
    hopeless = why_no_call_succeeds(error)
    if hopeless is not None:
        return VerifyError(hopeless)
    if not isinstance(error, ClientError):
        return RefusedError(action, "", " ".join(str(error).split()))
    code = error_code(error)
    if code in DENIED:
        return RefusedError(action, code, "access denied: this permission is missing")
    return RefusedError(action, code, f"{code} {error_message(error)}".strip())
