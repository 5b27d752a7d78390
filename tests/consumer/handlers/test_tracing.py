"""Tests of spans around handlers, with OpenTelemetry's own SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.emulators import pools

from consumer.handlers import tracing
from consumer.handlers.api import Message, Retry
from consumer.handlers.arrival import Arrival
from consumer.handlers.loading import load
from consumer.handlers.tracing import span

if TYPE_CHECKING:
    from collections.abc import Iterator

sdk = pytest.importorskip("opentelemetry.sdk.trace", reason="not in this environment: make setup")
export = pytest.importorskip("opentelemetry.sdk.trace.export")
in_memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
trace = pytest.importorskip("opentelemetry.trace")

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01"


@pytest.fixture(scope="module")
def exporter() -> Any:  # noqa: ANN401 - a class of the SDK, which may not be there
    """Provide what keeps spans; a process has one provider for good."""
    exporter = in_memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(exporter: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Provide a function that returns the spans of this test."""
    exporter.clear()
    yield exporter.get_finished_spans
    exporter.clear()


def message(number: int = 1, parent: str | None = None) -> Message:
    """Return a message of a trace."""
    return Message(f"id-{number}", "{}", attributes={"traceparent": parent} if parent else {})


def test_a_span_continues_the_trace_of_its_message(spans: Any) -> None:  # noqa: ANN401 - as above
    """Trace and parent are those of the attribute traceparent; spans inside are its children."""
    with span([message(parent=PARENT)]), trace.get_tracer("mine").start_as_current_span("inner"):
        pass
    inner, outer = spans()
    assert f"{outer.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{outer.parent.span_id:016x}" == "b7ad6b7169203331"
    assert inner.parent.span_id == outer.context.span_id
    assert outer.attributes["messaging.message.id"] == "id-1"
    assert outer.kind is trace.SpanKind.CONSUMER
    assert outer.status.status_code is trace.StatusCode.UNSET


def test_a_message_without_a_trace_begins_one(spans: Any) -> None:  # noqa: ANN401 - as above
    """A span that happens to be open in this thread is not its parent."""
    with trace.get_tracer("mine").start_as_current_span("ambient"), span([message()]):
        pass
    assert spans()[0].parent is None


def test_a_batch_is_linked_to_the_traces_of_its_messages(spans: Any) -> None:  # noqa: ANN401 - as above
    """One span cannot have several parents."""
    with span([message(1, PARENT), message(2), message(3, OTHER)]):
        pass
    [batch] = spans()
    assert batch.parent is None
    assert [f"{link.context.trace_id:032x}"[:4] for link in batch.links] == ["0af7", "5759"]
    assert batch.attributes["messaging.batch.message_count"] == 3


@pytest.mark.parametrize(
    ("error", "status", "events"),
    [
        pytest.param(ValueError("no"), "ERROR", ["exception"], id="a failure"),
        pytest.param(SystemExit(1), "ERROR", ["exception"], id="an exit"),
        pytest.param(Retry(5), "UNSET", [], id="a retry"),
    ],
)
def test_what_a_handler_raises_is_its_spans_error(
    spans: Any,  # noqa: ANN401 - as above
    error: BaseException,
    status: str,
    events: list[str],
) -> None:
    """The exception goes on to the caller; a message that is to be retried has not failed."""
    with pytest.raises(type(error)), span([message()]):
        raise error
    [only] = spans()
    assert only.status.status_code.name == status
    assert [event.name for event in only.events] == events


def handle(body: dict[str, Any]) -> None:
    """Fail if the body says so, in a span of its own."""
    with trace.get_tracer("mine").start_as_current_span("work"):
        if body.get("fail"):
            raise ValueError("told to")


async def handle_async(body: dict[str, Any]) -> None:
    """Do the same as a coroutine."""
    handle(body)


@pytest.mark.parametrize("name", ["handle", "handle_async"])
def test_every_call_of_a_handler_has_a_span(spans: Any, name: str) -> None:  # noqa: ANN401 - as above
    """The spans that the handler opens are inside of it."""
    handler = load(f"{__name__}:{name}")
    attributes: dict[str, str | bytes] = {"traceparent": PARENT}
    arrivals = [
        Arrival("id-1", body, 1, 0, 0, 2e9, attributes, {}) for body in ("{}", '{"fail": true}')
    ]
    for arrival in arrivals:
        handler.call([arrival], lambda _place, _seconds: None)
    handler.shutdown()
    names = [(each.name, each.status.status_code.name) for each in spans()]
    assert names == [
        ("work", "UNSET"),
        ("process", "UNSET"),
        ("work", "ERROR"),
        ("process", "ERROR"),
    ]
    assert {each.context.trace_id for each in spans()} == {int(PARENT[3:35], 16)}


@pytest.mark.impure
def test_a_span_is_open_in_a_worker_process() -> None:
    """Whatever instruments the handler's own calls there continues the message's trace."""
    with pools.running("support.examples.kinds_of_handlers:prints_its_trace") as pool:
        pool.do({}, attributes={"traceparent": PARENT})
        assert pool.seen.texts("m1") == [PARENT[3:35]]


def test_without_opentelemetry_there_is_no_span(
    spans: Any,  # noqa: ANN401 - as above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The context is one that does nothing, the same for every call."""
    monkeypatch.setattr(tracing, "INSTALLED", False)
    with span([message()]):
        pass
    assert span([message()]) is span([message(2)])
    assert spans() == ()


@pytest.mark.parametrize("idle", ["ProxyTracerProvider", "NoOpTracerProvider"])
def test_without_a_provider_only_a_trace_to_pass_on_opens_a_span(
    monkeypatch: pytest.MonkeyPatch, idle: str
) -> None:
    """Nobody would record the others, and they cost more than a fast handler."""
    monkeypatch.setattr(trace, "get_tracer_provider", getattr(trace, idle))
    nothing = span([message()])
    assert span([message(2, "malformed")]) is nothing
    assert span([message(1, PARENT), message(2, OTHER)]) is nothing
    with span([message(parent=PARENT)]):
        context = trace.get_current_span().get_span_context()
    assert f"{context.trace_id:032x}" == PARENT[3:35]
