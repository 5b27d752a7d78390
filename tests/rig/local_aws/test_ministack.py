"""MiniStack, the embedded local AWS: start and end."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from support.builders.sessions import SESSION
from support.emulators.rigs import labelled

from tidemill.rig.door.settings import HOST
from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.ministack import LOG, local_aws

if TYPE_CHECKING:
    from pathlib import Path

REGION = "us-east-1"


def test_it_answers_inside_the_block_and_is_gone_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds after an exception, too, and with proxies in the user's environment."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answers: dict[str, object] = {}

    def failing() -> None:
        with local_aws(tmp_path, 0, REGION, SESSION) as aws:
            url = aws.url
            answers.update(LocalClients(url, SESSION).sqs.create_queue(QueueName="one"))
            assert len(labelled(tmp_path)) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert str(answers["QueueUrl"]).endswith("/one")
    assert labelled(tmp_path) == []
    assert (tmp_path / LOG).read_bytes()


def test_a_taken_port_is_an_error(tmp_path: Path) -> None:
    """The error says what to do; nothing has been started."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        message = f"port {port} of {HOST} is not available .Address already in use.*--port"
        with pytest.raises(RigError, match=message), local_aws(tmp_path, port, REGION, SESSION):
            pass
    assert labelled(tmp_path) == []
