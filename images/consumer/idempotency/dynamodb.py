"""DynamoDB as the table of claims: an item per key, conditional writes, a time to live.

DynamoDB has no conditional writes in batches but for transactions, in which one key that is taken
would refuse all others. So claims are single requests, ten at a time, and only what needs no
condition, noting what is done, is one request for many.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from consumer.idempotency.ports import (
    Claim,
    TableRefusedError,
    TableUnavailableError,
    Taken,
)
from shared.quotas import MAX_BATCH
from shared.region import chosen_region
from shared.sqs.wrong_answers import THROTTLING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

IN_PROGRESS: Final = "in_progress"
DONE: Final = "done"

CONNECT_SECONDS: Final = 1
READ_SECONDS: Final = 2
ATTEMPTS: Final = 2
"""So a call takes six seconds at the longest: threads that must not stand still make it."""

THROTTLED: Final = THROTTLING | {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
}
TAKEN: Final = "ConditionalCheckFailedException"
NAMES: Final = {"#progress": "progress", "#owner": "claimed_by", "#until": "valid_until"}
MINE: Final = "#owner = :owner AND #progress = :in_progress"


class Client(Protocol):
    """The calls of boto3's client for DynamoDB that are made here."""

    def put_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's parameters
        """Write an item."""
        ...

    def get_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's parameters
        """Read an item."""
        ...

    def update_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's parameters
        """Change an item."""
        ...

    def delete_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's parameters
        """Delete an item."""
        ...

    def batch_write_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - boto3's parameters
        """Write several items without conditions."""
        ...


class DynamoDbTable:
    """A table whose partition key is `id`, a text, and whose time to live is `expires_at`.

    An item has besides: `progress`, `claimed_by`, and `valid_until`, which is `expires_at` with its
    fraction. What is older than that counts as absent, since DynamoDB deletes it days later.
    """

    def __init__(self, client: Client, table: str) -> None:
        """Use this client (thread-safe)."""
        self._client = client
        self._table = table
        self._threads = ThreadPoolExecutor(MAX_BATCH, thread_name_prefix="claims")

    def claim(
        self, claims: Sequence[Claim], now: float
    ) -> list[Taken | TableUnavailableError | None]:
        """Claim each key if nobody has it, or not any more; None is a key that is claimed now."""

        def result(claim: Claim) -> Taken | TableUnavailableError | None:
            try:
                return self._claim(claim, now)
            except TableUnavailableError as error:
                return error

        return list(self._threads.map(result, claims))

    def renew(self, claim: Claim) -> bool:
        """Extend a claim in progress; return False if it is not its owner's any more."""
        return self._if_mine(
            self._client.update_item,
            claim,
            UpdateExpression="SET #until = :until, expires_at = :expires_at",
            values={":until": _number(claim.until), ":expires_at": _expiry(claim)},
        )

    def release(self, claim: Claim) -> None:
        """Remove a claim in progress, if it is still its owner's."""
        self._if_mine(self._client.delete_item, claim, values={})

    def complete(self, claims: Sequence[Claim]) -> None:
        """Note, for each key, that it is done until the claim's time, whoever has it."""
        left: dict[str, Any] = {
            self._table: [{"PutRequest": {"Item": _item(claim, DONE)}} for claim in claims]
        }
        for _ in range(ATTEMPTS):
            with self._translated():
                answer = self._client.batch_write_item(RequestItems=left)
            left = answer.get("UnprocessedItems") or {}
            if not left:
                return
        raise TableUnavailableError("DynamoDB asks to try later: items were not processed")

    def probe(self) -> None:
        """Read an item that need not be there."""
        with self._translated():
            self._client.get_item(TableName=self._table, Key={"id": {"S": "probe"}})

    def _claim(self, claim: Claim, now: float) -> Taken | None:
        with self._translated():
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(claim, IN_PROGRESS),
                    # The owner's own item is that of a request whose answer was lost.
                    ConditionExpression=f"attribute_not_exists(id) OR #until < :now OR ({MINE})",
                    ExpressionAttributeNames=NAMES,
                    ExpressionAttributeValues={
                        ":now": _number(now),
                        ":owner": {"S": claim.owner},
                        ":in_progress": {"S": IN_PROGRESS},
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != TAKEN:
                    raise
                return self._taken(claim, error.response.get("Item"), now)
        return None

    def _taken(self, claim: Claim, item: Any, now: float) -> Taken:  # noqa: ANN401 - from boto3
        """Return who has the key, by the item that refused the claim."""
        if not item:  # an endpoint that does not return it
            answer = self._client.get_item(
                TableName=self._table, Key={"id": {"S": claim.key}}, ConsistentRead=True
            )
            item = answer.get("Item")
        if not item:
            return Taken(done=False, until=now)  # released in the meantime
        return Taken(item["progress"]["S"] == DONE, float(item["valid_until"]["N"]))

    def _if_mine(
        self,
        call: Callable[..., object],
        claim: Claim,
        values: dict[str, dict[str, str]],
        **parameters: str,
    ) -> bool:
        """Make a call under the condition that the owner still has the claim; False if not."""
        names = {name: NAMES[name] for name in NAMES if name != "#until" or values}
        with self._translated():
            try:
                call(
                    TableName=self._table,
                    Key={"id": {"S": claim.key}},
                    ConditionExpression=MINE,
                    ExpressionAttributeNames=names,
                    ExpressionAttributeValues={
                        ":owner": {"S": claim.owner},
                        ":in_progress": {"S": IN_PROGRESS},
                        **values,
                    },
                    **parameters,
                )
            except ClientError as error:
                if error.response["Error"].get("Code") != TAKEN:
                    raise
                return False
        return True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate botocore's errors inside the block into ours."""
        try:
            yield
        except ClientError as error:
            raise self._from_answer(error) from error
        except (BotoConnectionError, HTTPClientError) as error:
            raise TableUnavailableError(f"no answer from the endpoint: {error}") from error
        except (BotoCoreError, ValueError) as error:
            raise TableRefusedError(f"cannot use table {self._table}: {error}") from error

    def _from_answer(self, error: ClientError) -> TableRefusedError | TableUnavailableError:
        details = error.response["Error"]
        code, text = details.get("Code", "?"), details.get("Message", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in THROTTLED or status >= 500:  # noqa: PLR2004 - HTTP's server errors
            return TableUnavailableError(f"DynamoDB asks to try later: {code} {text}".rstrip())
        return TableRefusedError(f"cannot use table {self._table}: {code} {text}".rstrip())


def connect(table: str) -> DynamoDbTable:
    """Create the client, and find out whether the table can be used.

    Raises:
        TableRefusedError: no such table, not allowed, no credentials or region.
        TableUnavailableError: the endpoint does not answer.
    """
    try:
        client = boto3.client(
            "dynamodb",
            region_name=chosen_region(),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                max_pool_connections=MAX_BATCH + 2,  # claims, acknowledging, renewals
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise TableRefusedError(f"cannot use table {table}: {error}") from error
    connected = DynamoDbTable(client, table)
    connected.probe()
    return connected


def _item(claim: Claim, progress: str) -> dict[str, dict[str, str]]:
    return {
        "id": {"S": claim.key},
        "progress": {"S": progress},
        "claimed_by": {"S": claim.owner},
        "valid_until": _number(claim.until),
        "expires_at": _expiry(claim),
    }


def _number(seconds: float) -> dict[str, str]:
    return {"N": f"{seconds:.3f}"}


def _expiry(claim: Claim) -> dict[str, str]:
    """Return the time to live, in whole seconds."""
    return {"N": str(math.ceil(claim.until))}
