"""Tests of DynamoDB as the table of claims, against MiniStack and against no endpoint."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from consumer.idempotency.dynamodb import DynamoDbTable, connect
from consumer.idempotency.ports import Claim, TableRefusedError, TableUnavailableError, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure  # every test builds AWS clients

NOW = 1_790_000_000.0


@pytest.fixture
def client(ministack: Ministack) -> Iterator[Any]:
    """Provide a client of a DynamoDB with an empty table called `claims`."""
    with ministack.client("dynamodb") as dynamodb:
        dynamodb.create_table(
            TableName="claims",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield dynamodb
        dynamodb.delete_table(TableName="claims")


@pytest.fixture
def table(client: Any) -> DynamoDbTable:  # noqa: ANN401 - boto3's client, made by name
    """Provide the empty table."""
    return DynamoDbTable(client, "claims")


def claim(key: str = "orders#1", owner: str = "one", seconds: float = 120) -> Claim:
    """Build a claim for some seconds from now on."""
    return Claim(key, owner, NOW + seconds)


def test_a_key_is_claimed_once(table: DynamoDbTable) -> None:
    """Whoever comes later learns for how long."""
    assert table.claim([claim()], NOW) == [None]
    assert table.claim([claim(owner="two")], NOW) == [Taken(done=False, until=NOW + 120)]


def test_a_claim_whose_answer_was_lost_is_still_its_owners(table: DynamoDbTable) -> None:
    """The client repeats the request, and finds its own item."""
    assert table.claim([claim()], NOW) == [None]
    assert table.claim([claim()], NOW) == [None]


def test_one_of_many_gets_a_key_that_all_want_at_the_same_time(client: Any) -> None:  # noqa: ANN401 - boto3's client, made by name
    """Ten consumers, each with ten claims for the same five keys."""
    tables = [DynamoDbTable(client, "claims") for _ in range(10)]
    won: list[str] = []

    def compete(number: int) -> None:
        claims = [claim(f"key-{index % 5}", f"{number}/{index}") for index in range(10)]
        answers = tables[number].claim(claims, NOW)
        won.extend(one.key for one, answer in zip(claims, answers, strict=True) if answer is None)

    threads = [threading.Thread(target=compete, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [f"key-{index}" for index in range(5)]


def test_a_claim_that_ended_is_free(table: DynamoDbTable) -> None:
    """DynamoDB deletes expired items days later, so they are no reason to wait."""
    table.claim([claim()], NOW)
    assert table.claim([claim(owner="two", seconds=300)], NOW + 120.5) == [None]


def test_a_renewed_claim_ends_later(table: DynamoDbTable) -> None:
    """As long as nobody else has got it in the meantime."""
    table.claim([claim()], NOW)
    assert table.renew(claim(seconds=240))
    assert table.claim([claim(owner="two")], NOW + 200) == [Taken(done=False, until=NOW + 240)]
    assert not table.renew(claim(owner="two"))


def test_a_released_key_is_free_at_once(table: DynamoDbTable) -> None:
    """Only its owner can release it."""
    table.claim([claim()], NOW)
    table.release(claim(owner="two"))
    assert table.claim([claim(owner="two")], NOW) == [Taken(done=False, until=NOW + 120)]
    table.release(claim())
    assert table.claim([claim(owner="two")], NOW) == [None]


def test_what_is_done_stays_done(table: DynamoDbTable) -> None:
    """Until its time is over: neither a release nor a renewal changes it."""
    table.claim([claim(f"key-{number}") for number in range(10)], NOW)
    done = [claim(f"key-{number}", seconds=3600) for number in range(10)]
    table.complete(done)
    table.release(claim("key-3"))
    assert not table.renew(claim("key-3"))
    assert table.claim([claim("key-3", "two")], NOW + 3599) == [Taken(done=True, until=NOW + 3600)]
    assert table.claim([claim("key-3", "two", 3700)], NOW + 3601) == [None]


def test_an_item_has_the_time_to_live_that_the_stack_s_table_names(
    table: DynamoDbTable,
    client: Any,  # noqa: ANN401 - boto3's client, made by name
) -> None:
    """In whole seconds, never before the claim's end."""
    table.claim([claim(seconds=0.5)], NOW)
    item = client.get_item(TableName="claims", Key={"id": {"S": "orders#1"}})["Item"]
    assert item["expires_at"] == {"N": "1790000001"}


def test_a_table_that_does_not_exist_is_refused(
    ministack: Ministack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, before a message is received."""
    for name, value in ministack.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TableRefusedError, match="cannot use table absent: ResourceNotFound"):
        connect("absent")


def test_an_endpoint_that_does_not_answer_is_unavailable(
    ministack: Ministack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For every claim, without an exception for all of them."""
    for name, value in ministack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(TableUnavailableError, match="no answer from the endpoint"):
        connect("claims")
