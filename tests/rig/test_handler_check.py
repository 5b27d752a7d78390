"""Tests of loading the user's handler before a rig starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import product_fleet

from tidemill.rig.handler_check import wrong_handler, wrong_handler_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.impure

MODULE = """
import sys
print("printed while it is imported")
sys.stderr.write("and this")

def handle(order: dict) -> None: ...

def broken(order: dict):
    yield order
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write modules into the current folder."""
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "ends.py").write_text("import sys\nsys.exit(0)\n")
    (tmp_path / "dies.py").write_text("import os\nos._exit(0)\n")
    (tmp_path / "waits.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.chdir(tmp_path)


def test_a_handler_in_the_current_folder_is_found(tmp_path: Path) -> None:
    """PYTHONPATH need not be set; what the module prints does not matter."""
    assert wrong_handler("shop:handle", tmp_path) is None


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        ("nowhere:handle", "nowhere"),
        ("shop:nope", "nope"),
        ("shop:broken", "yield"),
        ("shop", "give package.module:function"),
        ("ends:handle", "ends:handle"),
        ("dies:handle", "its import ended the process"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(tmp_path: Path, handler: str, reason: str) -> None:
    """It is the consumer's own, which names the handler."""
    sentence = wrong_handler(handler, tmp_path)

    assert sentence is not None
    assert sentence.startswith(f"HANDLER={handler!r}")
    assert reason in sentence
    assert "\n" not in sentence


def test_an_import_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    """The rig would wait for ever otherwise."""
    sentence = wrong_handler("waits:handle", tmp_path, seconds=1)

    assert sentence == "HANDLER='waits:handle': its import does not end within 1 s"


def test_the_default_handler_needs_no_check(tmp_path: Path) -> None:
    """The demo of vehicles starts as fast as before."""
    assert wrong_handler_of(product_fleet(), tmp_path) is None
    sentence = wrong_handler_of(product_fleet(Handler="nowhere:f"), tmp_path)
    assert sentence is not None
    assert "nowhere" in sentence
