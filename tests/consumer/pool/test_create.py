"""Tests of which pool a consumer's settings get."""

from __future__ import annotations

import pytest
from support.fakes.consuming import FakeClock, FakeQueue, FakeSink
from support.fakes.stopping import FakeStop

from consumer.clock import SystemThreads
from consumer.pool.create import create_pool
from consumer.pool.process_pool import ProcessPool
from consumer.pool.threads import ThreadPool
from consumer.ports import PoolReports, Ports
from consumer.settings import read


@pytest.mark.parametrize(
    ("environment", "kind", "slots"),
    [
        pytest.param({"CONCURRENCY": "3"}, ThreadPool, 3, id="default handler"),
        pytest.param({"HANDLER": "my:do", "WORKERS": "0"}, ThreadPool, 1, id="threads, as asked"),
        pytest.param(
            {"HANDLER": "my:do", "WORKERS": "3", "CONCURRENCY": "2"}, ProcessPool, 6, id="processes"
        ),
        pytest.param({"HANDLER": "my:do"}, ProcessPool, None, id="own handler: by CPUs"),
    ],
)
def test_the_handler_and_workers_decide_where_handlers_run(
    environment: dict[str, str], kind: type, slots: int | None
) -> None:
    """The pool has as many slots as messages are handled at the same time."""
    settings = read({"QUEUE_NAME": "work", **environment}, "host")
    ports = Ports(FakeQueue(), FakeSink(), FakeClock(), FakeStop(), SystemThreads())
    reports = PoolReports(lambda _: True, lambda _: None, lambda _: None, lambda _: None)
    pool = create_pool(settings, ports, reports, fifo=False)
    assert isinstance(pool, kind)
    assert pool.slots == slots or (slots is None and pool.slots >= 1)
