"""Traces: which trace a message belongs to, by W3C's traceparent or X-Ray's header.

"Trace Context" (W3C) defines `traceparent`, which senders put among a message's attributes. X-Ray's
header is an attribute of SQS's own, AWSTraceHeader ("Tracing header", X-Ray developer guide).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"
XRAY: Final = "AWSTraceHeader"

_W3C: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", re.ASCII
)
_ROOT: Final = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?![0-9a-f])")
_PARENT: Final = re.compile(r"Parent=([0-9a-f]{16})(?![0-9a-f])")


def trace_id(attributes: Mapping[str, str | bytes], system: Mapping[str, str]) -> str | None:
    """Return the id of the message's trace, 32 hexadecimal digits; None if it belongs to none.

    W3C's header has precedence, since a sender has chosen it. What is malformed is left out.
    """
    if parent := _traceparent(attributes):
        return parent[3:35]
    if root := _root(system):
        return root[1] + root[2]
    return None


def traceparent(attributes: Mapping[str, str | bytes], system: Mapping[str, str]) -> str | None:
    """Return the message's parent as W3C's header, whichever header the message has."""
    if parent := _traceparent(attributes):
        return parent
    if (root := _root(system)) and (parent_id := _PARENT.search(system[XRAY])):
        sampled = "01" if "Sampled=1" in system[XRAY] else "00"
        return f"00-{root[1]}{root[2]}-{parent_id[1]}-{sampled}"
    return None


def _traceparent(attributes: Mapping[str, str | bytes]) -> str | None:
    value = attributes.get(TRACEPARENT)
    if not isinstance(value, str):
        return None
    found = _W3C.fullmatch(value)
    # Version 00 ends with the flags; later ones may add fields.
    return value if found and (found[1] != "00" or found[3] is None) else None


def _root(system: Mapping[str, str]) -> re.Match[str] | None:
    return _ROOT.search(system[XRAY]) if XRAY in system else None
