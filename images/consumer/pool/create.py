"""The pool that a consumer's settings ask for."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from consumer import capacity
from consumer import setting_table as table

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
        return _processes(workers, settings, ports, reports, fifo=fifo)
    return _threads(settings, ports, reports, fifo=fifo)


def _processes(
    workers: int, settings: Settings, ports: Ports, reports: PoolReports, *, fifo: bool
) -> Pool:
    # Imported here, as is the other pool: a consumer needs one of them, and starts sooner for it.
    from consumer.pool.process_pool import ProcessPlan, ProcessPool  # noqa: PLC0415 - see above

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


def _threads(settings: Settings, ports: Ports, reports: PoolReports, *, fifo: bool) -> Pool:
    from consumer.handlers.loading import load  # noqa: PLC0415 - see above
    from consumer.pool.threads import PoolLimits, ThreadPool  # noqa: PLC0415 - see above

    limits = PoolLimits(settings.concurrency, settings.message_seconds, fifo)
    loading = partial(load, settings.handler)
    if settings.handler != table.HANDLER.default:
        from consumer.output.captured import load_captured  # noqa: PLC0415 - see above

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
