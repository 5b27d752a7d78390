"""Positions: line and column of each part of a template, and of missing parts."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.builders.fleets import product_template, product_text

from tidemill.lint.positions import read_positions

TEXT = """\
Resources:
  Jobs:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub "${AWS::StackName}-jobs"
      Tags: !If
        - Tagged
        - - { Key: a, Value: b }
        - !Ref AWS::NoValue
"""
JOBS = ("Resources", "Jobs")


@pytest.mark.parametrize(
    ("path", "position"),
    [
        (JOBS, (2, 3)),
        ((*JOBS, "Properties", "QueueName"), (5, 7)),
        ((*JOBS, "Properties", "VisibilityTimeout"), (2, 3)),
        ((*JOBS, "Properties", "Tags", 0), (6, 7)),
        ((*JOBS, "Properties", "Tags", "Fn::If", 1, 0, "Value"), (8, 23)),
        (("Resources", "Others"), (1, 1)),
        (("Outputs",), (1, 1)),
    ],
    ids=str,
)
def test_a_part_stands_where_it_is_written(path: tuple[str, ...], position: object) -> None:
    """A missing property is found at its resource, a function's choice at the function."""
    assert read_positions(TEXT).of(path) == position


def test_json_with_tabs_has_positions() -> None:
    """JSON allows tabs between tokens, YAML's parser does not."""
    positions = read_positions('{\n\t"Resources": {\n\t\t"Jobs": {"Type": "AWS::SQS::Queue"}}}')
    assert positions.of((*JOBS, "Type")) == (3, 12)


@pytest.mark.parametrize("text", ['{"a": "\x7f"}', ""], ids=["no-yaml", "nothing"])
def test_what_has_no_positions_is_at_the_start(text: str) -> None:
    """One example is JSON with a character that YAML's parser refuses."""
    assert read_positions(text).of(("a",)) == (1, 1)


def test_every_property_of_the_product_has_a_line_of_its_own() -> None:
    """The line at each position contains the property's name."""
    positions, lines = read_positions(product_text()), product_text().splitlines()
    for logical_id, resource in product_template()["Resources"].items():
        for name in resource.get("Properties", {}):
            line, column = positions.of(("Resources", logical_id, "Properties", name))
            assert lines[line - 1][column - 1 :].startswith(f"{name}:")


def test_the_templates_of_the_core_are_all_composed() -> None:
    """They include short forms and JSON."""
    for file in (Path(__file__).parents[1] / "scaling" / "example_templates").iterdir():
        text = file.read_text(encoding="utf-8")
        assert ("Resources",) in read_positions(text).known
