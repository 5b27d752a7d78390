"""Tests of the options about files, attributes, groups and journals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from producer.messages.input_messages import CsvTypes, Format
from producer.options import Options
from shared.errors import SettingsError

FILE: dict[str, Any] = {"file": "orders.jsonl", "queue_name": "orders"}
FIFO: dict[str, Any] = {"file": "orders.jsonl", "queue_name": "orders.fifo"}


def problems(**given: Any) -> tuple[str, ...]:  # noqa: ANN401 - any option
    """Return everything that is wrong with these options."""
    try:
        Options(**given).check()
    except SettingsError as error:
        return error.problems
    return ()


@pytest.mark.parametrize(
    "given",
    [
        {**FILE, "format": Format.CSV, "csv_types": CsvTypes.JSON, "attribute_columns": ("a",)},
        {**FILE, "attributes": ("a=b",), "group_id": "{a}", "resume": Path("j")},
        {**FIFO, "group_id": "{a}", "deduplication_id": "{b}"},
        {**FIFO, "with_attributes": True},
        {"count": 1, "queue_url": "https://x/1/a.fifo", "group_id": "all", "attributes": ("a=b",)},
    ],
)
def test_options_that_fit_together_are_accepted(given: dict[str, Any]) -> None:
    """Nothing is wrong with them."""
    assert problems(**given) == ()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(FIFO, "a FIFO queue needs a group", id="FIFO without group"),
        pytest.param(
            {"count": 1, "queue_url": "https://x/1/a.fifo"}, "a FIFO queue needs", id="by URL"
        ),
        pytest.param({**FILE, "deduplication_id": "{a}"}, "for FIFO queues", id="no FIFO"),
        pytest.param({**FILE, "group_id": "{a"}, "--group-id {a: ", id="template"),
        pytest.param({**FIFO, "group_id": ""}, "--group-id : it is empty", id="no template"),
        pytest.param({**FILE, "attributes": ("a",)}, "--attribute a: give NAME=VALUE", id="value"),
        pytest.param(
            {**FILE, "attributes": tuple(f"a{n}=x" for n in range(11))},
            "SQS accepts 10 attributes",
            id="eleven attributes",
        ),
        pytest.param(
            {"count": 1, "queue_name": "q", "schema": "vehicle"}, "--schema is about", id="no file"
        ),
        pytest.param(
            {"count": 1, "queue_name": "q", "resume": Path("j")}, "--resume is about", id="count"
        ),
        pytest.param(
            {**FILE, "file": "-", "resume": Path("j")}, "cannot be read a second", id="stdin"
        ),
        pytest.param({**FILE, "poison": 1, "resume": Path("j")}, "no line to", id="poison"),
        pytest.param(
            {**FILE, "dry_run": True, "resume": Path("j")}, "a dry run sends nothing", id="dry run"
        ),
    ],
)
def test_options_that_do_not_fit_are_named(given: dict[str, Any], reason: str) -> None:
    """Each is one sentence that says what to do."""
    (found,) = problems(**given)

    assert reason in found
