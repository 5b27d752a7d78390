"""docs/handlers.md and the files whose text stands on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

PAGE: Final = (Path(__file__).parents[3] / "docs/handlers.md").read_text(encoding="utf-8")
FILES: Final = dict(re.findall(r"(?ms)^`([\w.]+)`:\n```\w*\n(.*?)^```$", PAGE))
"""Each block of code below a line with nothing but the file's name."""

LOAD: Final = re.findall(r'^docker run .*-c "(.*)"$', PAGE, flags=re.MULTILINE)
"""The program that tries in an image whether HANDLER can be loaded."""


def write_files(folder: Path) -> None:
    """Write all files of the page."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
