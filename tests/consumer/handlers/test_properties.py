"""Properties of every handler: whatever arrives or happens, each message has a verdict."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Final, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.handlers import arrival, verdict, verdicts

from consumer.attempt import AttemptResult
from consumer.handlers.api import Reject, Retry
from consumer.handlers.loading import handler_of
from consumer.handlers.verdict import REASON_LIMIT, Verdict


class Order(msgspec.Struct):
    """An order as a msgspec Struct."""

    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=0)] = 1
    notes: dict[str, Any] = {}


class Model(pydantic.BaseModel):
    """An order as a model of pydantic."""

    sku: str
    quantity: int = 1


def _vehicle(message: object) -> None: ...
def _struct(body: Order) -> None: ...
def _model(body: Model) -> None: ...
def _object(body: dict[str, Any]) -> None: ...
def _anything(body: Any) -> None: ...  # noqa: ANN401 - what is tested
def _optional(body: Order | None) -> None: ...
def _union(body: Model | dict[str, int] | None) -> None: ...
def _literal(body: Literal["a", 1]) -> None: ...
def _text(body: str) -> None: ...
def _bytes(body: bytes) -> None: ...
def _short(body: Annotated[str, msgspec.Meta(max_length=3)]) -> None: ...
def _batch(bodies: list[Order]) -> None: ...
async def _async(body: Order) -> None: ...


HANDLERS: Final = [
    *(_vehicle, _struct, _model, _object, _anything, _optional, _union, _literal, _text, _bytes),
    *(_short, _batch, _async),
]
RAW: Final = [_text, _bytes, _short]

KEYS: Final = st.sampled_from(["sku", "quantity", "notes", "vehicleId", "a:", "", "é"])
VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(), inner, max_size=4)
    ),
)
BODIES: Final = (
    st.text(st.characters())
    | VALUES.map(json.dumps)
    | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False, indent=1))
)


@pytest.mark.long
@pytest.mark.parametrize("code", HANDLERS, ids=lambda code: code.__name__.strip("_"))
@settings(deadline=None)
@given(body=BODIES)
def test_any_body_is_processed_or_invalid(code: Any, body: str) -> None:  # noqa: ANN401 - any code
    """Never an exception; what is no JSON is invalid unless the handler takes raw bodies."""
    handler = handler_of(code)
    [found] = handler.call([arrival(body)], lambda _place, _seconds: None)
    handler.shutdown()
    assert found.result in {AttemptResult.PROCESSED, AttemptResult.INVALID}
    assert (found.reason is None) == (found.result is AttemptResult.PROCESSED)
    if found.result is AttemptResult.PROCESSED and code not in RAW:
        json.loads(body)


class Pairs(list[tuple[str, object]]):
    """A JSON object as it is written, in which a key may be twice."""

    def text(self) -> str:
        """Return the JSON."""
        pairs = ",".join(f"{json.dumps(key)} : {_text_of(one)}" for key, one in self)
        return f"{{{pairs}}}"


def _text_of(value: object) -> str:
    if isinstance(value, Pairs):
        return value.text()
    if isinstance(value, list):
        return f"[{', '.join(map(_text_of, value))}]"
    return json.dumps(value)


def _twice(value: object) -> bool:
    """Return whether an object inside has a key twice."""
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len({*keys}) < len(keys) or any(_twice(one) for _, one in value)
    return isinstance(value, list) and any(map(_twice, value))


WRITTEN: Final = st.recursive(
    st.none() | st.integers(-9, 9) | st.sampled_from(["", ":", '"a":', "\\"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(value=WRITTEN)
def test_a_body_is_refused_exactly_if_a_key_is_twice_in_an_object(value: object) -> None:
    """At any depth, with colons in texts and in keys."""
    found = verdict(_anything, _text_of(value))
    assert (found.result is AttemptResult.INVALID) == _twice(value)


@settings(deadline=None)
@given(pairs=st.lists(st.tuples(KEYS, st.just("x")), max_size=4).map(Pairs))
def test_the_same_holds_for_a_type_with_fields(pairs: Pairs) -> None:
    """Fields that the type does not know count, too."""

    def handler(_: Loose) -> None: ...

    assert (verdict(handler, pairs.text()).result is AttemptResult.INVALID) == (
        _twice(pairs) or "sku" not in dict(pairs)
    )


class Loose(msgspec.Struct):
    """A Struct with one field that is needed."""

    sku: str
    quantity: str = ""


class Rude(Exception):  # noqa: N818 - what is tested
    """An exception with a text of its own."""

    def __init__(self, text: object) -> None:
        """Keep any object."""
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        """Return what may be no text, which raises a TypeError."""
        return self.text  # type: ignore[return-value]


ERRORS: Final = st.one_of(
    st.text(st.characters()).map(ValueError),
    st.text(st.characters()).map(Reject),
    st.floats(0, 43_200).map(Retry),
    st.text().map(KeyError),
    st.integers().map(SystemExit),
    st.builds(KeyboardInterrupt),
    st.builds(asyncio.CancelledError),
    st.builds(GeneratorExit),
    st.builds(StopIteration),
    st.builds(StopAsyncIteration),
    (st.text(st.characters()) | st.none() | st.integers()).map(Rude),
    st.lists(st.text().map(ValueError), min_size=1).map(lambda found: ExceptionGroup("", found)),
)
OUTCOMES: Final = {
    AttemptResult.PROCESSED,
    AttemptResult.FAILED,
    AttemptResult.REJECTED,
    AttemptResult.RETRY,
}


def _checked(found: Verdict) -> None:
    assert found.result in OUTCOMES
    assert len(found.reason or "") <= REASON_LIMIT
    assert (found.retry_after is not None) == (found.result is AttemptResult.RETRY)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=Verdict) == found


@settings(deadline=None)
@given(error=ERRORS)
def test_whatever_is_raised_or_returned_is_a_verdict(error: BaseException) -> None:
    """In sync, async and batch handlers; a raised error and a returned one mean the same."""

    def raises(_: str) -> None:
        raise error

    async def raises_later(_: str) -> None:
        raise error

    def raises_for_all(_: list[str]) -> None:
        raise error

    found = verdict(raises, "x")
    _checked(found)
    assert found.result is not AttemptResult.PROCESSED
    if not isinstance(error, (StopIteration, StopAsyncIteration)):  # RuntimeError in a coroutine
        assert verdict(raises_later, "x") == found
    assert verdicts(raises_for_all, "x", "y") == [found, found]
    assert verdict(lambda _: error).result is found.result


@settings(deadline=None)
@given(value=st.lists(st.none() | ERRORS | VALUES, max_size=3) | VALUES)
def test_whatever_a_batch_handler_returns_is_a_verdict_on_each_message(value: object) -> None:
    """Processed only where that is certain."""

    def handler(_: list[str]) -> object:
        return value

    found = verdicts(handler, "x", "y")
    assert len(found) == 2
    for place, one in enumerate(found):
        _checked(one)
        if one.result is AttemptResult.PROCESSED and value is not None:
            assert isinstance(value, list)
            assert value[place] is None
