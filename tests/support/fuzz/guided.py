"""Fuzzer guided by coverage: `python -m support.fuzz.guided TARGET -runs=N -seed=S`, with atheris.

It measures which branches an input reaches, and changes those inputs that reach new ones. The other
options are libFuzzer's.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import atheris

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ["consumer", "producer", "shared", "tidemill"]


def main(arguments: Sequence[str]) -> None:
    """Run one target; libFuzzer ends the process."""
    with atheris.instrument_imports(include=PACKAGES):
        from support.fuzz.targets import TARGETS  # noqa: PLC0415 - it imports what is measured

    guided = {target.name: target for target in TARGETS if target.of_bytes is not None}
    if not arguments or arguments[0] not in guided:
        sys.exit(f"usage: python -m support.fuzz.guided {{{','.join(guided)}}} [-runs=N ...]")
    target = guided[arguments[0]]
    make = target.of_bytes
    assert make is not None

    def one(data: bytes) -> None:
        target.check(make(data))

    atheris.Setup([sys.argv[0], *arguments[1:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
