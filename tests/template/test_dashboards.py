"""Dashboards: CloudWatch can draw each widget, and the lines of a widget fit together."""

from __future__ import annotations

import re
from typing import Any

import pytest
from support.stack.metric_uses import UNIT_WORDS, VARIANTS, resolver, table, widget_uses, widgets


def every_widget(*kinds: str) -> list[dict[str, Any]]:
    """Return the widgets of these kinds of all dashboards."""
    template = resolver()
    return [
        widget
        for dashboard in template.present("AWS::CloudWatch::Dashboard")
        for widget in widgets(template, dashboard, *kinds)
    ]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dashboard", resolver().present("AWS::CloudWatch::Dashboard"))
def test_widgets_lie_in_the_grid_and_not_on_each_other(dashboard: str, variant: str) -> None:
    """A dashboard's grid has 24 columns."""
    taken: set[tuple[int, int]] = set()
    for widget in widgets(resolver(variant), dashboard):
        cells = {
            (widget["x"] + column, widget["y"] + row)
            for column in range(widget["width"])
            for row in range(widget["height"])
        }
        assert min(cells) >= (0, 0)
        assert max(column for column, _ in cells) < 24
        assert not cells & taken, widget["properties"].get("title")
        taken |= cells


def test_a_widget_shows_one_unit_and_says_which() -> None:
    """A line of percent beside one of bytes cannot be read."""
    units = {row.identity: row.unit for row in table()}
    for widget in every_widget("metric"):
        shown = {units[use.identity] for use in widget_uses(widget)} - {"None"}
        assert len(shown) <= 1, widget["properties"]["title"]
        word = widget["properties"]["title"].rpartition(", in ")[2]
        for unit in shown & set(UNIT_WORDS.values()):
            assert UNIT_WORDS[word] == unit


def test_an_expression_uses_what_its_widget_has() -> None:
    """Otherwise CloudWatch draws nothing and reports no error."""
    seen = 0
    for widget in every_widget("metric"):
        rows = widget["properties"]["metrics"]
        options = [row[-1] for row in rows if isinstance(row[-1], dict)]
        ids = {option["id"] for option in options if "id" in option}
        for option in options:
            names = set(re.findall(r"\b[a-z]\w*\b", option.get("expression", "")))
            assert names <= ids
            seen += bool(names)
    assert seen


def test_the_alarm_widgets_have_every_alarm() -> None:
    """One widget lists the alarms for people, the other one those that scale, by their ARNs."""
    people, scaling = (widget["properties"]["alarms"] for widget in every_widget("alarm"))
    template = resolver()
    arns = {
        f"{template.name(alarm)}.Arn": "PeopleTopic" in str(template.properties(alarm))
        for alarm in template.present("AWS::CloudWatch::Alarm")
    }
    assert sorted(people) == sorted(arn for arn, for_people in arns.items() if for_people)
    assert sorted(scaling) == sorted(arn for arn, for_people in arns.items() if not for_people)


def test_annotations_show_the_parameters_that_the_alarms_use() -> None:
    """A reader of a graph sees the parameter's value as a line beside the metric."""
    shown = {
        note["label"]: note["value"]
        for widget in every_widget("metric")
        for note in widget["properties"].get("annotations", {}).get("horizontal", [])
    }
    parameters = resolver().parameters
    assert shown == {
        "one instance's share": int(str(parameters["BacklogPerInstance"])),
        "maximum": int(str(parameters["MaxInstances"])),
        "alarm threshold": int(str(parameters["OldestMessageSeconds"])),
    }
