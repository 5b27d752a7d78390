"""Faults of calls at a door, over a real MiniStack: who is concerned, how, and for how long."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from support.builders.sessions import SESSION

from tidemill.rig.chaos.disturbance import CallFaults
from tidemill.rig.chaos.door_faults import DoorFaults
from tidemill.rig.door.calls import Call, CutError, Reply, Request
from tidemill.rig.door.credentials import RIG, USER
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.ministack import LocalAws, local_aws
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "us-east-1"
ONE, TWO = "i-1", "i-2"
LONG = {"for_seconds": 3600.0}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Run MiniStack behind its door."""
    with local_aws(tmp_path_factory.mktemp("door"), 0, REGION, SESSION) as aws:
        yield aws


def client(aws: LocalAws, caller: str, service: str = "sqs") -> Any:  # noqa: ANN401 - boto3's
    """Return a client of a caller that tries each call once."""
    keys = SESSION.keys(caller)
    return boto3.client(  # type: ignore[call-overload]  # its stubs list services
        service,
        endpoint_url=aws.url,
        region_name=REGION,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE),
    )


def outcome(aws: LocalAws, caller: str, service: str = "sqs") -> str:
    """Return what a caller gets of a call: its error's code or name, or nothing."""
    made = client(aws, caller, service)
    try:
        made.list_queues() if service == "sqs" else made.describe_log_groups()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except BotoCoreError as error:
        return type(error).__name__
    finally:
        made.close()
    return ""


def disturb(aws: LocalAws, fault: Fault, speed: float = 1.0) -> None:
    """Let a fault happen."""
    DoorFaults(aws.url, SESSION.keys(RIG), {}).disturb(fault, speed)


def while_disturbed(
    aws: LocalAws, fault: Fault, *asked: tuple[str, str], speed: float
) -> list[str]:
    """Let a fault happen and return the outcomes of calls; again, if they outlast it."""
    deadline = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        disturb(aws, fault, speed)
        got = [outcome(aws, caller, service) for caller, service in asked]
        if time.monotonic() - began < fault.parameters["for_seconds"] / speed:
            return got
        assert time.monotonic() < deadline


