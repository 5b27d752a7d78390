"""Body types: what the annotation of a handler's first parameter means for the messages' bodies."""

from __future__ import annotations

import dataclasses
import json
import sys
import typing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import msgspec
import msgspec.inspect

from consumer.handlers.api import Message
from consumer.handlers.errors import HandlerError
from shared.errors import InvalidMessageError
from shared.message import Vehicle, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from consumer.handlers.arrival import Arrival
    from shared.message import Parsed

Reader: TypeAlias = "Callable[[str], object]"
"""Turns a body into the handler's first argument; raises InvalidMessageError."""

PROBLEMS_SHOWN: Final = 3
"""How many of pydantic's problems with one body are put into the log line."""

_VEHICLE_KEYS: Final = len(Vehicle.__struct_fields__)
_NOT_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)
_ADVICE: Final = (
    "use a msgspec.Struct, a dataclass, a TypedDict, a pydantic model or dict for JSON, "
    "str or bytes for the raw body"
)


def reader(annotation: Any) -> Reader:  # noqa: ANN401 - an annotation is any object
    """Return the reader for an annotation other than Message.

    Raises:
        HandlerError: no message can be read as such a type.
    """
    if (plain := plain_type(annotation)) in {str, bytes}:
        return _raw(annotation, str.encode if plain is bytes else str)
    if any(map(_is_pydantic, _parts(annotation))):
        return _pydantic(annotation)
    return _json(Any if annotation is object else annotation)


def read_vehicle(arrival: Arrival) -> Parsed:
    """Read the body for a handler without an annotation of its own."""
    latest_year = datetime.fromtimestamp(arrival.received_at, UTC).year + 1
    parsed = parse(arrival.body, latest_year)
    _refuse_duplicates(arrival.body, _VEHICLE_KEYS + len(parsed.extra))
    return parsed


def message_of(
    arrival: Arrival, on_extend: Callable[[float], None], parsed: Parsed | None = None
) -> Message:
    """Return the message as a handler gets it, `parsed` if it expects a vehicle."""
    return Message(
        id=arrival.message_id,
        body=arrival.body,
        attributes=arrival.attributes,
        system_attributes=arrival.system,
        receive_count=arrival.receive_count,
        sent_at=arrival.sent_at,
        received_at=arrival.received_at,
        deadline=arrival.deadline,
        parsed=parsed,
        on_extend=on_extend,
    )


def _raw(annotation: object, encode: Callable[[str], object]) -> Reader:
    """Return the reader of a raw body, which checks the limits of an Annotated type, if any."""

    def read(body: str) -> object:
        try:
            return msgspec.convert(encode(body), annotation)
        except msgspec.ValidationError as error:
            raise InvalidMessageError(str(error)) from error
        except UnicodeError as error:
            raise InvalidMessageError(f"not UTF-8: {error}") from error

    return read


def _json(annotation: Any) -> Reader:  # noqa: ANN401 - an annotation is any object
    keys = _required_keys(annotation)
    try:
        decoder = msgspec.json.Decoder(annotation)
        unknown = sorted(_unknown_types(msgspec.inspect.type_info(annotation)))
    except Exception as error:
        reason = " ".join(str(error).split())
        raise HandlerError(f"no message can be read as {name_of(annotation)}: {reason}") from error
    if unknown and _pydantic_can(annotation):
        return _pydantic(annotation)
    if unknown:
        raise HandlerError(f"no message can be read as {', '.join(unknown)}: {_ADVICE}")

    def read(body: str) -> object:
        try:
            value = decoder.decode(body)
        except msgspec.ValidationError as error:
            raise InvalidMessageError(str(error)) from error
        except _NOT_JSON as error:
            raise InvalidMessageError(f"not JSON: {error}") from error
        _refuse_duplicates(body, len(value) if isinstance(value, dict) else keys)
        return value

    return read


