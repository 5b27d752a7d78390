"""Tests of every kind of wrong answer: each is given to each call over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from support.emulators.wrong_server import (
    a_message,
    be_right,
    change,
    refuse,
    right_answer,
    say,
    wrong_server,
)

from shared import wrong_answers as wrong
from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError
from shared.queue import SqsQueue
from shared.queue_calls import Calls
from shared.queue_connection import connect
from shared.wrong_answers import Reaction, WrongAnswer, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.emulators.wrong_server import Behaviour, Call, WrongServer

    from shared.queue import Refusal

pytestmark = pytest.mark.impure

ROOT: Final = Path(__file__).parents[2]

SECONDS: Final = 0.3
"""Time for a whole answer in these tests."""

HTML: Final = "<html><body>Please log in to the Wi-Fi of our hotel</body></html>"

CALLS: Final[dict[str, Callable[[SqsQueue], Any]]] = {
    "send": lambda queue: queue.send(["one", "two"]),
    "receive": lambda queue: queue.receive(10, 0, 30),
    "delete": lambda queue: queue.delete(["r-1", "r-2"]),
    "change visibility": lambda queue: queue.change_visibility([("r-1", 0), ("r-2", 0)]),
}
BATCHES: Final = [name for name in CALLS if name != "receive"]


@pytest.fixture(autouse=True, scope="module")
def aws_settings() -> Iterator[None]:
    """Give boto3 test credentials and a region, and no access to a real account."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_REGION", "eu-west-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", "/nonexistent")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        yield


