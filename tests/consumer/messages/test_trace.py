"""Tests of trace ids, on the examples of W3C's "Trace Context" and of X-Ray's developer guide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.messages.trace import trace_id, traceparent

W3C = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        pytest.param(W3C, "0af7651916cd43dd8448eb211c80319c", id="version 00"),
        pytest.param(
            f"cc{W3C[2:]}-what-the-future", "0af7651916cd43dd8448eb211c80319c", id="a later version"
        ),
        pytest.param(f"{W3C}-more", None, id="version 00 with more"),
        pytest.param(f"ff{W3C[2:]}", None, id="the forbidden version"),
        pytest.param(W3C.upper(), None, id="upper case"),
        pytest.param(W3C.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), None, id="no id"),
        pytest.param(W3C.replace("b7ad6b7169203331", "0" * 16), None, id="no parent"),
        pytest.param(W3C[:-1], None, id="cut off"),
        pytest.param(f"{W3C}\n", None, id="a line's end"),
        pytest.param("", None, id="empty"),
        pytest.param(W3C.encode(), None, id="a binary attribute"),
    ],
)
def test_traceparent_names_the_trace_if_it_is_valid(value: str | bytes, found: str | None) -> None:
    """What W3C says to ignore is ignored."""
    assert trace_id({"traceparent": value}, {}) == found
    assert traceparent({"traceparent": value}, {}) == (value if found else None)


@pytest.mark.parametrize(
    ("header", "parent"),
    [
        pytest.param(XRAY, "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01", id="whole"),
        pytest.param(
            XRAY.replace("Sampled=1", "Sampled=0;Lineage=a87bd80c:1"),
            "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-00",
            id="not sampled",
        ),
        pytest.param("Root=1-5759e988-bd862e3fe1be46a994272793", None, id="without a parent"),
    ],
)
def test_the_header_of_xray_names_a_trace_too(header: str, parent: str | None) -> None:
    """The two parts of its id are W3C's 32 digits; without a parent no span continues it."""
    system = {"AWSTraceHeader": header}
    assert trace_id({}, system) == "5759e988bd862e3fe1be46a994272793"
    assert traceparent({}, system) == parent


def test_w3cs_header_has_precedence() -> None:
    """A sender has chosen it; X-Ray's may come from whichever service the message went through."""
    assert traceparent({"traceparent": W3C}, {"AWSTraceHeader": XRAY}) == W3C
    assert trace_id({"traceparent": "bad"}, {"AWSTraceHeader": XRAY}) is not None


@given(value=st.text() | st.binary(), header=st.text())
def test_no_header_makes_reading_it_raise(value: str | bytes, header: str) -> None:
    """Senders may put anything there."""
    attributes, system = {"traceparent": value}, {"AWSTraceHeader": header}
    assert (traceparent(attributes, system) is None) or (trace_id(attributes, system) is not None)
