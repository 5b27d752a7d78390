"""Calling a handler: one call after another, or in the event loop; a verdict on each message."""

from __future__ import annotations

import asyncio
import inspect
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from consumer.attempt import AttemptResult
from consumer.handlers.api import handled
from consumer.handlers.errors import HandlerError
from consumer.handlers.event_loop import EventLoop
from consumer.handlers.handler import HandlerKind
from consumer.handlers.invocation import plan
from consumer.handlers.tracing import span
from consumer.handlers.verdict import describe, of_error, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend
    from consumer.handlers.invocation import Invocation
    from consumer.handlers.parameters import Parameters
    from consumer.handlers.verdict import Verdict


class Code(NamedTuple):
    """The user's functions; `startup` and `shutdown` take no arguments."""

    handle: Callable[..., Any]
    startup: Callable[[], Any] | None = None
    shutdown: Callable[[], Any] | None = None


class CodeHandler:
    """A handler made of user code: see `Handler` for what its methods do."""

    def __init__(self, code: Code, parameters: Parameters, named: str) -> None:
        """Take functions that have been checked, the parameters of `handle`, a name for errors."""
        self._named = named
        self._code = code
        self._parameters = parameters
        self._loop = EventLoop()
        self._is_async = is_async(code.handle)
        one = HandlerKind.ASYNC if self._is_async else HandlerKind.SYNC
        self.kind = HandlerKind.BATCH if parameters.batch else one

    def startup(self) -> None:
        """Run the user's startup, that of an async handler in its event loop."""
        self._run("startup", self._code.startup)

    def shutdown(self) -> None:
        """Run the user's shutdown, then end the event loop."""
        try:
            self._run("shutdown", self._code.shutdown)
        finally:
            self._loop.close()

    def call(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        """Call the handler and wait for it."""
        if self._is_async:
            try:
                return self._loop.run(self._call_in_loop(arrivals, extend))
            except BaseException as error:  # noqa: BLE001 - user code cancels all tasks, ours too
                return [of_error(error)] * len(arrivals)
        invocations, verdicts = plan(self._parameters, arrivals, extend)
        for one in invocations:
            verdicts.update(zip(one.places, self._call(one), strict=True))
        return [verdicts[place] for place in range(len(arrivals))]

    async def call_async(self, arrival: Arrival, extend: Extend) -> Verdict:
        """Await an async handler in its own event loop, whichever loop the caller is in."""
        calling = self._call_in_loop([arrival], extend)
        if self._loop.is_running_here():
            [verdict] = await calling
        else:
            [verdict] = await asyncio.wrap_future(self._loop.submit(calling))
        return verdict

    async def _call_in_loop(self, arrivals: Sequence[Arrival], extend: Extend) -> list[Verdict]:
        invocations, verdicts = plan(self._parameters, arrivals, extend)
        results = await asyncio.gather(*(self._await(one) for one in invocations))
        for one, found in zip(invocations, results, strict=True):
            verdicts.update(zip(one.places, found, strict=True))
        return [verdicts[place] for place in range(len(arrivals))]

    def _call(self, invocation: Invocation) -> list[Verdict]:
        token = handled.set(invocation.messages)
        try:
            with span(invocation.messages):
                value = self._code.handle(*invocation.args, **invocation.named)
            return invocation.returned(value)
        except BaseException as error:  # noqa: BLE001 - sys.exit() fails this message only
            return invocation.raised(error)
        finally:
            handled.reset(token)

    async def _await(self, invocation: Invocation) -> list[Verdict]:
        handled.set(invocation.messages)  # for this task only
        process = os.getpid()
        try:
            with span(invocation.messages):
                value = await self._code.handle(*invocation.args, **invocation.named)
            verdicts = invocation.returned(value)
        except BaseException as error:  # noqa: BLE001 - as above; so is a task that is cancelled
            verdicts = invocation.raised(error)
        if os.getpid() != process:
            # The handler has forked, and its child came back here, in a loop that is not its own.
            os._exit(0 if verdicts[0].result is AttemptResult.PROCESSED else 1)
        return verdicts

    def _run(self, name: str, function: Callable[[], Any] | None) -> None:
        if function is None:
            return

        async def run_in_loop() -> object:
            value = function()
            return await value if inspect.isawaitable(value) else value

        try:
            in_loop = self._is_async or is_async(function)
            value = self._loop.run(run_in_loop()) if in_loop else function()
            problem = unfinished(value)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            raise HandlerError(
                f"{self._named}: its {name} failed with {describe(error)}"
            ) from error
        if problem:
            raise HandlerError(f"{self._named}: its {name} {problem}")


def is_async(function: Any) -> bool:  # noqa: ANN401 - any callable
    """Return whether it is an async function, or an object whose call is one."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method itself is needed
    )
