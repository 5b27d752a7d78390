"""The whole program: read the settings, build the parts, run them, exit in order."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from consumer.acknowledge import Acknowledger
from consumer.clock import SystemClock, SystemThreads
from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import load
from consumer.heartbeat import Heartbeat
from consumer.in_flight import InFlight
from consumer.logs.counts import CycleCounter, MetricLabels
from consumer.logs.events import get_logger
from consumer.logs.logging_setup import open_logs
from consumer.pool.threads import create_thread_pool
from consumer.ports import Ports
from consumer.retry import RetryDelays
from consumer.settings import read
from consumer.supervise import LAST_CALLS_SECONDS, Ending, ShutdownLimits, supervise, within
from consumer.worker import Job, Worker
from shared.errors import SettingsError, WorkloadError
from shared.queue import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.handlers.handler import Handler
    from consumer.logs.logging_setup import Logs
    from consumer.ports import Sink
    from consumer.settings import Settings
    from shared.queue import SqsQueue
    from shared.stopping import StopSwitch

log = get_logger("consumer")

FAILURE: Final = 1
USAGE: Final = 2


def main(environment: Mapping[str, str], stop: StopSwitch) -> int:
    """Run a consumer until a stop is requested; return the exit code, 0 after an orderly stop."""
    try:
        settings = read(environment, socket.gethostname())
        handler = load(settings.handler)
    except SettingsError as error:
        return _print_errors(USAGE, *error.problems)
    except HandlerError as error:
        return _print_errors(USAGE, str(error))
    try:
        logs = open_logs(settings)
        # Worker, heartbeat and shutdown may call SQS at the same time.
        queue = connect(settings.queue_url, settings.queue_name, connections=4)
    except WorkloadError as error:
        return _print_errors(FAILURE, str(error))
    log.info("started", extra={"fields": {**asdict(settings), "queue_url": queue.url}})
    ending = _consume(settings, handler, queue, logs.sink, stop)
    return _finish(ending, logs)


def _consume(
    settings: Settings, handler: Handler, queue: SqsQueue, sink: Sink, stop: StopSwitch
) -> Ending:
    """Build the parts, run the worker to its end and shut it down."""
    ports = Ports(queue, sink, SystemClock(), stop, SystemThreads())
    in_flight, counter = InFlight(), CycleCounter()
    acknowledger = Acknowledger(
        ports,
        in_flight,
        counter,
        RetryDelays(settings.retry_delay, settings.retry_delay_max),
        settings.instance_id,
    )
    queue_name = urlsplit(queue.url).path.rpartition("/")[2]
    job = Job(
        handler=handler,
        pool=create_thread_pool(settings.concurrency),
        rhythm=settings.rhythm,
        visibility=settings.visibility,
        labels=MetricLabels(settings.metrics_namespace, queue_name, settings.instance_id),
    )
    worker = Worker(ports, job, in_flight, acknowledger, counter)
    limits = ShutdownLimits(settings.drain, settings.rhythm.receive_wait)
    heartbeat = Heartbeat(queue, in_flight, ports.clock, settings.visibility)
    heartbeat.start()
    ending = supervise(worker, acknowledger, in_flight, ports, limits)
    heartbeat.stop()
    return ending


def _finish(ending: Ending, logs: Logs) -> int:
    """Log the end and flush the logs; exit at once if a stuck thread would prevent an exit."""
    code = 0 if ending.error is None else _print_errors(FAILURE, _reason(ending.error))
    log.info("stopped", extra={"fields": {"exit_code": code}})
    flushed = within(LAST_CALLS_SECONDS, logs.close)
    if ending.stuck or not flushed or isinstance(ending.error, OSError):
        # The interpreter would wait for the handler's thread, or for the one that sends logs.
        os._exit(code)
    return code


def _reason(error: BaseException) -> str:
    if isinstance(error, WorkloadError):
        log.error("worker failed", extra={"fields": {"reason": str(error)}})
        return str(error)
    if isinstance(error, OSError):
        return f"cannot write to standard output: {error.strerror}"
    log.critical("worker failed", exc_info=error)
    return f"the worker failed, its log has the details: {type(error).__name__}: {error}"


def _print_errors(code: int, *problems: str) -> int:
    for problem in problems:
        sys.stderr.write(f"consumer: {problem}\n")
    return code
