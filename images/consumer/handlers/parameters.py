"""A handler's parameters: what its first one is read as, and which one gets the Message."""

from __future__ import annotations

import collections.abc
import functools
import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Final

from consumer.handlers.api import Message
from consumer.handlers.body_types import name_of, plain_type, reader
from consumer.handlers.errors import HandlerError

if TYPE_CHECKING:
    from consumer.handlers.body_types import Reader

POSITIONAL: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
KNOWN: Final = {
    name: getattr(module, name) for module in (typing, collections.abc) for name in module.__all__
} | {"Message": Message}
"""What an annotation may name without an import at run time: linters move it to TYPE_CHECKING."""

ANYTHING: Final = (Parameter.empty, Any, object)
"""Annotations of a second parameter that fit a Message as well as anything else."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What to call a handler with.

    `read` makes the first argument from a body; None stands for a Message with a vehicle. A `batch`
    handler gets a list of these. The Message is given as the second argument if `message` is
    empty, as a keyword argument of this name if it is not, and not at all if it is None.
    """

    read: Reader | None
    batch: bool = False
    message: str | None = None


def parameters_of(function: Callable[..., object]) -> Parameters:
    """Read the parameters of a handler's function.

    Raises:
        HandlerError: a handler cannot be called like this, or no message can be read as the type.
    """
    try:
        declared = [*inspect.signature(function).parameters.values()]
    except ValueError:  # some functions written in C do not have one
        return Parameters(None)
    except Exception as error:
        raise HandlerError(f"its parameters cannot be read: {_one_line(error)}") from error
    positional = [one for one in declared if one.kind in POSITIONAL]
    others = positional[1:] + [one for one in declared if one.kind is Parameter.KEYWORD_ONLY]
    if positional:
        annotation = _resolved(function, positional[0])
    elif any(one.kind is Parameter.VAR_POSITIONAL for one in declared):
        annotation = Parameter.empty
    else:
        raise HandlerError("it has no parameter for the message: define it as handle(message)")
    batch, read = _first(annotation)
    chosen = _chosen(function, others, batch=batch)
    _refuse_required(others, chosen)
    if chosen is None:
        return Parameters(read, batch)
    second = len(positional) > 1 and chosen is positional[1]
    return Parameters(read, batch, "" if second else chosen.name)


def _first(annotation: Any) -> tuple[bool, Reader | None]:  # noqa: ANN401 - it is any object
    """Return whether the first parameter is a batch, and how its bodies are read."""
    plain: Any = plain_type(annotation)
    several = typing.get_origin(plain) in {list, Sequence}
    if plain in (list, Sequence) or (several and not typing.get_args(plain)):
        raise HandlerError(
            f"{name_of(annotation)} does not say of what: list[dict] is a batch of JSON objects, "
            "tuple[dict, ...] one body that is an array"
        )
    if several:
        return True, _reader(typing.get_args(plain)[0])
    return False, _reader(annotation)


def _reader(annotation: Any) -> Reader | None:  # noqa: ANN401 - an annotation is any object
    vehicle = annotation is Parameter.empty or plain_type(annotation) is Message
    return None if vehicle else reader(annotation)


def _chosen(
    function: Callable[..., object], others: Sequence[Parameter], *, batch: bool
) -> Parameter | None:
    """Return the parameter that gets the Message: the annotated one, or a second one without."""
    for one in others:
        if one.annotation is not Parameter.empty:
            annotation = _resolved(function, one)
            if _is_message(annotation, batch=batch):
                return one
            if one.default is Parameter.empty and annotation not in ANYTHING:
                expected = "list[Message], because it gets a batch" if batch else "Message"
                raise HandlerError(
                    f"its parameter {one.name!r} is {name_of(annotation)}: besides the body it can "
                    f"only get the message, so annotate it as {expected}, or give it a default"
                )
    second = [one for one in others[:1] if one.kind in POSITIONAL]
    return next((one for one in second if one.default is Parameter.empty), None)


def _is_message(annotation: Any, *, batch: bool) -> bool:  # noqa: ANN401 - it is any object
    plain: Any = plain_type(annotation)
    if typing.get_origin(plain) in {typing.Union, types.UnionType}:
        return any(_is_message(one, batch=batch) for one in typing.get_args(plain))
    if batch:
        several = typing.get_origin(plain) in {list, Sequence}
        return several and typing.get_args(plain)[0] is Message
    return plain is Message


def _refuse_required(others: Sequence[Parameter], chosen: Parameter | None) -> None:
    left = [one.name for one in others if one is not chosen and one.default is Parameter.empty]
    if left:
        raise HandlerError(
            f"nothing can be given for its parameter {left[0]!r}: a handler gets the body and, as "
            "its second parameter, the message; give all others a default"
        )


# The annotation itself can be any object; as text, it is read where the function was defined.
def _resolved(function: Callable[..., object], parameter: Parameter) -> Any:  # noqa: ANN401
    if parameter.annotation is Parameter.empty:
        return Parameter.empty

    def holder() -> None: ...

    holder.__annotations__ = {parameter.name: parameter.annotation}
    known = KNOWN | getattr(_innermost(function), "__globals__", {})
    try:
        return typing.get_type_hints(holder, known, include_extras=True)[parameter.name]
    except Exception as error:
        raise HandlerError(
            f"the annotation {parameter.annotation!r} of its parameter {parameter.name!r} cannot "
            f"be read: {_one_line(error)}; import the type, but not under `if TYPE_CHECKING:`"
        ) from error


def _innermost(function: Any) -> Any:  # noqa: ANN401 - any callable
    """Return the function inside partials, methods, decorators and callable objects."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        elif not inspect.isroutine(function) and inspect.ismethod(
            getattr(function, "__call__", None)  # noqa: B004 - the method itself is needed
        ):
            function = function.__call__
        else:
            return function


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
