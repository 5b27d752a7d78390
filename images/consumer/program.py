"""The whole program: read the settings, build the parts, run them, leave in order."""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from consumer import cloudwatch
from consumer import logging_setup as events
from consumer.acknowledge import RetryDelays, Settler
from consumer.clock import SystemClock
from consumer.emf import Source
from consumer.handlers import HandlerError, load
from consumer.heartbeat import Heartbeat
from consumer.in_flight import Hand
from consumer.settings import read
from consumer.supervise import LAST_CALLS_SECONDS, Ending, supervise, within
from consumer.tally import Tally
from consumer.thread_pool import crew_of
from consumer.worker import Worker
from shared.errors import SettingsError, WorkloadError
from shared.logs import LineStream
from shared.queue import connect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.handlers import Handler
    from consumer.ports import Sink
    from consumer.settings import Settings
    from consumer.supervise import Stoppable
    from shared.queue import SqsQueue

log = logging.getLogger("consumer")

FAILURE: Final = 1
USAGE: Final = 2


def main(environment: Mapping[str, str], stop: Stoppable) -> int:
    """Run a consumer until it is asked to stop; return the exit code, 0 after a stop in order."""
    try:
        settings = read(environment, socket.gethostname())
        handler = load(settings.handler)
    except SettingsError as error:
        return _complain(USAGE, *error.problems)
    except HandlerError as error:
        return _complain(USAGE, str(error))
    try:
        sink = _open_sink(settings)
        # Beside the receive or a delete, a heartbeat and a shutdown may be calling.
        queue = connect(settings.queue_url, settings.queue_name, connections=4)
    except WorkloadError as error:
        return _complain(FAILURE, str(error))
    log.info("started", extra={"fields": {**asdict(settings), "queue_url": queue.url}})
    ending = _consume(settings, handler, queue, sink, stop)
    return _leave(ending)


def _open_sink(settings: Settings) -> Sink:
    """Open standard output, and CloudWatch Logs when it is asked for; start logging to them."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what handlers print comes in its place
    stdout = LineStream(sys.stdout.buffer)
    events.configure(stdout, stdout, settings.log_level, settings.instance_id)
    if not settings.log_group:
        return stdout
    sink = cloudwatch.Tee(stdout, cloudwatch.connect(settings.log_group, settings.log_stream))
    events.configure(sink, stdout, settings.log_level, settings.instance_id)
    return sink


def _consume(
    settings: Settings, handler: Handler, queue: SqsQueue, sink: Sink, stop: Stoppable
) -> Ending:
    clock, hand, tally = SystemClock(), Hand(), Tally()
    settler = Settler(
        queue=queue,
        sink=sink,
        clock=clock,
        hand=hand,
        tally=tally,
        delays=RetryDelays(settings.retry_delay, settings.retry_delay_max),
        instance_id=settings.instance_id,
    )
    worker = Worker(
        queue=queue,
        handler=handler,
        crew=crew_of(settings.concurrency),
        hand=hand,
        settler=settler,
        tally=tally,
        sink=sink,
        clock=clock,
        stop=stop,
        rhythm=settings.rhythm,
        visibility=settings.visibility,
        source=Source(
            settings.metrics_namespace,
            urlsplit(queue.url).path.rpartition("/")[2],
            settings.instance_id,
        ),
    )
    heartbeat = Heartbeat(queue, hand, clock, settings.visibility)
    heartbeat.start()
    ending = supervise(
        worker=worker,
        hand=hand,
        settler=settler,
        stop=stop,
        clock=clock,
        drain=settings.drain,
        receive_wait=settings.rhythm.receive_wait,
    )
    heartbeat.stop()
    return ending


def _leave(ending: Ending) -> int:
    """Say how it ended and flush the logs; leave at once when a thread would not let us go."""
    code = 0 if ending.error is None else _complain(FAILURE, _reason(ending.error))
    log.info("stopped", extra={"fields": {"exit_code": code}})
    flushed = within(LAST_CALLS_SECONDS, logging.shutdown)
    if ending.stuck or not flushed or isinstance(ending.error, OSError):
        # A handler's thread, or a sender of logs, would keep the interpreter from ending.
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


def _complain(code: int, *problems: str) -> int:
    for problem in problems:
        sys.stderr.write(f"consumer: {problem}\n")
    return code
