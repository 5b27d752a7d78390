"""Consumers' lines about messages: from a folder of a rig, or from a log group of CloudWatch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from tidemill.aws_errors import error_code, error_message, why_no_call_succeeds
from tidemill.dead_letters.errors import DeadLetterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BEFORE: Final = 60
"""Seconds before the first letter was sent from which lines are read: clocks may differ."""

MOST_IDS: Final = 8
"""Ids in a filter pattern, which may have 1,024 characters (API, FilterLogEvents)."""


class LogLines(Protocol):
    """Where the consumers' lines are."""

    def read(self, since: float, ids: Sequence[str]) -> Iterator[bytes]:
        """Yield lines since this epoch second that may be about messages with these ids.

        Raises:
            DeadLetterError: they cannot be read.
        """
        ...


class FolderLines:
    """The files *.jsonl of a folder, as a rig writes them."""

    def __init__(self, folder: Path) -> None:
        """Read this folder."""
        self._folder = folder

    def read(self, since: float, ids: Sequence[str]) -> Iterator[bytes]:  # noqa: ARG002 - files are read whole
        """Yield all lines."""
        if not self._folder.is_dir():
            raise DeadLetterError(f"--logs: there is no folder {self._folder}")
        for path in sorted(self._folder.glob("*.jsonl")):
            try:
                with path.open("rb") as lines:
                    yield from lines
            except OSError as error:
                raise DeadLetterError(f"--logs: cannot read {path}: {error.strerror}") from error


class GroupLines:
    """A log group of CloudWatch Logs."""

    def __init__(self, client: Any, group: str) -> None:  # noqa: ANN401 - boto3's client of Logs
        """Read this group with this client."""
        self._client = client
        self._group = group

    def read(self, since: float, ids: Sequence[str]) -> Iterator[bytes]:
        """Yield the lines of attempts that did not succeed, of few messages all of them."""
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group,
            startTime=max(0, int((since - BEFORE) * 1000)),
            filterPattern=pattern(ids),
        )
        try:
            for page in pages:
                for event in page.get("events", []):
                    yield event["message"].encode()
        except (BotoCoreError, ClientError) as error:
            raise DeadLetterError(f"log group {self._group}: {_why(error)}") from error


def pattern(ids: Sequence[str]) -> str:
    """Return the filter pattern for messages with these ids ("Filter pattern syntax")."""
    if len(ids) <= MOST_IDS:
        either = " || ".join(f'$.message_id = "{name}"' for name in ids)
        return f'{{ $.event = "message" && ({either}) }}'
    return '{ $.event = "message" && $.outcome != "processed" && $.outcome != "duplicate" }'


def _why(error: Exception) -> str:
    if hopeless := why_no_call_succeeds(error):
        return hopeless
    if isinstance(error, ClientError):
        return f"{error_code(error)} {error_message(error)}".strip()
    return " ".join(str(error).split())
