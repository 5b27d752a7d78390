"""Tests of stop requests."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Iterator

FOR_EVER = 100.0
"""Seconds: more than any test may take."""


@contextmanager
def installed() -> Iterator[SignalStop]:
    """Provide a stop that handles the signals; restore them afterwards."""
    stop = SignalStop()
    stop.install()
    try:
        yield stop
    finally:
        stop.restore()


def test_no_stop_is_requested_at_first() -> None:
    """Without a request a wait takes its full time."""
    stop = SignalStop()

    assert not stop.requested()
    assert not stop.wait(0)
    assert not stop.wait(-1)
    assert stop.received is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_a_signal_requests_a_stop_and_is_remembered(number: signal.Signals) -> None:
    """SIGTERM and SIGINT end the present wait and all later ones."""
    with installed() as stop:
        signal.raise_signal(number)

        assert stop.requested()
        assert stop.wait(FOR_EVER)
        assert stop.wait(FOR_EVER)
        assert stop.received is number


def test_the_first_signal_decides_what_ended_the_program() -> None:
    """`received` stays the first signal."""
    with installed() as stop:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)

        assert stop.received is signal.SIGTERM


def test_twice_means_that_a_third_signal_does_what_it_did_before() -> None:
    """With `twice`, a second signal is a hurry, and a third has its previous effect."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    stop = SignalStop()
    stop.install(twice=True)

    found = []
    for _ in range(2):
        signal.raise_signal(signal.SIGTERM)
        found.append((stop.requested(), stop.hurried))

    assert found == [(True, False), (True, True)]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_request_by_the_program_is_no_signal() -> None:
    """A stop that the program requests itself sets no `received` signal."""
    stop = SignalStop()
    stop.request()

    assert stop.wait(FOR_EVER)
    assert stop.received is None


def test_restoring_gives_the_signals_back() -> None:
    """`restore` sets the previous handlers again."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with installed():
        pass

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_one_request_ends_the_waits_of_all_threads() -> None:
    """A request ends the waits of all threads."""
    stop = SignalStop()
    ended: list[bool] = []
    threads = [threading.Thread(target=lambda: ended.append(stop.wait(FOR_EVER))) for _ in range(5)]
    for thread in threads:
        thread.start()

    stop.request()
    for thread in threads:
        thread.join()

    assert ended == [True] * 5


def test_a_signal_ends_a_wait_that_is_under_way() -> None:
    """A signal ends a wait of the main thread."""
    with installed() as stop:
        main = threading.main_thread().ident
        assert main is not None
        killer = threading.Timer(0.05, signal.pthread_kill, (main, signal.SIGTERM))
        killer.start()

        assert stop.wait(FOR_EVER)
        killer.join()


@pytest.mark.impure
def test_a_process_that_a_thread_forks_is_ended_by_a_signal() -> None:
    """Code of users may start processes, which do not look at our stop."""
    ended: list[int] = []

    def fork() -> None:
        ready, begun = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(begun, b".")
            time.sleep(FOR_EVER)
            os._exit(0)
        os.read(ready, 1)
        os.kill(child, signal.SIGTERM)
        ended.append(os.waitpid(child, 0)[1])
        os.close(ready)
        os.close(begun)

    with installed() as stop:
        thread = threading.Thread(target=fork)
        thread.start()
        thread.join()
        assert [os.WTERMSIG(status) for status in ended] == [signal.SIGTERM]
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested()


def test_a_signal_that_another_thread_receives_ends_a_wait_soon() -> None:
    """The kernel chooses the thread; Python's handler runs when the main thread does."""
    with installed() as stop:
        receiver = threading.Timer(
            0.2, lambda: signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        )
        receiver.start()
        began = time.monotonic()
        assert stop.wait(FOR_EVER)
        assert time.monotonic() - began < 10
        receiver.join()
