"""The pool that a consumer's settings ask for."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from consumer import capacity
from consumer import setting_table as table
from consumer.handlers.loading import load
from consumer.output.captured import load_captured
from consumer.pool.process_pool import ProcessPlan, ProcessPool
from consumer.pool.threads import PoolLimits, ThreadPool

if TYPE_CHECKING:
    from consumer.ports import Pool, PoolReports, Ports
    from consumer.settings import Settings


def create_pool(settings: Settings, ports: Ports, reports: PoolReports, *, fifo: bool) -> Pool:
    """Return the pool, which has not been started yet.

    Args:
        settings: the handler, how many messages are handled at once, and their time limit.
        ports: clock and threads.
        reports: what the pool calls.
        fifo: whether the queue is a FIFO queue.
    """
    own_handler = settings.handler != table.HANDLER.default
    workers = capacity.processes(settings.workers, _processors(), own_handler=own_handler)
    if workers:
        plan = ProcessPlan(
            handler=settings.handler,
            workers=workers,
            concurrency=settings.concurrency,
            seconds=settings.message_seconds,
            log_level=settings.log_level,
            instance_id=settings.instance_id,
            fifo=fifo,
        )
        return ProcessPool(plan, reports, ports.sink, ports.clock, ports.stop)
    limits = PoolLimits(settings.concurrency, settings.message_seconds, fifo)
    loading = partial(load, settings.handler)
    if own_handler:
        loading = partial(
            load_captured, loading, ports.sink, settings.log_level, settings.instance_id
        )
    return ThreadPool(loading, limits, ports, reports)


def _processors() -> int:
    """Return the CPUs that this process may use, fewer than the machine's in some containers."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