@contextmanager
def queue_at(server: WrongServer, name: str = "") -> Iterator[SqsQueue]:
    """Provide a queue at this endpoint, without retries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        url = "" if name else server.queue_url
        queue = connect(url, name, attempts=1, answer_seconds=SECONDS)
        yield queue
        queue._client.close()


@pytest.fixture(scope="module")
def shared_bench(aws_settings: None) -> Iterator[Bench]:  # noqa: ARG001 - for the client
    """Provide one client for all tests, since building one takes long."""
    with wrong_server(be_right) as server, queue_at(server) as queue:
        yield Bench(server, queue)


@pytest.fixture
def bench(shared_bench: Bench) -> Bench:
    """Provide a server that has had no call yet."""
    shared_bench.server.calls.clear()
    return shared_bench


@dataclass(frozen=True, slots=True)
class Bench:
    """A server, and a queue there."""

    server: WrongServer
    queue: SqsQueue

    def behaving(self, *behaviours: Behaviour, attempts: int = 1) -> SqsQueue:
        """Return the queue, whose server behaves so: in turn, and then always like the last."""
        left = list(behaviours)

        def behave(call: Call) -> None:
            (left.pop(0) if len(left) > 1 else left[0])(call)

        self.server.behave = behave
        return SqsQueue(self.queue._client, self.server.queue_url, Calls(attempts, SECONDS))


def silent(call: Call) -> None:
    """Answer nothing."""
    call.ended.wait(60)


def cut(call: Call) -> None:
    """Send a part of the right answer, and close the connection."""
    body = json.dumps(right_answer(call)).encode()
    call.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n" + body)
    call.connection.shutdown(socket.SHUT_RDWR)


def drip_the_head(call: Call) -> None:
    """Send a byte now and then, and come no further than the first header."""
    call.drip(b"HTTP/1.1 200 OK\r\nServer: " + b"a" * 10_000, 0.05)


def drip_the_body(call: Call) -> None:
    """Send spaces before the right answer, which JSON allows, for a very long time."""
    call.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    call.drip(b" " * 100_000, 0.05)


def drip_without_length(call: Call) -> None:
    """Do the same for a body that ends with the connection."""
    call.connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
    call.drip(b" " * 100_000, 0.05)


def flood(call: Call) -> None:
    """Answer something that is no HTTP."""
    call.connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n" + b"\x00" * 1000)
    call.connection.shutdown(socket.SHUT_RDWR)


WHOLE: Final[dict[WrongAnswer, dict[str, Behaviour]]] = {
    wrong.CUT_OFF: {
        "silence": silent,
        "cut": cut,
        "closed": lambda call: call.connection.shutdown(socket.SHUT_RDWR),
        "a byte of the head now and then": drip_the_head,
        "a byte of the body now and then": drip_the_body,
        "a byte now and then without a length": drip_without_length,
        "no HTTP": flood,
    },
    wrong.UNREADABLE: {
        "HTML": say(200, HTML),
        "nothing": say(200, ""),
        "half of it": say(200, '{"Messages": [{"Body"'),
        "no UTF-8": say(200, b'{"Messages": "\xff\xfe"}'),
        "null": say(200, "null"),
        "a list": say(200, "[]"),
        "a list with it": say(200, '[{"Successful": []}]'),
        "a number": say(200, "17"),
        "a text": say(200, '"Messages"'),
        "deep": say(200, '{"a":' + "[" * 50_000),
        "lists of another type": say(
            200, '{"Messages": {}, "Successful": {}, "Failed": {}, "QueueUrl": 3}'
        ),
        "entries of another type": say(
            200, '{"Messages": [17], "Successful": ["0"], "Failed": [null]}'
        ),
        "entries without fields": say(
            200, '{"Messages": [{}], "Successful": [{}], "Failed": [{"Id": "0"}]}'
        ),
        "no content": say(204, ""),
        "another success": say(202, '{"__type": "OverLimit"}'),
    },
    wrong.UNKNOWN: {
        "a redirect": say(301, "", "Location: http://127.0.0.1:9/"),
        "a redirect with a page": say(302, HTML, "Location: https://login.example/"),
        "a proxy's page": say(403, HTML),
        "an unknown code": refuse("SomethingNew"),
        "no code": say(400, "{}"),
        "null": say(400, "null"),
        "a list": say(404, "[]"),
        "a code of another type": say(400, '{"__type": 17, "message": {}}'),
        "nothing": say(407, ""),
        "no status of HTTP": say(499, HTML),
    },
}
"""Wrong answers that concern a whole call and that no error code of SQS tells."""

STATUSES: Final = {"500 to 599": (500, 502, 503, 504, 599), "408": (408,), "429": (429,)}
BY_CODE: Final[dict[WrongAnswer, dict[str, Behaviour]]] = {
    kind: {
        **{code: refuse(code) for code in sorted(kind.codes)},
        **{str(status): say(status, HTML) for status in STATUSES.get(kind.what, ())},
        **({"413": say(413, HTML)} if kind.what == "413" else {}),
    }
    for kind in wrong.BY_CODE
}
ENTRIES: Final = {wrong.UNNAMED, wrong.DAMAGED, wrong.ENTRY_LATER, wrong.ENTRY_REFUSED}
BEFORE: Final = {wrong.NO_CONNECTION, wrong.NO_CREDENTIALS_NOW, wrong.CANNOT_CALL}


def test_every_kind_of_the_table_is_tried_here() -> None:
    """A kind without a case in this module would be a claim without a test."""
    assert {*WHOLE, *BY_CODE, *ENTRIES, *BEFORE} == set(wrong.TABLE)
    assert all(cases for kinds in (WHOLE, BY_CODE) for cases in kinds.values())


CASES: Final = [
    pytest.param(kind, behave, id=f"{kind.what.partition(':')[0]}-{name}")
    for kinds in (WHOLE, BY_CODE)
    for kind, cases in kinds.items()
    for name, behave in cases.items()
]


@pytest.mark.parametrize(("kind", "behave"), CASES)
def test_a_wrong_answer_means_what_the_table_says(
    bench: Bench, kind: WrongAnswer, behave: Behaviour
) -> None:
    """It is the same for every call, but a receive has no batch that could be given up."""
    queue = bench.behaving(behave)
    for name, call in CALLS.items():
        outcome = reaction(call, queue)
        if kind.reaction is Reaction.GIVE_UP:
            expected = Reaction.END if name == "receive" else Reaction.GIVE_UP
            assert outcome == (expected, False), name
        else:
            assert outcome == (kind.reaction, kind.carried_out), name
    assert len(bench.server.calls) == len(CALLS), "each has been a request"


def reaction(call: Callable[[SqsQueue], Any], queue: SqsQueue) -> tuple[Reaction, bool]:
    """Make a call; return what follows, and whether SQS may have done it all the same."""
    try:
        answer = call(queue)
    except QueueUnavailableError as error:
        return Reaction.AGAIN, error.answer_lost
    except QueueRefusedError:
        return Reaction.END, False
    assert [(refusal.index, refusal.retry) for refusal in refusals(answer)] == [
        (0, False),
        (1, False),
    ]
    assert not getattr(answer, "sent", None)
    return Reaction.GIVE_UP, False


def refusals(answer: Any) -> tuple[Refusal, ...]:  # noqa: ANN401 - of a send, or of the others
    """Return the refusals of an answer to a batch."""
    found: tuple[Refusal, ...] = getattr(answer, "refused", answer)
    return found


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("body", ["{}", '{"Successful": [{"Id": "0", "MessageId": "m"}]}'])
def test_silence_about_an_entry_is_no_success(bench: Bench, name: str, body: str) -> None:
    """A 200 that does not name an entry as successful leaves it undone, for another attempt."""
    found = refusals(CALLS[name](bench.behaving(say(200, body))))
    assert len(found) == 2 - ('"0"' in body)
    assert (found[-1].index, found[-1].retry, found[-1].answer_lost) == (1, True, True)
    assert found[-1].text == "SQS's answer does not name it"


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize("index", ["7", "-1", "one", "", "01"])
def test_an_entry_that_was_not_asked_for_is_ignored(bench: Bench, name: str, index: str) -> None:
    """Neither success nor failure of other entries says anything about those of this batch."""
    done = {"Id": index, "MessageId": "m"}
    failed = {"Id": index, "Code": "InternalError", "SenderFault": False}
    body = json.dumps({"Successful": [done], "Failed": [failed]})
    found = refusals(CALLS[name](bench.behaving(say(200, body))))
    assert [(refusal.index, refusal.retry) for refusal in found] == [(0, True), (1, True)]


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(
    ("code", "sender_fault", "kind"),
    [
        ("InternalError", False, wrong.ENTRY_LATER),
        ("KmsThrottled", True, wrong.ENTRY_LATER),
        ("KMS.ThrottlingException", True, wrong.ENTRY_LATER),
        ("OverLimit", True, wrong.ENTRY_LATER),
        ("AWS.SimpleQueueService.OverLimit", True, wrong.ENTRY_LATER),
        ("ThrottlingException", True, wrong.ENTRY_LATER),
        ("ReceiptHandleIsInvalid", True, wrong.ENTRY_REFUSED),
        ("InvalidParameterValue", True, wrong.ENTRY_REFUSED),
        ("SomethingNew", True, wrong.ENTRY_REFUSED),
    ],
)
def test_a_refused_entry_is_tried_again_if_that_helps(
    bench: Bench,
    name: str,
    code: str,
    sender_fault: bool,  # noqa: FBT001 - a table
    kind: WrongAnswer,
) -> None:
    """SQS calls some throttling the sender's fault, and it passes all the same."""
    failed = {"Id": "1", "Code": code, "SenderFault": sender_fault, "Message": "said so"}
    queue = bench.behaving(change(lambda answer: answer.update({"Failed": [failed]})))
    (refusal,) = refusals(CALLS[name](queue))
    assert (refusal.index, refusal.text) == (1, f"{code} said so")
    assert refusal.retry is (kind.reaction is Reaction.AGAIN)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"MD5OfBody": "0" * 32}, "its body differs from the MD5 that SQS gives"),
        ({"Body": "bodY"}, "its body differs from the MD5 that SQS gives"),
        (
            {
                "MessageAttributes": {"a": {"DataType": "String", "StringValue": "b"}},
                "MD5OfMessageAttributes": "0" * 32,
            },
            "its attributes differ from the MD5 that SQS gives",
        ),
        ({"MD5OfBody": None}, ""),
        ({"MD5OfMessageAttributes": None}, ""),
    ],
)
def test_a_message_that_is_not_what_was_sent_says_so(
    bench: Bench, changes: dict[str, Any], reason: str
) -> None:
    """The others of its receive are not concerned."""
    body = json.dumps({"Messages": [a_message(), a_message(**changes)]})
    whole, damaged = bench.behaving(say(200, body)).receive(10, 0, 30)
    assert whole.damage == ""
    assert damaged.damage == reason


