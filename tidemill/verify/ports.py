"""Ports of a verification: AWS as answers to named actions, and AWS's time."""

from __future__ import annotations

from typing import Any, Protocol

Answer = dict[str, Any]
"""An answer in the form of boto3."""


class VerifyError(Exception):
    """The verification cannot go on; the text has the problem and a remedy in one line."""


class RefusedError(Exception):
    """AWS, or an emulator, refuses an action; checks that need it have nothing to compare.

    `code` is the error code of the service, empty if it has none.
    """

    def __init__(self, action: str, code: str, reason: str) -> None:
        """Keep the action, the code, and the reason as one line."""
        super().__init__(f"{action}: {reason}")
        self.action = action
        self.code = code


class Aws(Protocol):
    """The account and region of the stack."""

    @property
    def region(self) -> str:
        """Return the region's name."""
        ...

    @property
    def endpoint(self) -> str | None:
        """Return the URL of an emulator, None for AWS."""
        ...

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Return the answer to an action with all its pages.

        Args:
            action: service and operation, as IAM writes them: autoscaling:DescribePolicies.
            parameters: those of the operation, in the form of boto3.

        Raises:
            RefusedError: the service refuses the action.
            VerifyError: no action can succeed, such as without credentials or without an answer.
        """
        ...


class Clock(Protocol):
    """AWS's time, in epoch seconds."""

    def now(self) -> float:
        """Return the present time."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of AWS's time."""
        ...
