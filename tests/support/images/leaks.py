"""Leak scan: finds texts that look like keys, tokens or passwords, which no image may contain."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS: Final = {
    # AWS's documentation, and with it botocore, shows key ids that end in EXAMPLE.
    "AWS access key id": rb"\b(?:AKIA|ASIA)(?!\w{9}EXAMPLE)[A-Z0-9]{16}\b",
    "AWS secret key": rb"(?i)aws_?secret_?access_?key[\"']?\s*[=:]\s*[\"']?"
    rb"(?!\S*EXAMPLE)[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    "private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=]",
    "GitHub token": rb"\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{60,})\b",
    "PyPI token": rb"\bpypi-AgE[\w-]{50,}",
    "Slack token": rb"\bxox[abeprs]-[A-Za-z0-9-]{20,}",
    "JSON web token": rb"\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{20,}",
    # Documentation says "password", "pass" or stars.
    "password in a URL": rb"\bhttps?://[^\s/:@\"'<>{}$%\[\]()|]+:"
    rb"(?!(?:password|pass|\*+)@)[^\s/:@\"'<>{}$%\[\]()|]+@[\w.-]+",
    "password in a setting": rb"\b[A-Z_]*(?:PASSWORD|SECRET|TOKEN)[A-Z_]*=[A-Za-z0-9/+_-]{16,}",
}
PATTERNS: Final = {kind: re.compile(pattern) for kind, pattern in KINDS.items()}


def leaks(texts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Return, for each secret found in these (place, content), its kind and the place.

    Compressed contents are searched as well. The secret itself is not in the result.
    """
    return [
        f"{kind} in {place}"
        for place, content in texts
        for kind, pattern in PATTERNS.items()
        if pattern.search(_plain(content))
    ]


def _plain(content: bytes) -> bytes:
    return gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content