def test_a_message_that_sqs_has_understood_otherwise_is_not_sent(bench: Bench) -> None:
    """It may be in the queue, as something else than what was sent."""
    queue = bench.behaving(
        change(lambda answer: answer["Successful"][1].update(MD5OfMessageBody="0" * 32))
    )
    result = queue.send(["one", "two", "three"])
    assert result.sent == {0: "id-0", 2: "id-2"}
    (refusal,) = result.refused
    assert (refusal.index, refusal.retry, refusal.answer_lost) == (1, True, True)


def test_no_connection_is_no_lost_answer() -> None:
    """A closed port has taken nothing."""
    with wrong_server(be_right) as server:
        pass
    with queue_at(server) as queue:
        for call in CALLS.values():
            assert reaction(call, queue) == (Reaction.AGAIN, wrong.NO_CONNECTION.carried_out)


def test_credentials_that_cannot_be_refreshed_may_be_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service of credentials that is out of order for a minute does not end a consumer."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    expired = dict.fromkeys(("AccessKeyId", "SecretAccessKey", "Token"), "test")
    expired["Expiration"] = "2020-01-01T00:00:00Z"
    with wrong_server(be_right) as server, answering_get(json.dumps(expired)) as credentials:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        with queue_at(server) as queue:
            for call in CALLS.values():
                assert reaction(call, queue) == (Reaction.AGAIN, False)
        assert server.calls == []


