"""Tests of a handler's parameters: what it gets, and what is refused when it is loaded."""

from __future__ import annotations

import functools
import typing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from support.builders.handlers import verdict, verdicts

from consumer.attempt import AttemptResult
from consumer.handlers.api import Message
from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import handler_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

seen: list[object] = []


class Order(msgspec.Struct):
    """An order."""

    sku: str


ORDER: typing.Final = '{"sku":"A-1"}'


@pytest.fixture(autouse=True)
def _forget() -> None:
    seen.clear()


def traced(function: Callable[..., object]) -> Callable[..., object]:
    """Decorate a function as tracing libraries do."""

    @functools.wraps(function)
    def inner(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return inner


def plain(message):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103 - as users write it
    seen.append(message)


def annotated(message: Message) -> None:
    """Get a vehicle."""
    seen.append(message)


def typed(order: Order) -> None:
    """Get an order."""
    seen.append(order)


def with_message(order: Order, message: Message) -> None:
    """Get an order and its message."""
    seen.extend([order, message])


def with_any_name(order: Order, context, retries=3):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, D103 - as users write it
    seen.extend([order, context, retries])


def with_keyword(order: Order, *, retries: int = 3, message: Message) -> None:
    """Get the message by keyword."""
    seen.extend([order, message, retries])


def with_optional(order: Order, retries: int = 3, message: Message | None = None) -> None:
    """Get the message although it has a default."""
    seen.extend([order, message, retries])


def with_default(order: Order, message: int = 5) -> None:
    """Get no message."""
    seen.extend([order, message])


def with_any(order: Order, message: Any) -> None:  # noqa: ANN401 - as users may write it
    """Get an order and its message."""
    seen.extend([order, message])


def positional(order: Order, message: Message, /) -> None:
    """Get both by position."""
    seen.extend([order, message])


class Callee:
    """An object that can be called."""

    def __call__(self, order: Order, message: Message) -> None:
        """Get an order and its message."""
        seen.extend([order, message])


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(with_message, id="both"),
        pytest.param(with_any_name, id="any name"),
        pytest.param(with_keyword, id="keyword"),
        pytest.param(with_optional, id="optional"),
        pytest.param(with_any, id="Any"),
        pytest.param(positional, id="positional"),
        pytest.param(traced(with_message), id="decorated"),
        pytest.param(traced(with_keyword), id="decorated, keyword"),
        pytest.param(functools.partial(with_keyword, retries=3), id="partial"),
        pytest.param(
            functools.partial(traced(traced(with_message))), id="partial, decorated twice"
        ),
        pytest.param(Callee(), id="object"),
        pytest.param(functools.partial(Callee()), id="partial of an object"),
    ],
)
def test_a_handler_gets_the_body_and_its_message(code: Callable[..., object]) -> None:
    """The second parameter gets the message; in another place if it is annotated so."""
    assert verdict(code, ORDER).result is AttemptResult.PROCESSED
    order, message, *_ = seen
    assert order == Order("A-1")
    assert isinstance(message, Message)
    assert (message.id, message.body) == ("id-1", ORDER)


@pytest.mark.parametrize(
    "code",
    [plain, annotated, traced(plain), seen.append],
    ids=["plain", "annotated", "wrapped", "built-in"],
)
def test_a_handler_without_an_annotation_gets_a_vehicle(code: Callable[..., object]) -> None:
    """As one whose parameter is a Message; a function written in C has no annotations."""
    assert verdict(code).result is AttemptResult.PROCESSED
    [message] = seen
    assert isinstance(message, Message)
    assert message.vehicle.vehicle_id == "VH2001"
    assert verdict(code, ORDER).result is AttemptResult.INVALID


def test_other_parameters_keep_their_defaults() -> None:
    """A second parameter of another type, too."""
    verdict(typed, ORDER)
    verdict(with_default, ORDER)
    assert seen == [Order("A-1"), Order("A-1"), 5]


def test_a_handler_may_take_any_arguments() -> None:
    """It gets the message alone."""
    assert verdict(lambda *args: seen.append(args)).result is AttemptResult.PROCESSED
    assert len(typing.cast("tuple[object]", seen[0])) == 1


def test_a_batch_handler_gets_lists() -> None:
    """Of bodies and of messages; of messages with vehicles without another annotation."""

    def handler(orders: list[dict[str, str]], messages: list[Message]) -> None:
        seen.append([*orders, *[message.id for message in messages]])

    def vehicles(messages: Sequence[Message]) -> None:
        seen.append([message.vehicle.color for message in messages])

    verdicts(handler, ORDER, ORDER)
    verdict(vehicles)
    assert seen == [[{"sku": "A-1"}, {"sku": "A-1"}, "id-1", "id-2"], ["Blue"]]


def nothing() -> None:
    """Take nothing."""


def only_keyword(*, order: Order) -> None:
    """Take no positional argument."""


def three(order: Order, message: Message, more: int) -> None:
    """Take one too many."""


def unknown_second(order: Order, retries: int) -> None:
    """Take what is no message."""


def required_keyword(order: Order, *, token: str) -> None:
    """Take what nobody gives."""


def bare_list(orders: list) -> None:  # type: ignore[type-arg]
    """Take a list of what?"""


def bare_typing_list(orders: typing.List) -> None:  # type: ignore[type-arg]  # noqa: UP006 - users may write it
    """Take a list of what?"""


def one_message_for_many(orders: list[Order], message: Message) -> None:
    """Take one message with a batch."""


def hidden(order: HiddenOrder) -> None:  # type: ignore[name-defined]  # noqa: F821 - what is tested
    """Take what is imported for type checkers only."""


def wrong_syntax(order: "list[") -> None:  # type: ignore[valid-type]  # noqa: F722 - what is tested
    """Take what cannot be read."""


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(nothing, "define it as handle(message)", id="no parameter"),
        pytest.param(only_keyword, "define it as handle(message)", id="keyword only"),
        pytest.param(three, "nothing can be given for its parameter 'more'", id="three"),
        pytest.param(unknown_second, "'retries' is `int`: besides the body", id="second"),
        pytest.param(required_keyword, "'token' is `str`", id="required keyword"),
        pytest.param(bare_list, "does not say of what: list[dict] is a batch", id="list"),
        pytest.param(bare_typing_list, "does not say of what", id="List"),
        pytest.param(one_message_for_many, "annotate it as list[Message]", id="batch"),
        pytest.param(hidden, "not under `if TYPE_CHECKING:`", id="not imported"),
        pytest.param(wrong_syntax, "SyntaxError", id="syntax"),
    ],
)
def test_a_handler_that_cannot_be_called_is_refused(
    code: Callable[..., object], reason: str
) -> None:
    """Before any message, in one line that says what to do."""
    with pytest.raises(HandlerError) as raised:
        handler_of(code)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_message_may_be_imported_for_type_checkers_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linters ask for that; the name Message is known without an import."""
    (tmp_path / "quiet_orders.py").write_text(
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from consumer.handlers.api import Message\n"
        "def handle(order: dict[str, int], message: Message) -> None: ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    quiet = __import__("quiet_orders")
    assert verdict(quiet.handle, '{"a":1}').result is AttemptResult.PROCESSED
