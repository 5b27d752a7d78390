"""SARIF: the schema of version 2.1.0, and the parts that code scanning reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.builders.fleets import product_text

from tidemill.lint.check import RULES, lint
from tidemill.lint.sarif import sarif_log
from tidemill.scaling.errors import ScalingError

TEMPLATE = Path(__file__).parents[1] / "scaling" / "example_templates" / "percent_steps.yaml"
SCHEMA = json.loads(Path(__file__).with_name("sarif-schema-2.1.0.json").read_text("utf-8"))
"""OASIS's schema of SARIF 2.1.0, as JSON Schema Store has it, without its descriptions."""


def log_of(text: str, source: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a template's log and its results."""
    log = sarif_log(lint(text, str(source), {}), source)
    (run,) = log["runs"]
    return log, run["results"]


@pytest.mark.parametrize("path", sorted(TEMPLATE.parent.iterdir()), ids=lambda path: path.name)
def test_a_log_is_as_the_schema_says(path: Path) -> None:
    """The log of every readable template is valid."""
    try:
        log, _ = log_of(path.read_text(encoding="utf-8"), path)
    except ScalingError:
        return
    jsonschema.validate(log, SCHEMA)


def test_a_log_has_what_code_scanning_looks_at() -> None:
    """Version, runs, a named driver, rules with ids, and results with messages."""
    log, results = log_of(TEMPLATE.read_text(encoding="utf-8"), Path("percent_steps.yaml"))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("/sarif-schema-2.1.0.json")
    driver = log["runs"][0]["tool"]["driver"]
    assert driver["name"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.id for rule in RULES]
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note", "none"}
    assert results
    for result in results:
        assert result["message"]["text"]
        assert result["level"] in {"error", "warning", "note", "none"}
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        (location,) = result["locations"]
        region = location["physicalLocation"]["region"]
        assert region["startLine"] >= 1
        assert region["startColumn"] >= 1
        assert location["physicalLocation"]["artifactLocation"]["uri"] == "percent_steps.yaml"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a folder/template.yaml", "a%20folder/template.yaml"),
        ("/home/me/template.yaml", "file:///home/me/template.yaml"),
    ],
)
def test_a_path_is_written_as_a_uri(path: str, uri: str) -> None:
    """A relative path stays relative, so that a forge finds the file in its repository."""
    _, results = log_of(TEMPLATE.read_text(encoding="utf-8"), Path(path))
    assert uri in str(results[0])


def test_a_template_without_findings_has_a_run_without_results() -> None:
    """Code scanning then closes its earlier findings."""
    _, results = log_of(product_text(), Path("template.yaml"))
    assert results == []