@contextmanager
def answering_get(body: str) -> Iterator[str]:
    """Provide the URL of a server of credentials, as containers on ECS have one."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()

    def serve() -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_missing_credentials_end_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent, and the text says what to set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with wrong_server(be_right) as server, queue_at(server) as queue:
        for call in CALLS.values():
            with pytest.raises(QueueRefusedError, match="set AWS_PROFILE"):
                call(queue)
        assert server.calls == []


def test_a_wrong_clock_is_not_wrong_credentials() -> None:
    """The clock of a machine is set sooner or later, and signatures are valid again."""
    expired = "Signature expired: 20261127T000000Z is now earlier than 20261127T001500Z"
    assert kind_of("SignatureDoesNotMatch", 403, expired).reaction is Reaction.AGAIN
    assert kind_of("SignatureDoesNotMatch", 403, "other").reaction is Reaction.END


def test_a_call_is_made_again_until_it_is_answered(bench: Bench) -> None:
    """A wrong answer now and then costs a pause, and nobody sees it."""
    queue = bench.behaving(say(200, HTML), refuse("OverLimit"), be_right, attempts=3)
    assert queue.delete(["r-1"]) == ()
    assert bench.server.operations() == ["DeleteMessageBatch"] * 3


def test_an_earlier_lost_answer_is_remembered(bench: Bench) -> None:
    """A send that was cut off and then throttled may be in the queue."""
    queue = bench.behaving(cut, refuse("OverLimit"), attempts=2)
    with pytest.raises(QueueUnavailableError) as raised:
        queue.send(["one"])
    assert raised.value.answer_lost


def test_an_outage_is_not_made_worse_by_retries(bench: Bench) -> None:
    """When the budget is used up, each call is a single request."""
    queue = bench.behaving(refuse("OverLimit"), attempts=4)
    while queue._calls._budget.take():
        pass
    for _ in range(5):
        with pytest.raises(QueueUnavailableError):
            queue.delete(["r-1"])
    assert len(bench.server.calls) == 5


def test_last_calls_have_a_time_of_their_own(bench: Bench) -> None:
    """A queue for them makes one attempt over a new connection, and the others go on."""
    queue = bench.behaving(be_right, silent, be_right, attempts=4)
    assert queue.delete(["r-1"]) == ()
    with pytest.raises(QueueUnavailableError, match=r"within 0\.1 s"):
        queue.afresh(0.1).delete(["r-1"])
    assert queue.delete(["r-1"]) == ()
    assert len({call.connection for call in bench.server.calls}) == 3


def test_an_answer_in_pieces_counts(bench: Bench) -> None:
    """What is whole within its time is a right answer, however it comes."""

    def behave(call: Call) -> None:
        body = json.dumps(right_answer(call)).encode()
        call.connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        call.drip(body[:10], 0.001)
        call.connection.sendall(body[10:])

    queue = bench.behaving(behave)
    assert [message.body for message in queue.receive(10, 0, 30)] == ["body"]
    assert queue.delete(["r-1"]) == ()


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (say(200, HTML), QueueUnavailableError),
        (drip_the_body, QueueUnavailableError),
        (refuse("AccessDenied"), QueueRefusedError),
    ],
    ids=["HTML", "a byte now and then", "denied"],
)
def test_the_queues_name_may_get_wrong_answers_as_well(
    behave: Behaviour, error: type[QueueError]
) -> None:
    """Finding a queue by its name is a call like the others."""
    with wrong_server(behave) as server, pytest.raises(error), queue_at(server, "work"):
        pytest.fail("there is no such queue")


def test_the_docs_show_the_table() -> None:
    """docs/reliability.md has every kind, in the order of the table."""
    rows = [
        f"| {kind.what} | {kind.reaction.value} | {'perhaps' if kind.carried_out else 'no'} |"
        for kind in wrong.TABLE
    ]
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    section = page.partition("## Answers that are not the right one\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| ")][2:] == rows
