"""Saved queries: they use fields that the consumer writes, and the README shows them."""

from __future__ import annotations

import ast
import inspect
import json
import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from support.builders.fleets import PRODUCT_TEMPLATE, product_template

import consumer
from consumer.attempt import AttemptResult
from consumer.logs.counts import Counts, MetricLabels, cycle_line
from consumer.logs.message_log import ContentLine
from shared.logs import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERIES: Final[dict[str, str]] = {
    name: resource["Properties"]["QueryString"]
    for name, resource in product_template()["Resources"].items()
    if resource["Type"] == "AWS::Logs::QueryDefinition"
}
WORDS: Final = {
    *("and", "as", "asc", "by", "desc", "fields"),
    *("filter", "in", "limit", "or", "sort", "stats"),
}
RARE: Final = Counts(rejected=1, retried=1, duplicates=1)
"""Counts with those that a line has only if they are not zero."""
OWN: Final = {"@timestamp", "@message"}
"""Fields that Logs Insights adds to every line."""
README: Final = (PRODUCT_TEMPLATE.parent / "README.md").read_text(encoding="utf-8")
DOCUMENT: Final = README.partition("\n## Ask the logs\n")[2]


def written_fields() -> set[str]:
    """Return the names of all fields that a consumer's lines have."""
    trouble = (ValueError, ValueError(), None)
    record = logging.LogRecord("consumer", logging.ERROR, "", 0, "event", (), trouble)
    event: dict[str, Any] = json.loads(JsonFormatter({"instance_id": "i-1"}).format(record))
    cycle = cycle_line(MetricLabels("Tidemill", "shop-work", "i-1"), RARE, 1.5, 0.0)
    content = {field.encode_name for field in msgspec.structs.fields(ContentLine)}
    return content | event.keys() | cycle.keys() | set(event_fields())


def event_fields() -> Iterator[str]:
    """Yield the names of the fields of the consumer's events, read from its source."""
    for module in Path(inspect.getfile(consumer)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "fields":
                        yield from names_of(value)


def names_of(fields: ast.expr) -> Iterator[str]:
    """Yield the keys that are written out in a dictionary."""
    for key in fields.keys if isinstance(fields, ast.Dict) else ():
        if isinstance(key, ast.Constant):
            yield str(key.value)


def asked_fields(query: str) -> set[str]:
    """Return the fields that a query uses, without the names that it defines."""
    code = re.sub(r'"[^"]*"', "", query)
    own = set(re.findall(r"\bas (\w+)", code))
    functions = set(re.findall(r"(\w+)\(", code))
    names = set(re.findall(r"@?\b[A-Za-z_]\w*", code))
    return names - own - functions - WORDS


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_asks_for_fields_that_the_consumer_writes(name: str) -> None:
    """Otherwise Logs Insights would show empty columns, or nothing."""
    asked = asked_fields(QUERIES[name])
    assert asked
    assert asked - OWN - written_fields() == set()


def values_asked(field: str) -> list[str]:
    """Return the texts that queries compare a field with."""
    found: list[str] = []
    for query in QUERIES.values():
        found += re.findall(rf'\b{field} = "([^"]*)"', query)
        for several in re.findall(rf"\b{field} in \[([^\]]*)\]", query):
            found += re.findall(r'"([^"]*)"', several)
    return found


def test_a_query_compares_with_words_that_the_consumer_uses() -> None:
    """A misspelt value would find nothing, without an error."""
    assert set(values_asked("outcome")) <= {result.value for result in AttemptResult}
    assert set(values_asked("event")) == {"message", "cycle"}
    assert set(values_asked("level")) == {"WARNING", "ERROR", "CRITICAL"}
    assert set(values_asked("level")) <= logging.getLevelNamesMapping().keys()


def test_the_reader_of_queries_finds_a_field_that_is_not_there() -> None:
    """Otherwise the tests above would prove nothing."""
    query = 'filter level = "outcome" | stats max(colour) as shade by bin(1m) | sort shade desc'
    assert asked_fields(query) == {"level", "colour"}
    assert "colour" not in written_fields()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_stands_in_the_documentation(name: str) -> None:
    """The README has the exact text, below a heading with the query's name."""
    saved = product_template()["Resources"][name]["Properties"]["Name"]["Fn::Sub"]
    heading = saved.removeprefix("${AWS::StackName}/").capitalize()
    section = DOCUMENT.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
    assert f"\n```\n{QUERIES[name].rstrip()}\n```" in section
    assert section.lstrip().partition("\n")[0].endswith(".")


def test_the_documentation_has_no_query_that_is_not_saved() -> None:
    """A query in the README that is not saved would not be kept up to date."""
    assert DOCUMENT.count("\n### ") == len(QUERIES)
    assert DOCUMENT.count("```") == 2 * len(QUERIES)
