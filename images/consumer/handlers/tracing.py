"""Tracing: a span of OpenTelemetry around each call of a handler, where OpenTelemetry is installed.

The span continues the message's trace (consumer.messages.trace); that of a batch has links to the
traces of its messages. Without opentelemetry-api in the image there is no span and no cost. Without
a provider that user code sets up, a span would do no more than pass the message's trace on, so only
a message that has one gets it.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final

from consumer.handlers.api import Retry
from consumer.messages.trace import TRACEPARENT, TRACESTATE, traceparent

try:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True
    _IDLE_PROVIDERS: Final = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from consumer.handlers.api import Message

_NOTHING: Final = nullcontext()


def span(messages: Sequence[Message]) -> AbstractContextManager[None]:
    """Return the context in which a handler is called with these messages."""
    return _span(messages) if INSTALLED and _is_of_use(messages) else _NOTHING


def _is_of_use(messages: Sequence[Message]) -> bool:
    """Return whether a span is recorded by somebody, or has a trace to pass on."""
    if type(trace.get_tracer_provider()) not in _IDLE_PROVIDERS:
        return True
    if len(messages) != 1:
        return False  # its links would be lost
    (only,) = messages
    if not (only.attributes or only.system_attributes):
        return False
    return traceparent(only.attributes, only.system_attributes) is not None


@contextmanager
def _span(messages: Sequence[Message]) -> Iterator[None]:
    """Open the span; an exception of the handler is its error, `Retry` apart."""
    parents = [_parent(message) for message in messages]
    one = len(messages) == 1
    with trace.get_tracer("tidemill").start_as_current_span(
        "process",
        context=parents[0] if one else None,
        kind=trace.SpanKind.CONSUMER,
        attributes=_attributes(messages),
        links=[] if one else _links(parents),
        record_exception=False,
        set_status_on_exception=False,
    ) as opened:
        try:
            yield
        except Retry:
            raise
        except BaseException as error:
            with suppress(BaseException):  # the exception's own __str__ may raise anything
                opened.record_exception(error)
            opened.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


def _parent(message: Message) -> Any:  # noqa: ANN401 - OpenTelemetry may not be there
    """Return the context that the message's sender has given it."""
    carrier = {TRACEPARENT: traceparent(message.attributes, message.system_attributes) or ""}
    state = message.attributes.get(TRACESTATE)
    if isinstance(state, str):
        carrier[TRACESTATE] = state
    return TraceContextTextMapPropagator().extract(
        carrier, trace.set_span_in_context(trace.INVALID_SPAN)
    )


def _links(parents: Sequence[Any]) -> list[Any]:
    contexts = (trace.get_current_span(parent).get_span_context() for parent in parents)
    return [trace.Link(context) for context in contexts if context.is_valid]


def _attributes(messages: Sequence[Message]) -> dict[str, str | int]:
    """Return what OpenTelemetry's conventions for messaging ask for."""
    about: dict[str, str | int] = {
        "messaging.system": "aws_sqs",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
    }
    if len(messages) == 1:
        return {**about, "messaging.message.id": messages[0].id}
    return {**about, "messaging.batch.message_count": len(messages)}
