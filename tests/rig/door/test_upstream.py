"""The door in front of an emulator in another process, as in Compose."""

from __future__ import annotations

import urllib.error
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from support.builders.sessions import GUARD, KEYS
from support.emulators.doors import standing
from support.emulators.ministack import free_port

from tidemill.rig.door.app import Door
from tidemill.rig.door.requests import DIRECT, signed
from tidemill.rig.door.upstream import upstream

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack


def test_calls_pass_in_both_directions(ministack: Ministack) -> None:
    """The emulator sees the host that the client called, so queue URLs lead through the door."""
    with standing(Door(GUARD, upstream(ministack.endpoint))) as url:
        for service in ("sqs", "s3"):
            client: Any = boto3.client(
                service,
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id=KEYS.access_key,
                aws_secret_access_key=KEYS.secret_key,
            )
            if service == "sqs":
                queue = client.create_queue(QueueName="behind")["QueueUrl"]
                client.send_message(QueueUrl=queue, MessageBody="é")
                (message,) = client.receive_message(QueueUrl=queue)["Messages"]
                assert message["Body"] == "é"
            else:
                client.create_bucket(Bucket="behind")
                client.put_object(Bucket="behind", Key="a b/ü", Body=b"x" * 50_000)
                assert len(client.get_object(Bucket="behind", Key="a b/ü")["Body"].read()) == 50_000
            client.close()


def test_an_emulator_that_is_gone_is_an_answer_that_clients_try_again() -> None:
    """So it is while LocalStack starts."""
    with standing(Door(GUARD, upstream(f"http://127.0.0.1:{free_port()}"))) as url:
        with pytest.raises(urllib.error.HTTPError) as caught:
            DIRECT.open(signed(KEYS, url), timeout=60)
        with caught.value as answer:
            assert answer.code == 503
            assert b"the emulator behind the door does not answer" in answer.read()
