"""Tests of every kind of wrong answer: each is given to each call over a real socket."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from support.emulators.wrong_bench import CALLS, queue_at, reaction
from support.emulators.wrong_server import (
    be_right,
    cut,
    drip_the_body,
    drip_the_head,
    drip_without_length,
    flood,
    refuse,
    say,
    silent,
    wrong_server,
)

from shared.errors import QueueRefusedError
from shared.sqs import wrong_answers as wrong
from shared.sqs.wrong_answers import Reaction, WrongAnswer, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.emulators.wrong_bench import Bench
    from support.emulators.wrong_server import Behaviour

pytestmark = [pytest.mark.impure, pytest.mark.usefixtures("aws_settings")]

ROOT: Final = Path(__file__).parents[3]


HTML: Final = "<html><body>Please log in to the Wi-Fi of our hotel</body></html>"

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


def test_the_docs_show_the_table() -> None:
    """docs/reliability.md has every kind, in the order of the table."""
    rows = [
        f"| {kind.what} | {kind.reaction.value} | {'perhaps' if kind.carried_out else 'no'} |"
        for kind in wrong.TABLE
    ]
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    section = page.partition("## Answers that are not the right one\n")[2].partition("\n## ")[0]
    assert [line for line in section.splitlines() if line.startswith("| ")][2:] == rows
