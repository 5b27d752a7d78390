"""Tests of handlers that are classes: connections that are opened once and closed at the end."""

from __future__ import annotations

import abc
import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.builders.handlers import verdicts
from support.fakes.consuming import CIVIC

from consumer.handlers.errors import HandlerError
from consumer.handlers.loading import handler_of
from consumer.handlers.verdict import PROCESSED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.handlers.api import Message

done: list[str] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    done.clear()


class Plain:
    """A handler with both ends."""

    def startup(self) -> None:
        """Open a connection."""
        done.append("startup")

    def handle(self, message: Message) -> None:
        """Use it."""
        done.append(message.id)

    def shutdown(self) -> None:
        """Close it."""
        done.append("shutdown")


class Mixed(Plain):
    """A handler whose ends alone are async."""

    async def startup(self) -> None:  # type: ignore[override]
        """Open a connection."""
        await asyncio.sleep(0)
        super().startup()

    async def shutdown(self) -> None:  # type: ignore[override]
        """Close it."""
        await asyncio.sleep(0)
        super().shutdown()


class AllAsync(Mixed):
    """A handler that is async as a whole."""

    async def handle(self, message: Message) -> None:  # type: ignore[override]
        """Use the connection."""
        await asyncio.sleep(0)
        super().handle(message)


class LoopAtStart(AllAsync):
    """A client of aiohttp, for example, can only be created where a loop runs."""

    def startup(self) -> None:  # type: ignore[override]
        """Open a connection."""
        asyncio.get_running_loop()
        done.append("startup")


@pytest.mark.parametrize("code", [Plain, Mixed, AllAsync, LoopAtStart])
def test_a_class_is_started_once_and_shut_down_once(code: type) -> None:
    """With any mix of sync and async methods."""
    assert verdicts(code, *[CIVIC] * 2) == [PROCESSED] * 2
    assert done == ["startup", "id-1", "id-2", "shutdown"]


def test_an_object_works_like_its_class() -> None:
    """For a handler that needs arguments."""
    handler_of(Plain()).startup()
    assert done == ["startup"]


def test_only_handle_is_needed() -> None:
    """Neither startup nor shutdown."""

    class Short:
        def handle(self, message: Message) -> None:
            done.append(message.id)

    verdicts(Short, CIVIC)
    assert done == ["id-1"]


class Abstract(abc.ABC):
    """A class without code."""

    @abc.abstractmethod
    def handle(self, message: Message) -> None:
        """Do something."""


class NeedsArguments(Plain):
    """A class that cannot be created without arguments."""

    def __init__(self, url: str) -> None:
        """Need a URL."""


class Exits(Plain):
    """A class that ends the program."""

    def __init__(self) -> None:
        """Exit."""
        raise SystemExit("no database")


class Without:
    """A class with another method."""

    def process(self, message: Message) -> None:
        """Do something."""


class Generates:
    """A class whose handle is a generator."""

    def handle(self, message: Message) -> Iterator[Message]:
        """Yield."""
        yield message


class StartGenerates(Plain):
    """A class whose startup is a generator."""

    def startup(self) -> Iterator[None]:  # type: ignore[override]
        """Yield, as in a fixture."""
        yield


class StartNeeds(Plain):
    """A class whose startup needs something."""

    def startup(self, settings: object) -> None:  # type: ignore[override]
        """Need settings."""


class StartText(Plain):
    """A class whose startup is no method."""

    startup: Any = "now"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param(Abstract, "Abstract is abstract: implement handle", id="abstract"),
        pytest.param(NeedsArguments, "creating NeedsArguments without arguments", id="arguments"),
        pytest.param(Exits, "failed with SystemExit: no database", id="exits"),
        pytest.param(Without, "Without has no method `handle`: define it", id="no handle"),
        pytest.param(Generates, "it is a generator, whose code would never run", id="generator"),
        pytest.param(StartGenerates, "its startup is a generator", id="startup generates"),
        pytest.param(StartNeeds, "its startup has parameters, but gets none", id="startup needs"),
        pytest.param(StartText, "its startup is a str: make it a method", id="startup is text"),
    ],
)
def test_a_class_that_cannot_be_used_is_refused(code: type, reason: str) -> None:
    """Before any message, in one line that says what to do."""
    with pytest.raises(HandlerError) as raised:
        handler_of(code)
    assert reason in str(raised.value)


class Failing(Plain):
    """A handler with ends that fail."""

    def startup(self) -> None:
        """Fail."""
        raise ConnectionError("no answer\nfrom the database")

    def shutdown(self) -> None:
        """Exit."""
        raise SystemExit(4)


class AsyncFailing(Failing):
    """The same, async."""

    async def startup(self) -> None:  # type: ignore[override]
        """Fail."""
        await asyncio.sleep(0)
        super().startup()


@pytest.mark.parametrize("code", [Failing, AsyncFailing])
def test_a_startup_that_fails_is_reported_with_its_error(code: type) -> None:
    """So the consumer ends before it receives anything; the same with a shutdown."""
    handler = handler_of(code, "HANDLER='orders:Handler'")
    with pytest.raises(HandlerError) as raised:
        handler.startup()
    assert str(raised.value) == (
        "HANDLER='orders:Handler': its startup failed with ConnectionError: no answer from the "
        "database"
    )
    with pytest.raises(HandlerError, match="its shutdown failed with SystemExit: 4"):
        handler.shutdown()


def test_a_startup_that_nobody_would_await_is_reported() -> None:
    """A method without async that returns a coroutine."""

    class Forgetful(Plain):
        def startup(self) -> Any:  # noqa: ANN401 - what is tested
            return asyncio.sleep(0)

    with pytest.raises(HandlerError, match="its startup returned a coroutine that nobody awaits"):
        handler_of(Forgetful).startup()
