"""The whole program: read the settings, build the parts, run them, exit in order."""

from __future__ import annotations

import os
import random
import socket
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from consumer import setting_table as table
from consumer.acknowledge import Acknowledger, Endings
from consumer.admission import build_admission
from consumer.capacity import HandlingTimes
from consumer.clock import SystemClock, SystemThreads
from consumer.handlers.errors import HandlerError
from consumer.heartbeat import Heartbeat
from consumer.in_flight import InFlight
from consumer.leaving.drain import Drain
from consumer.leaving.last_resort import LastResort
from consumer.logs.counts import MetricLabels
from consumer.logs.cycles import Cycles
from consumer.logs.events import get_logger
from consumer.logs.logging_setup import open_logs
from consumer.messages.dead_letters import DeadLetterQueue
from consumer.pool.create import create_pool
from consumer.ports import PoolReports, Ports
from consumer.retry import RetryDelays
from consumer.settings import read
from consumer.supervise import (
    Ending,
    Failures,
    Parts,
    ShutdownLimits,
    supervise,
    within,
)
from consumer.worker import Job, Worker
from shared.errors import SettingsError, WorkloadError
from shared.first_contact import patiently
from shared.queue_connection import connect
from shared.queue_names import is_fifo, without_login

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.admission import Admission
    from consumer.logs.logging_setup import Logs
    from consumer.settings import Settings
    from shared.queue import SqsQueue
    from shared.stopping import HurriedStop

log = get_logger("consumer")

FAILURE: Final = 1
USAGE: Final = 2


def main(environment: Mapping[str, str], stop: HurriedStop) -> int:
    """Run a consumer until a stop is requested; return the exit code, 0 after an orderly stop."""
    try:
        settings = read(environment, socket.gethostname())
    except SettingsError as error:
        return _print_errors(USAGE, *error.problems)
    drain = Drain.of(settings.drain)
    last_resort = LastResort(stop, drain.whole, SystemThreads())
    last_resort.start()
    try:
        queue_name = _queue_name(settings.queue_url or settings.queue_name)
        labels = MetricLabels(settings.metrics_namespace, queue_name, settings.instance_id)
        logs = open_logs(settings, labels)
        queue = patiently(lambda: _connect(settings), stop, settings.start, _note_outage)
        if queue is None:
            return _finish(Ending(None, stuck=True), logs, drain.logs)
        ports = Ports(queue, logs.sink, SystemClock(), stop, SystemThreads())
        admission = build_admission(settings, ports, queue_name)
    except WorkloadError as error:
        return _print_errors(FAILURE, str(error))
    parts = _build(settings, ports, queue, admission, Cycles(ports, labels, logs.dropped))
    try:
        parts.pool.start()
    except HandlerError as error:
        return _print_errors(USAGE, str(error))
    log.info("started", extra={"fields": _shown(settings, queue)})
    heartbeat = Heartbeat(ports, parts.in_flight, parts.pool, settings.visibility)
    heartbeat.start()
    admission.claims.start()
    last_resort.watch(parts)
    ending = supervise(parts, ShutdownLimits.of_settings(settings.drain, settings.rhythm))
    heartbeat.stop()
    until = ports.clock.monotonic() + drain.logs
    within(drain.logs / 2, admission.claims.stop, ports.threads)
    return _finish(ending, logs, until - ports.clock.monotonic())


def _connect(settings: Settings) -> SqsQueue:
    # Receives, deletes, heartbeat and shutdown may call SQS at the same time.
    return connect(settings.queue_url, settings.queue_name, connections=4)


def _note_outage(reason: str) -> None:
    log.warning("queue unavailable", extra={"fields": {"reason": reason}})


def _shown(settings: Settings, queue: SqsQueue) -> dict[str, object]:
    """Return the settings for the log, which must not have a password that is in a URL."""
    return {
        **asdict(settings),
        "queue_url": without_login(queue.url),
        "dead_letter_queue_url": without_login(settings.dead_letter_queue_url),
    }


def _queue_name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _build(
    settings: Settings, ports: Ports, queue: SqsQueue, admission: Admission, cycles: Cycles
) -> Parts:
    """Build the parts of a consumer and connect them; nothing runs yet."""
    own_handler = settings.handler != table.HANDLER.default
    times = HandlingTimes(settings.message_seconds if own_handler else 0.0)
    in_flight, failures = InFlight(ports, settings.visibility, times), Failures(ports.stop)
    delays = RetryDelays(settings.retry_delay, settings.retry_delay_max)
    dead_letters = None
    if settings.dead_letter_queue_url:
        dead_letters = DeadLetterQueue(queue.beside(settings.dead_letter_queue_url))
    endings = Endings(delays, admission, dead_letters)
    acknowledger = Acknowledger(ports, in_flight, cycles, endings, settings.instance_id)
    reports = PoolReports(
        start=in_flight.start,
        finished=in_flight.finish,
        returned=in_flight.give_back,
        broken=failures.add,
    )
    pool = create_pool(settings, ports, reports, fifo=is_fifo(_queue_name(queue.url)))
    job = Job(
        settings.rhythm,
        settings.visibility,
        Drain.of(settings.drain).handlers,
        settings.envelope,
        settings.start,
        seed=random.randrange(2**32),  # noqa: S311 - rests are no secret
    )
    worker = Worker(ports, job, pool, in_flight, cycles, admission)
    return Parts(ports, worker, pool, in_flight, acknowledger, cycles, failures)


def _finish(ending: Ending, logs: Logs, seconds: float) -> int:
    """Log the end and flush the logs; exit at once if a stuck thread would prevent an exit."""
    code = FAILURE if ending.left else 0
    if ending.error is not None:
        code = _print_errors(FAILURE, _reason(ending.error))
    log.info("stopped", extra={"fields": {"exit_code": code}})
    logs.close(max(0.0, seconds))
    if ending.stuck or isinstance(ending.error, OSError):
        # The interpreter would wait for the handler's thread.
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
        # A handler in a thread of this process may have put something else in sys.stderr.
        (sys.__stderr__ or sys.stderr).write(f"consumer: {problem}\n")
    return code