def _pydantic(annotation: Any) -> Reader:  # noqa: ANN401 - an annotation is any object
    """Return the reader of a type that pydantic validates; it is installed if a handler uses it."""
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is None or not hasattr(pydantic, "TypeAdapter"):
        raise HandlerError(f"reading {name_of(annotation)} needs pydantic 2")
    try:
        adapter = pydantic.TypeAdapter(annotation)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise HandlerError(f"no message can be read as {name_of(annotation)}: {reason}") from error

    def read(body: str) -> object:
        try:
            value: object = adapter.validate_json(body)
        except pydantic.ValidationError as error:
            raise InvalidMessageError(_problems(error)) from error
        _refuse_duplicates(body, 1)
        return value

    return read


def _problems(error: Any) -> str:  # noqa: ANN401 - pydantic may not be installed
    """Return pydantic's problems as msgspec writes them: what is wrong, and where."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    texts = []
    for problem in found[:PROBLEMS_SHOWN]:
        steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in problem["loc"])
        texts.append(f"{problem['msg']} - at `${''.join(steps)}`")
    more = len(found) - PROBLEMS_SHOWN
    return "; ".join(texts) + (f"; and {more} more" if more > 0 else "")


def _refuse_duplicates(body: str, keys: int) -> None:
    """Refuse a valid JSON text in which an object has a key twice: which one was meant?

    No key is there twice if the text has no more colons than `keys`, the number of different ones
    that it has at least; only other texts are read once more.
    """
    if body.count(":") > max(keys, 1):
        _pairs_decoder.decode(body)


def _unique(pairs: list[tuple[str, object]]) -> None:
    if len(dict(pairs)) == len(pairs):
        return
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise InvalidMessageError(f"the key {key!r} is twice in one object")
        seen.add(key)


# Numbers are of no interest here, and `int` refuses those of more than 4,300 digits.
_pairs_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_int=len, parse_float=len)


def _required_keys(annotation: object) -> int:
    """Return how many different keys each valid body has at least."""
    if not isinstance(annotation, type):
        return 1
    if issubclass(annotation, msgspec.Struct):
        fields = msgspec.structs.fields(annotation)
        tagged = annotation.__struct_config__.tag is not None
        return sum(field.required for field in fields) + tagged
    return 1


def plain_type(annotation: Any) -> object:  # noqa: ANN401 - an annotation is any object
    """Return the type inside Annotated, NewType and `type` statements."""
    while True:
        if typing.get_origin(annotation) is Annotated:
            annotation = annotation.__origin__
        elif type(annotation).__name__ == "TypeAliasType":  # Python 3.12
            annotation = annotation.__value__
        elif hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        else:
            return annotation


def _parts(annotation: Any) -> Iterator[object]:  # noqa: ANN401 - an annotation is any object
    """Yield the annotation and the types that it consists of."""
    yield annotation
    for part in typing.get_args(annotation):
        if not isinstance(part, (str, int)):
            yield from _parts(part)


def _is_pydantic(part: object) -> bool:
    return isinstance(part, type) and (
        hasattr(part, "__pydantic_validator__")
        or hasattr(part, "parse_raw")  # a model of pydantic 1
    )


def _pydantic_can(annotation: object) -> bool:
    """Return whether a type that msgspec cannot read as a whole may contain pydantic's models."""
    plain = plain_type(annotation)
    return "pydantic" in sys.modules and (
        dataclasses.is_dataclass(plain) or typing.is_typeddict(plain)
    )


def _unknown_types(info: msgspec.inspect.Type) -> set[str]:
    """Return the names of the classes inside a type that msgspec cannot read."""
    found: set[str] = set()
    open_: list[Any] = [info]
    seen: set[int] = set()
    while open_:
        node = open_.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, msgspec.inspect.CustomType):
            found.add(name_of(node.cls))
        elif isinstance(node, (msgspec.inspect.Type, msgspec.inspect.Field)):
            open_ += _children(getattr(node, name) for name in node.__struct_fields__)
    return found


def _children(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, tuple):
            yield from value
        elif isinstance(value, (msgspec.inspect.Type, msgspec.inspect.Field)):
            yield value


def name_of(annotation: object) -> str:
    """Return an annotation as its author wrote it, more or less."""
    if isinstance(annotation, type):
        return f"`{annotation.__name__}`"
    return f"`{annotation}`".replace("typing.", "")
