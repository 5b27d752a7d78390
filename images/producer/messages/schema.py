"""Schema: checks bodies against a type of the user's, a JSON Schema, or the exercise's vehicle."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import msgspec.inspect

from producer.errors import UsageError
from shared.errors import InvalidMessageError
from shared.message import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[bytes], object]

VEHICLE: Final = "vehicle"

FILE: Final = ".json"


def schema_of(given: str, latest_year: int) -> Check:
    """Return a function that raises InvalidMessageError for a body that does not fit.

    Args:
        given: `vehicle`, `module:Type`, or the name of a file with a JSON Schema.
        latest_year: the newest model year of a vehicle.

    Raises:
        UsageError: there is no such type or file, or nothing can be validated against it.
    """
    if given == VEHICLE:
        return lambda body: parse(body, latest_year)
    if given.endswith(FILE):
        return _of_file(Path(given))
    return _of_type(given)


def _of_type(given: str) -> Check:
    module_name, colon, name = given.partition(":")
    if not (colon and module_name and name):
        raise UsageError(f"--schema {given}: give vehicle, module:Type, or a file.json")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module_name)
        for step in name.split("."):
            found = getattr(found, step)
    except Exception as error:  # a user's module may raise anything
        raise UsageError(f"--schema {given}: {type(error).__name__}: {error}") from error
    if hasattr(found, "model_validate_json"):
        return _of_pydantic(found)
    return _of_msgspec(given, found)


def _of_msgspec(given: str, found: Any) -> Check:  # noqa: ANN401 - what a name means may be any object
    if inspect.isroutine(found):
        raise UsageError(f"--schema {given}: it is a function: name the type of its messages")
    try:
        decoder = msgspec.json.Decoder(found)
        known = not isinstance(msgspec.inspect.type_info(found), msgspec.inspect.CustomType)
    except (TypeError, NameError) as error:
        raise UsageError(f"--schema {given}: {error}") from error
    if not known:
        raise UsageError(
            f"--schema {given}: no message can be of this class: make it a dataclass, a "
            "msgspec.Struct, a TypedDict or a model of pydantic"
        )

    def check(body: bytes) -> None:
        try:
            decoder.decode(body)
        except msgspec.MsgspecError as error:
            raise InvalidMessageError(str(error)) from error
        except (ValueError, TypeError) as error:  # of the type's own __post_init__
            raise InvalidMessageError(f"{type(error).__name__}: {error}") from error

    return check


def _of_pydantic(model: Any) -> Check:  # noqa: ANN401 - pydantic need not be installed
    def check(body: bytes) -> None:
        try:
            model.model_validate_json(body)
        except ValueError as error:  # pydantic's ValidationError is one
            raise InvalidMessageError(_first(error)) from error

    return check


def _first(error: Any) -> str:  # noqa: ANN401 - as above
    """Return the first of pydantic's errors in one line, in msgspec's form."""
    try:
        first = error.errors()[0]
        path = ".".join(["$", *map(str, first["loc"])])
        return f"{first['msg']} - at `{path}`"
    except (AttributeError, LookupError):
        return str(error).splitlines()[0]


def _of_file(path: Path) -> Check:
    try:
        # Imported here, because few runs need it and it is slow to import.
        from jsonschema.exceptions import SchemaError, best_match  # noqa: PLC0415 - as above
        from jsonschema.validators import validator_for  # noqa: PLC0415 - as above
        from jsonschema_specifications import REGISTRY  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            f"--schema {path}: a JSON Schema needs the package jsonschema: {error}"
        ) from error
    try:
        schema = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--schema {path}: cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise UsageError(f"--schema {path}: not JSON: {error}") from error
    if not isinstance(schema, dict | bool):
        raise UsageError(f"--schema {path}: a JSON Schema is an object")
    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise UsageError(f"--schema {path}: no JSON Schema: {error.message}") from error
    # A registry of the published drafts alone: nothing is ever fetched from the network.
    validator = kind(schema, registry=REGISTRY)

    def check(body: bytes) -> None:
        try:
            error = best_match(validator.iter_errors(msgspec.json.decode(body)))
        except Exception as failure:  # a reference that cannot be resolved, at any depth
            raise UsageError(f"--schema {path}: {failure}") from failure
        if error is not None:
            raise InvalidMessageError(f"{error.message} - at `{error.json_path}`")

    return check
