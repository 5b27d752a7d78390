"""`python -m consumer.pool.child`: a worker process, which the consumer starts (see spawning).

Its arguments are file descriptors: the pipe with orders, the pipe for reports, the one for stacks,
and the page.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import load
from consumer.handlers.verdict import describe
from consumer.output.capture import Capture
from consumer.pool.child import setup
from consumer.pool.child.loops import Inbox, Loop
from consumer.pool.child.work import Reports, Work
from consumer.pool.frames import Closed, Ready, Refused, Terms
from consumer.pool.page import Page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.handlers.handler import Handler


def main(arguments: Sequence[str]) -> None:
    """Load the handler, and handle messages until the consumer ends it."""
    orders, reports_pipe, stacks, file = (int(argument) for argument in arguments)
    inbox = Inbox(setup.raise_descriptor(orders))
    reports = Reports(setup.raise_descriptor(reports_pipe))
    page = Page(file)
    os.close(file)
    terms = next(order for order in inbox.orders() if isinstance(order, Terms))
    sys.path[:] = terms.search_path
    setup.reset_signals()
    setup.die_with(terms.parent)
    setup.offer_to_oom_killer()
    setup.write_stacks_to(setup.raise_descriptor(stacks))
    setup.end_lines_of_c()
    capture = Capture(reports.send_lines)
    capture.install(terms.log_level)
    handler = _ready(terms.handler, reports)
    if handler is None:
        capture.flush()
        return
    capture.settle()
    work = Work(handler, page, reports, capture, terms.seconds)
    loop = Loop(inbox, work, reports, page, capture)
    reports.send(Ready(handler.kind))
    if terms.concurrency == 1:
        loop.one_at_a_time()
    else:
        loop.in_threads(terms.concurrency)
    _shut_down(handler)
    capture.flush()
    reports.send(Closed())


def _ready(path: str, reports: Reports) -> Handler | None:
    """Return the handler after its startup; report why if that is not possible."""
    try:
        handler = load(path)
        handler.startup()
    except HandlerError as error:
        reports.send(Refused(str(error)))
        return None
    except BaseException as error:  # noqa: BLE001 - what code of the user raises may be anything
        reports.send(Refused(f"HANDLER={path!r}: {describe(error)}"))
        return None
    return handler


def _shut_down(handler: Handler) -> None:
    try:
        handler.shutdown()
    except HandlerError as error:
        sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
