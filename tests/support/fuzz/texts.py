"""Strategies for hostile texts and values: controls, halves of characters, near misses of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from random import Random

ODD: Final = [
    "\x00",
    "\x1b[2J",
    "\x7f",
    "\x85",
    "\x9b",
    "\u2028",
    "\u2029",
    "\r\n",
    "\ud800",
    "\ufeff",
    "<script>",
    '"',
    "\\",
    "${",
    "}",
    "'",
    "%s%n",
    "{0}",
    "../",
    "9" * 5_000,
    "1e999",
    "NaN",
    "-0",
    "٣",
]

TEXT: Final = st.lists(
    st.one_of(st.text(max_size=20), st.sampled_from(ODD), st.characters(categories=["Cs", "Cc"])),
    max_size=8,
).map("".join)
"""Any text, halves of characters included."""

ENCODABLE: Final = TEXT.map(lambda text: text.encode(errors="replace").decode())
"""Any text that can be sent."""

BYTES: Final = st.one_of(
    st.binary(max_size=200), TEXT.map(lambda text: text.encode(errors="surrogatepass"))
)

SCALAR: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([2**63, -(2**31) - 1, 1e308, 10**400]),
    ENCODABLE,
)

VALUE: Final = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(ENCODABLE, inner, max_size=4)
    ),
    max_leaves=12,
)
"""Any value of JSON, with numbers that other readers refuse."""


def as_json(value: object) -> str:
    """Return a value as JSON, as a lenient sender would write it."""
    return json.dumps(value, ensure_ascii=False)


def changed(text: str, rng: Random) -> str:
    """Return the text with up to four pieces taken out, doubled, moved, or replaced by odd ones."""
    for _ in range(rng.randint(1, 4)):
        start = rng.randint(0, len(text))
        end = min(len(text), start + rng.choice((0, 1, 1, 2, 5, 20)))
        other = rng.randint(0, len(text))
        piece = rng.choice(
            (
                "",
                text[start:end] * 2,
                text[other : other + 8],
                rng.choice(ODD),
                chr(rng.randrange(256)),
            )
        )
        text = text[:start] + piece + text[end:]
    return text


def changed_bytes(data: bytes, rng: Random) -> bytes:
    """Return bytes with such changes."""
    return changed(data.decode("latin-1"), rng).encode("latin-1", errors="replace")


def any_json() -> st.SearchStrategy[str]:
    """Return texts that are JSON, or nothing of the kind."""
    return st.one_of(VALUE.map(as_json), TEXT)


def mappings(
    names: list[str], values: st.SearchStrategy[Any] | None = None
) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings with some of these names, and perhaps others."""
    chosen = VALUE if values is None else values
    keys = st.one_of(st.sampled_from(names), ENCODABLE)
    return st.dictionaries(keys, chosen, max_size=6)
