"""Handlers: the message that a handler gets, and how the function named by HANDLER is found."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from shared.errors import WorkloadError
from shared.message import Vehicle  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable


class Message(msgspec.Struct, frozen=True):
    """A valid message as a handler gets it.

    `extra` holds the fields that the sender added to the vehicle's, `body` is the text as it was
    sent, `receive_count` includes this receive, `sent_at` is in epoch seconds.
    """

    id: str
    vehicle: Vehicle
    extra: dict[str, Any]
    body: str
    receive_count: int
    sent_at: float


Handler: TypeAlias = "Callable[[Message], object]"
"""A function that returns when it has processed the message, and raises when it cannot."""


class HandlerError(WorkloadError):
    """A HANDLER that cannot be used: exit with code 2."""


def log_only(_message: Message) -> None:
    """Do nothing: the line with the message's content is written for every handler."""


def load(path: str) -> Handler:
    """Import the handler named by `package.module:function`.

    Raises:
        HandlerError: no such module or function, not callable, or the import itself failed.
    """
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise HandlerError(f"HANDLER={path!r}: give package.module:function")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise HandlerError(
                f"HANDLER={path!r}: there is no module {error.name!r}; is it on PYTHONPATH?"
            ) from error
        raise HandlerError(_import_failed(path, module_name, error)) from error
    except Exception as error:
        raise HandlerError(_import_failed(path, module_name, error)) from error
    handler: object = getattr(module, name, None)
    if handler is None:
        raise HandlerError(f"HANDLER={path!r}: module {module_name!r} has no function {name!r}")
    if not callable(handler):
        kind = type(handler).__name__
        raise HandlerError(f"HANDLER={path!r}: {name!r} is a {kind}, not a function")
    return handler


def _import_failed(path: str, module_name: str, error: Exception) -> str:
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"HANDLER={path!r}: importing {module_name!r} failed with {reason}"
