"""Body digest: recognises a message of which nobody knows the id, in a queue or in a log line."""

from __future__ import annotations

from contextlib import suppress
from hashlib import blake2b
from typing import Final

import msgspec

BYTES: Final = 16
"""Length of a digest: two of 2^64 different bodies would have the same one by chance."""


def body_digest(body: str | bytes) -> str:
    """Return the digest of a message's body, the same for all JSON texts of the same content.

    A consumer's line has the body on one line, with some characters escaped, so that its text may
    differ from what was sent. The order of fields does not count, nor does white space.
    """
    data = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    # What is no JSON, or cannot be read as such, is known by its text.
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        data = msgspec.json.encode(msgspec.json.decode(data), order="deterministic")
    return blake2b(data, digest_size=BYTES).hexdigest()
