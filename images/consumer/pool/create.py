"""The pool that a consumer's settings ask for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumer.handlers.loading import load
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
    limits = PoolLimits(settings.concurrency, settings.message_seconds, fifo)
    return ThreadPool(partial(load, settings.handler), limits, ports, reports)
