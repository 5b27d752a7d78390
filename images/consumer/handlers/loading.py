"""Loading a handler: from HANDLER's text to code that can be called, or the reason why not."""

from __future__ import annotations

import importlib
import inspect
import traceback
from typing import TYPE_CHECKING, Any

from consumer.handlers.calling import Code, CodeHandler
from consumer.handlers.errors import HandlerError
from consumer.handlers.parameters import parameters_of
from consumer.handlers.verdict import describe

if TYPE_CHECKING:
    from types import ModuleType

    from consumer.handlers.handler import Handler


def load(path: str) -> Handler:
    """Import the handler named by `package.module:name`: a function, a class or an object.

    Raises:
        HandlerError: nothing is there, the import failed, or it cannot be called as a handler.
    """
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise HandlerError(f"HANDLER={path!r}: give package.module:function")
    named = f"HANDLER={path!r}"
    try:
        return handler_of(_found(_imported(module_name), module_name, name), named)
    except HandlerError as error:
        raise HandlerError(f"{named}: {error}") from error


def handler_of(target: Any, named: str = "the handler") -> Handler:  # noqa: ANN401 - any object
    """Return the handler that a function, a class or an object is.

    Args:
        target: what was found.
        named: how errors of its startup and shutdown call it.

    Raises:
        HandlerError: it cannot be called as a handler; the text does not name it.
    """
    if isinstance(target, type):
        target = _instance(target)
    method = getattr(target, "handle", None)
    handle = method if callable(method) else target
    if not callable(handle):
        raise HandlerError(f"it is of the type {type(target).__name__}, not a function or a class")
    _refuse_generator(handle, "it")
    lifecycle = {}
    for name in ("startup", "shutdown"):
        # Only objects with `handle` have them: a function's attributes are none of our business.
        found = getattr(target, name, None) if handle is method else None
        if found is not None:
            _check_lifecycle(name, found)
        lifecycle[name] = found
    return CodeHandler(Code(handle, **lifecycle), parameters_of(handle), named)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            advice = "leave out .py" if error.name.endswith(".py") else "is it on PYTHONPATH?"
            raise HandlerError(f"there is no module {error.name!r}; {advice}") from error
        raise _failed_import(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed_import(name, error) from error


def _failed_import(name: str, error: BaseException) -> HandlerError:
    """Return the error of a module that cannot be imported, with the line that raised it."""
    raised = [*traceback.walk_tb(error.__traceback__)][-1]
    file, line = raised[0].f_code.co_filename, raised[1]
    # A syntax error names its own line; Python's import machinery has no file.
    where = "" if isinstance(error, SyntaxError) or file.startswith("<") else f" ({file}:{line})"
    return HandlerError(f"importing {name!r} failed with {describe(error)}{where}")


def _found(module: ModuleType, module_name: str, path: str) -> object:
    """Return what the dotted path leads to in the module."""
    found: object = module
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            raise HandlerError(f"module {module_name!r} has no function {path!r}") from error
    if not callable(found) and not hasattr(found, "handle"):
        raise HandlerError(f"{path!r} is of the type {type(found).__name__}, not a function")
    return found


def _instance(cls: type) -> object:
    """Create the object of a class, which takes no arguments."""
    if not callable(getattr(cls, "handle", None)):
        raise HandlerError(f"the class {cls.__name__} has no method `handle`: define it")
    if inspect.isabstract(cls):
        missing = ", ".join(sorted(getattr(cls, "__abstractmethods__", ())))
        raise HandlerError(f"the class {cls.__name__} is abstract: implement {missing}")
    try:
        return cls()
    except (Exception, SystemExit) as error:
        raise HandlerError(
            f"creating {cls.__name__} without arguments failed with {describe(error)}"
        ) from error


def _check_lifecycle(name: str, function: Any) -> None:  # noqa: ANN401 - any object
    if not callable(function):
        raise HandlerError(f"its {name} is a {type(function).__name__}: make it a method")
    _refuse_generator(function, f"its {name}")
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise HandlerError(f"its {name} has parameters, but gets none: {error}") from error
    except ValueError:  # some functions written in C have no signature
        pass


def _refuse_generator(function: Any, what: str) -> None:  # noqa: ANN401 - any callable
    for kind in (inspect.isgeneratorfunction, inspect.isasyncgenfunction):
        if kind(function) or kind(getattr(function, "__call__", None)):  # noqa: B004 - the method
            raise HandlerError(
                f"{what} is a generator, whose code would never run: use return instead of yield"
            )
