"""docs/handlers.md: every example runs, and the tables list what exists."""

from __future__ import annotations

import importlib
import re
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Final

import pytest
from support.builders.handlers import arrival
from support.examples.handlers_page import FILES, PAGE, write_files

from consumer.attempt import AttemptResult
from consumer.handlers.api import Message
from consumer.handlers.loading import load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumer.handlers.handler import Handler

MODULES: Final = sorted(name.removesuffix(".py") for name in FILES if name.endswith(".py"))

ORDERS: Final = ("processed", "processed", "failed", "invalid")
CASES: Final = {
    "events": (
        ('{"event":"placed","order":7}', "processed"),
        ('{"event":"cancelled","order":7}', "processed"),
        ('{"event":"returned","order":7}', "invalid"),
    ),
    "invoices": (
        ('{"number":"INV-7","total":9.9,"to":"a@b.example"}', "processed"),
        ('{"number":"7","total":9.9,"to":"a@b.example"}', "invalid"),
        ('{"number":"INV-7","total":9.9,"to":"nobody"}', "invalid"),
    ),
    "ledger": (('{"cents":250}', "processed"), ('{"cents":"many"}', "invalid")),
    "orders": tuple(zip(FILES["orders.jsonl"].splitlines(), ORDERS, strict=True)),
    "pages": (('{"host":"no..name"}', "failed"), ('{"host":80}', "invalid")),
    "parcels": (("7,Turin\n8,Milan", "processed"), ("7", "failed")),
    "payments": (
        ('{"account":"account-1","audit":"yes"}', "processed"),
        ('{"account":"account-7"}', "retry"),
        ('{"account":"account-13"}', "rejected"),
        ("{}", "failed"),
    ),
    "readings": (
        ('{"sensor":"north","value":20.5}', "processed"),
        ('{"sensor":"north","value":-1}', "failed"),
        ('{"sensor":"north"}', "invalid"),
    ),
    "shipments": (('{"to":"Turin"}', "processed"), ("[]", "invalid")),
    "stock": (('{"count":-1,"shelf":4}', "processed"), ('{"count":1}', "failed")),
}
"""For each module of the page: bodies, and the outcome that each must have."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Write the page's files into the current folder, from which modules are imported."""
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in MODULES:
        sys.modules.pop(name, None)


def started(path: str) -> Handler:
    """Load a handler as HANDLER names it, and start it."""
    handler = load(path)
    handler.startup()
    return handler


@pytest.mark.parametrize("module", CASES)
def test_every_example_does_what_the_page_says(module: str) -> None:
    """Each body has its outcome, all of them in one call."""
    bodies, outcomes = zip(*CASES[module], strict=True)
    handler = started(f"{module}:{'Ledger' if module == 'ledger' else 'handle'}")
    arrivals = [arrival(body, number) for number, body in enumerate(bodies)]
    extended: list[float] = []
    verdicts = handler.call(arrivals, lambda _, seconds: extended.append(seconds))
    handler.shutdown()
    assert [verdict.result.value for verdict in verdicts] == list(outcomes)
    assert extended == ([300] if module == "payments" else [])


def test_no_module_of_the_page_is_without_a_test() -> None:
    """A new example has to be run as well."""
    assert {*MODULES} - {*CASES} == {"test_payments"}
    assert len(re.findall(r"^```python", PAGE, flags=re.MULTILINE)) == len(MODULES)


def test_the_test_on_the_page_passes() -> None:
    """It calls a handler of the page."""
    test = importlib.import_module("test_payments")
    test.test_a_stopped_account_pays_nothing()


def test_the_example_with_a_connection_may_get_a_message_twice() -> None:
    """The second delivery changes nothing."""
    handler = started("ledger:Ledger")
    for _ in range(2):
        handler.call([arrival('{"cents":250}')], lambda _place, _seconds: None)
    handler.shutdown()
    with closing(sqlite3.connect("ledger.db")) as ledger:
        rows = ledger.execute("select * from paid").fetchall()
    assert rows == [("id-1", 250)]


def test_the_reason_on_the_page_is_that_of_its_message() -> None:
    """The last of the orders is invalid."""
    body = FILES["orders.jsonl"].splitlines()[-1]
    [verdict] = started("orders:handle").call([arrival(body)], lambda _place, _seconds: None)
    assert verdict.result is AttemptResult.INVALID
    assert f"\n{verdict.reason}\n" in PAGE


def test_the_table_of_the_message_lists_all_that_it_has() -> None:
    """Fields, properties and methods."""
    listed = PAGE.partition("| of a `Message` |")[2].partition("\n\n")[0]
    names = {re.sub(r"\(.*", "", name) for name in re.findall(r"`([\w()]+)`", listed)}
    public = {name for name in dir(Message) if not name.startswith("_")}
    assert public - {"parsed", "on_extend"} <= names
