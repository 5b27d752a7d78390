"""Disturbances at the door: what may happen to a call, before and after the emulator acts."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from support.builders.sessions import GUARD, KEYS, SESSION
from support.emulators.doors import standing

from tidemill.rig.door.app import CONTROL, Door
from tidemill.rig.door.calls import CutError, Reply
from tidemill.rig.door.embedded import embedded
from tidemill.rig.door.requests import DIRECT, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.rig.door.calls import Call, Disturbance, Forward, Request

BODY = b"0123456789" * 10


class Emulator:
    """An emulator that notes whom it has answered."""

    def __init__(self) -> None:
        """Begin without a call."""
        self.acted: list[str] = []

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        """Answer a request."""
        message = await receive()
        self.acted.append(message["body"].decode())
        headers = [(b"x-of", b"emulator"), (b"access-control-allow-origin", b"*")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY[:50], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[50:]})


def asked(disturbance: Disturbance) -> tuple[Emulator, bytes | int | str, float]:
    """Return the emulator, what a client gets of a call, and the seconds that it took."""
    emulator = Emulator()
    with standing(Door(GUARD, embedded(emulator), disturbance)) as url:
        began = time.monotonic()
        got: bytes | int | str
        try:
            with DIRECT.open(signed(KEYS, url, method="POST", body=b"mine"), timeout=60) as answer:
                got = answer.read()
        except urllib.error.HTTPError as error:
            got = error.code
            error.close()
        except (http.client.HTTPException, OSError) as error:
            got = type(error).__name__
        return emulator, got, time.monotonic() - began


def test_an_undisturbed_call_gets_the_emulators_answer() -> None:
    """The disturbance learns who calls what."""
    seen: list[Call] = []

    async def watch(call: Call, forward: Forward) -> Reply:
        seen.append(call)
        return await forward()

    emulator, got, _ = asked(watch)
    assert (emulator.acted, got) == (["mine"], BODY)
    assert [(call.caller, call.service, call.request.body) for call in seen] == [
        ("user", "tidemill", b"mine")
    ]


def test_a_call_may_be_answered_without_the_emulator() -> None:
    """It never sees the call."""

    async def refuse(_call: Call, _forward: Forward) -> Reply:
        return Reply(503)

    emulator, got, _ = asked(refuse)
    assert (emulator.acted, got) == ([], 503)


def test_an_answer_may_be_lost_after_the_emulator_acted() -> None:
    """The client sees a broken connection."""

    async def lose(_call: Call, forward: Forward) -> Reply:
        await forward()
        raise CutError

    emulator, got, _ = asked(lose)
    assert emulator.acted == ["mine"]
    assert got in {"RemoteDisconnected", "ConnectionResetError", "BadStatusLine"}


def test_an_answer_may_be_changed_after_the_emulator_acted() -> None:
    """The client believes what it gets."""

    async def lie(_call: Call, forward: Forward) -> Reply:
        answer = await forward()
        return Reply(answer.status, answer.headers, b"null")

    emulator, got, _ = asked(lie)
    assert (emulator.acted, got) == (["mine"], b"null")


@pytest.mark.parametrize("count", [0, 30])
def test_an_answer_may_be_cut_in_the_middle(count: int) -> None:
    """Its length was announced, so the client notices."""

    async def cut(_call: Call, forward: Forward) -> Reply:
        answer = await forward()
        return Reply(answer.status, answer.headers, answer.body, cut_after=count)

    emulator, got, _ = asked(cut)
    assert emulator.acted == ["mine"]
    assert got in {"IncompleteRead", "ConnectionResetError", "RemoteDisconnected"}


def test_an_answer_may_come_slowly_and_is_whole() -> None:
    """At 100 bytes a second, 100 bytes take a second."""

    async def drip(_call: Call, forward: Forward) -> Reply:
        answer = await forward()
        return Reply(answer.status, answer.headers, answer.body, bytes_per_second=100)

    _, got, seconds = asked(drip)
    assert got == BODY
    assert seconds > 0.8


def test_calls_are_told_apart_by_caller_service_and_operation() -> None:
    """Each of AWS's protocols has another place for the operation."""
    seen: list[tuple[str, str, str]] = []

    async def refuse(call: Call, _forward: Forward) -> Reply:
        seen.append((call.caller, call.service, call.operation))
        return Reply(400)

    calls: dict[str, Callable[[Any], object]] = {
        "sqs": lambda client: client.list_queues(),
        "cloudwatch": lambda client: client.list_metrics(),
        "logs": lambda client: client.describe_log_groups(),
        "cloudformation": lambda client: client.list_stacks(),
        "s3": lambda client: client.list_buckets(),
    }
    keys = SESSION.keys("i-1")
    with standing(Door(GUARD, embedded(Emulator()), refuse)) as url:
        for service, ask in calls.items():
            client: Any = boto3.client(  # type: ignore[call-overload]  # its stubs list services
                service,
                endpoint_url=url,
                region_name="eu-west-1",
                aws_access_key_id=keys.access_key,
                aws_secret_access_key=keys.secret_key,
                config=Config(retries={"total_max_attempts": 1}),
            )
            with pytest.raises(Exception, match=r".+"):
                ask(client)
            client.close()
    assert seen == [
        ("i-1", "sqs", "ListQueues"),
        ("i-1", "monitoring", "ListMetrics"),
        ("i-1", "logs", "DescribeLogGroups"),
        ("i-1", "cloudformation", "ListStacks"),
        ("i-1", "s3", ""),
    ]


def test_the_user_and_the_rig_may_control_disturbances_and_nobody_else() -> None:
    """An instance cannot make life easier for itself."""

    async def control(request: Request) -> Reply:
        return Reply(200, body=json.dumps([request.path, request.body.decode()]).encode())

    got: dict[str, bytes | int] = {}
    with standing(Door(GUARD, embedded(Emulator()), control=control)) as url:
        for caller in ("user", "rig", "producer", "i-1"):
            request = signed(
                SESSION.keys(caller), f"{url}{CONTROL}/faults", method="POST", body=b"{}"
            )
            try:
                with DIRECT.open(request, timeout=60) as answer:
                    got[caller] = answer.read()
            except urllib.error.HTTPError as error:
                got[caller] = error.code
                error.close()
    answered = json.dumps([f"{CONTROL}/faults", "{}"]).encode()
    assert got == {"user": answered, "rig": answered, "producer": 403, "i-1": 403}
