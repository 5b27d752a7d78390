"""Tests of finding a handler."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumer.handlers.errors import HandlerError
from consumer.handlers.handler import HandlerKind
from consumer.handlers.loading import load

if TYPE_CHECKING:
    from pathlib import Path


def test_a_handler_is_found_by_module_and_function() -> None:
    """HANDLER may name any callable that can be imported."""
    for path in (
        "json:dumps",
        "consumer.handlers:log_only",
        "json:decoder.scanner.py_make_scanner",
    ):
        assert load(path).kind is HandlerKind.SYNC


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("handlers", "give package.module:function", id="no colon"),
        pytest.param("json:", "give package.module:function", id="no function"),
        pytest.param(":dumps", "give package.module:function", id="no module"),
        pytest.param("fleet.work:do", "there is no module 'fleet'", id="no such package"),
        pytest.param("json:decoder.nobody", "has no function 'decoder.nobody'", id="no attribute"),
        pytest.param("json:JSONDecoder", "has no method `handle`", id="no method"),
        pytest.param("os:cpu_count", "define it as handle(message)", id="no parameter"),
        pytest.param("json.py:do", "'json.py'; leave out .py", id="a file's name"),
        pytest.param("json.work:do", "there is no module 'json.work'", id="no such module"),
        pytest.param("json:do", "module 'json' has no function 'do'", id="no such function"),
        pytest.param(
            "json:__name__", "'__name__' is of the type str, not a function", id="not callable"
        ),
    ],
)
def test_a_handler_that_cannot_be_used_is_named(path: str, message: str) -> None:
    """One sentence names the value and what is wrong with it."""
    with pytest.raises(HandlerError) as raised:
        load(path)
    assert str(raised.value).startswith(f"HANDLER={path!r}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        pytest.param("import fleet_of_nobody", "No module named 'fleet_of_nobody'", id="import"),
        pytest.param("1 / 0", "division by zero (/", id="exception"),
        pytest.param("\ndef do(_: Order): ...", ".py:2)", id="a type that is not imported"),
        pytest.param("raise SystemExit('no')", "SystemExit: no", id="exit"),
        pytest.param("def (", "SyntaxError: invalid syntax", id="syntax"),
    ],
)
def test_a_module_that_fails_to_import_is_distinguished_from_a_missing_one(
    code: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a module that fails to import holds the module's own error, on one line."""
    name = f"handler_{abs(hash(code))}"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HandlerError) as raised:
        load(f"{name}:do")
    assert f"importing '{name}' failed with" in str(raised.value)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)
