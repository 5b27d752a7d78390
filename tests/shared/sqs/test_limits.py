"""Tests of the limit of a call: it ends whatever it waits for, and disturbs no other one."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support.emulators.wrong_server import WrongServer, be_right, wrong_server

from shared.sqs.limits import limited, use_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_sqs import SQSClient
    from support.emulators.wrong_server import Call

pytestmark = pytest.mark.impure

SECONDS: Final = 0.3
PATIENCE: Final = 60.0


@contextmanager
def client_of(endpoint: str, certificate: str | None = None) -> Iterator[SQSClient]:
    """Provide a client with limits; its own timeouts are longer than any test."""
    client = boto3.client(
        "sqs",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nobody checks it
        verify=certificate,
        config=Config(
            read_timeout=PATIENCE, connect_timeout=PATIENCE, retries={"total_max_attempts": 1}
        ),
    )
    use_limits(client)
    yield client
    client.close()


def call(client: SQSClient) -> object:
    """Make a call."""
    return client.get_queue_url(QueueName="work")


def certificate(folder: Path) -> str:
    """Write a certificate for the loopback address and its key into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection in a thread; provide the address."""

    def run() -> None:
        with suppress(OSError), listener.accept()[0] as connection:
            serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the connection is not closed"


def drip(connection: socket.socket) -> None:
    """Send a byte now and then until the other side has gone."""
    while True:
        connection.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("phase", ["handshake", "body"])
def test_tls_is_limited_as_well(tmp_path: Path, phase: str) -> None:
    """The limit holds while a connection is made, and for what comes over it."""
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)

    def serve(connection: socket.socket) -> None:
        if phase == "handshake":
            # a record of TLS's handshake that never ends: its header, and then byte by byte
            connection.sendall(b"\x16\x03\x03\x40\x00")
            drip(connection)
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            drip(secure)

    with listening(serve) as address, client_of(f"https://{address}", path) as client:
        began = time.monotonic()
        with pytest.raises((BotoCoreError, HTTPClientError)), limited(SECONDS) as one:
            call(client)
        assert one.over
        assert SECONDS <= time.monotonic() - began < PATIENCE / 2


def test_a_right_answer_comes_through_tls(tmp_path: Path) -> None:
    """The limit changes nothing about a call that is in time."""
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server = WrongServer("", be_right)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            server.serve(secure)

    with listening(serve) as address, client_of(f"https://{address}", path) as client:
        for _ in range(3):
            with limited(PATIENCE) as one:
                call(client)
            assert not one.over
    assert len(server.calls) == 3


def test_one_call_that_is_over_does_not_end_the_others() -> None:
    """Each call has its own connections and its own time."""
    over = threading.Event()

    def behave(got: Call) -> None:
        if got.parameters["QueueName"] == "slow":
            over.wait(PATIENCE)  # until the other call has been ended
        elif got.parameters["QueueName"] == "silent":
            got.ended.wait(PATIENCE)
        be_right(got)

    answers: list[object] = []
    with wrong_server(behave) as server, client_of(server.endpoint) as client:

        def wait_long() -> None:
            with limited(PATIENCE):
                answers.append(client.get_queue_url(QueueName="slow")["QueueUrl"])

        thread = threading.Thread(target=wait_long)
        thread.start()
        with pytest.raises(HTTPClientError), limited(SECONDS):
            client.get_queue_url(QueueName="silent")
        over.set()
        thread.join()
        with limited(PATIENCE):
            assert call(client)
    assert len(answers) == 1


def test_a_call_without_a_limit_has_none() -> None:
    """Code that uses the same client for something else is not concerned."""

    def behave(got: Call) -> None:
        time.sleep(2 * SECONDS)
        be_right(got)

    with wrong_server(behave) as server, client_of(server.endpoint) as client:
        with suppress(HTTPClientError), limited(SECONDS):
            call(client)
        assert call(client)


def test_a_limit_in_the_past_ends_the_call() -> None:
    """What took all the time may have been the look-up of an address, without a connection."""
    with wrong_server(be_right) as server, client_of(server.endpoint) as client:
        with limited(-1) as one:
            while not one.over:
                time.sleep(0.001)
            with pytest.raises((BotoCoreError, HTTPClientError)):
                call(client)
        assert call(client)


def test_no_descriptor_is_left() -> None:
    """A thousand calls, in time or not, need as many descriptors as one."""

    def open_now() -> int:
        return len([*Path("/proc/self/fd").iterdir()])

    with ExitStack() as stack:
        server = stack.enter_context(wrong_server(be_right))
        client = stack.enter_context(client_of(server.endpoint))
        with limited(PATIENCE):
            call(client)
        before = open_now()
        for number in range(100):
            with suppress(BotoCoreError, ClientError), limited(PATIENCE if number % 10 else -1):
                call(client)
        with limited(PATIENCE):
            call(client)
        # the server may not have noticed yet that a connection was closed
        deadline = time.monotonic() + PATIENCE
        while open_now() > before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
