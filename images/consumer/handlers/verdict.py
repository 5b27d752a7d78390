"""What a call of a handler means for its message: from a return value or an error to a verdict."""

from __future__ import annotations

import inspect
import traceback
from concurrent.futures import Future
from typing import Final

import msgspec

from consumer.attempt import AttemptResult
from consumer.handlers.api import Reject, Retry, whole_seconds
from shared.errors import InvalidMessageError

REASON_LIMIT: Final = 1_000
"""Longest reason kept, in characters: a body may contain a number of a million digits."""


class Verdict(msgspec.Struct, frozen=True, array_like=True):
    """What becomes of a message; `retry_after` is in seconds, for a retry only."""

    result: AttemptResult
    reason: str | None = None
    retry_after: int | None = None


PROCESSED: Final = Verdict(AttemptResult.PROCESSED)


class BadReturnError(Exception):
    """A handler returned something that shows that the work is not done."""


def of_error(error: BaseException) -> Verdict:
    """Return the verdict for what a handler, or the reading of its body, raised."""
    try:
        match error:
            case Reject():
                return Verdict(AttemptResult.REJECTED, _text(error.reason))
            case Retry():
                reason = None if error.reason is None else _text(error.reason)
                return Verdict(AttemptResult.RETRY, reason, whole_seconds(error.after))
            case InvalidMessageError() | BadReturnError():
                invalid = isinstance(error, InvalidMessageError)
                result = AttemptResult.INVALID if invalid else AttemptResult.FAILED
                return Verdict(result, _text(error))
    except Exception:  # noqa: BLE001, S110 - a subclass may spoil what it inherits
        pass
    return Verdict(AttemptResult.FAILED, describe(error))


def of_return(value: object) -> Verdict:
    """Return the verdict for what a handler returned, after it was awaited if it is async."""
    if value is None:
        return PROCESSED
    if isinstance(value, BaseException):
        return of_error(value)
    problem = unfinished(value)
    return PROCESSED if problem is None else Verdict(AttemptResult.FAILED, problem)


def of_entry(entry: object) -> Verdict:
    """Return the verdict for a message's entry in the list that a batch handler returned."""
    if entry is None or isinstance(entry, BaseException):
        return of_return(entry)
    problem = f"returned a {type(entry).__name__} for this message: give None or an exception"
    return Verdict(AttemptResult.FAILED, problem)


def unfinished(value: object) -> str | None:
    """Return why a returned value shows that the work is not done; close what would warn."""
    if inspect.iscoroutine(value):
        value.close()
        return "returned a coroutine that nobody awaits: declare the handler with async def"
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        return "returned a generator, whose code has not run: use return instead of yield"
    if isinstance(value, Future):
        return "returned a future, which may not be done: return what its result() returns"
    if inspect.isawaitable(value):
        return "returned an awaitable that nobody awaits: declare the handler with async def"
    return None


def describe(error: BaseException) -> str:
    """Return type and text of an error on one line, whatever its own methods do."""
    try:
        parts = [_line(error)]
        if isinstance(error, BaseExceptionGroup):
            parts += [_line(leaf) for leaf in _leaves(error)[:3]]
        return _text(": ".join(parts))
    except BaseException:  # noqa: BLE001 - a class may misbehave in any way when it is printed
        return type(error).__name__


def _line(error: BaseException) -> str:
    # Unlike str(error), this works even when the exception's own __str__ raises.
    return " ".join("".join(traceback.format_exception_only(error)).split())


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found


def _text(reason: object) -> str:
    """Return at most REASON_LIMIT characters that can be encoded, for the log line."""
    try:
        text = str(reason)[:REASON_LIMIT]
        return text.encode("utf-8", "backslashreplace").decode()[:REASON_LIMIT]
    except BaseException:  # noqa: BLE001 - the reason is the user's object
        return f"a reason that cannot be printed, of type {type(reason).__name__}"