def await_calm(aws: LocalAws, *callers: str) -> None:
    """Wait until the calls of these callers are undisturbed."""
    deadline = time.monotonic() + PATIENCE
    while any(outcome(aws, caller, service) for caller in callers for service in ("sqs", "logs")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_credentials_expire_for_one_caller_and_for_a_time(aws: LocalAws) -> None:
    """At speed 100, 200 seconds of AWS's time are two of the clock's."""
    fault = Fault("credentials-expired", "i-expired", parameters={"for_seconds": 200.0})
    asked = [("i-expired", "sqs"), ("i-expired", "logs"), (TWO, "sqs")]
    got = while_disturbed(aws, fault, *asked, speed=100)
    assert got == ["ExpiredToken", "ExpiredToken", ""]
    await_calm(aws, "i-expired")


def test_a_fault_of_all_callers_spares_the_rig_and_the_user(aws: LocalAws) -> None:
    """Otherwise a fault could not be looked at."""
    fault = Fault("logs-down", parameters={"for_seconds": 200.0})
    asked = [(ONE, "logs"), ("producer", "logs"), (RIG, "logs"), (USER, "logs"), (ONE, "sqs")]
    got = while_disturbed(aws, fault, *asked, speed=100)
    assert got == ["ServiceUnavailableException"] * 2 + [""] * 3
    await_calm(aws, ONE)


def test_a_forgetful_sqs_has_the_message_whose_answer_is_lost(aws: LocalAws) -> None:
    """The sender gets no answer, and the queue has the message."""
    rig = client(aws, RIG)
    url = rig.create_queue(QueueName="forgetful")["QueueUrl"]
    disturb(aws, Fault("sqs-forgetful", "i-forgotten", parameters={"share": 1.0, **LONG}))
    sender = client(aws, "i-forgotten")
    with pytest.raises(BotoCoreError):
        sender.send_message(QueueUrl=url, MessageBody="one")
    (message,) = rig.receive_message(QueueUrl=url)["Messages"]
    assert message["Body"] == "one"
    sender.close()
    rig.close()


def test_a_cut_network_holds_calls_and_then_drops_them(aws: LocalAws) -> None:
    """A caller waits until the network is back, and its call has done nothing."""
    rig = client(aws, RIG)
    url = rig.create_queue(QueueName="cut")["QueueUrl"]
    sender = client(aws, "i-cut")
    began = time.monotonic()
    disturb(aws, Fault("network-cut", "i-cut", parameters={"for_seconds": 4.0}))
    with pytest.raises(BotoCoreError):
        sender.send_message(QueueUrl=url, MessageBody="one")
    assert time.monotonic() - began >= 4
    assert "Messages" not in rig.receive_message(QueueUrl=url)
    sender.send_message(QueueUrl=url, MessageBody="two")
    sender.close()
    rig.close()


def test_a_slow_sqs_answers_late_and_has_acted_at_once(aws: LocalAws) -> None:
    """The rig finds the message before its sender has an answer: so it took two seconds."""
    rig = client(aws, RIG)
    url = rig.create_queue(QueueName="slow")["QueueUrl"]
    disturb(aws, Fault("sqs-slow", "i-slow", parameters={"late_seconds": 1.0, **LONG}))
    sender = client(aws, "i-slow")
    began = time.monotonic()
    sender.send_message(QueueUrl=url, MessageBody="one")
    assert time.monotonic() - began >= 1
    assert rig.receive_message(QueueUrl=url)["Messages"]
    sender.close()
    rig.close()


def test_a_call_that_began_before_the_network_was_cut_loses_its_answer() -> None:
    """A long poll is such a call: SQS has acted, and the message that it found stays hidden."""
    faults = CallFaults()
    cut = Fault("network-cut", ONE)

    async def forward() -> Reply:
        faults.add(cut, speed=1)
        return Reply(200)

    def call(caller: str) -> Call:
        return Call(caller, "sqs", "ReceiveMessage", Request("POST", "/", ()))

    with pytest.raises(CutError):
        asyncio.run(faults(call(ONE), forward))
    assert asyncio.run(CallFaults()(call(ONE), passing)).status == 200
    assert asyncio.run(faults(call(TWO), passing)).status == 200


async def passing() -> Reply:
    """Answer a call."""
    return Reply(200)


def test_what_is_no_fault_of_calls_is_refused(aws: LocalAws) -> None:
    """The door's answer says why."""
    with pytest.raises(RigError, match="the fault kill does not happen to calls"):
        disturb(aws, Fault("kill"))
    with pytest.raises(RigError, match="this rig cannot imitate the fault controller-killed"):
        DoorFaults(aws.url, SESSION.keys(RIG), {}).break_off(Fault("controller-killed"))


def test_only_the_rig_and_the_user_may_disturb(aws: LocalAws) -> None:
    """An instance has no say in it."""
    with pytest.raises(RigError, match="the door of the local AWS refuses the fault"):
        DoorFaults(aws.url, SESSION.keys(ONE), {}).disturb(Fault("sqs-slow"), 1)


def test_an_emulator_that_does_not_run_is_named() -> None:
    """The error is one line."""
    with pytest.raises(RigError, match="the door of the local AWS does not answer: "):
        DoorFaults("http://127.0.0.1:9", SESSION.keys(RIG), {}).disturb(Fault("sqs-slow"), 1)


def test_an_emulator_that_restarts_keeps_messages_and_receipts(aws: LocalAws) -> None:
    """A message that was received before can be deleted after it, and a visible one received."""
    rig = client(aws, RIG)
    url = rig.create_queue(QueueName="kept", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    rig.send_message(QueueUrl=url, MessageBody="in flight")
    (received,) = rig.receive_message(QueueUrl=url)["Messages"]
    rig.send_message(QueueUrl=url, MessageBody="visible")
    aws.restart()
    rig.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counts = rig.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    assert [counts[name] for name in names] == ["1", "0"]
    (left,) = rig.receive_message(QueueUrl=url)["Messages"]
    assert left["Body"] == "visible"
    rig.close()
