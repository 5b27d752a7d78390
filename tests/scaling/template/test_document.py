"""Documents: YAML's short forms, JSON, and texts that are no template."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders.fleets import SMALL, product_template, product_text

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.document import parse_template

NOTHING = "{Resources: {Queue: {Type: 'AWS::SQS::Queue', Properties: {QueueName: %s}}}}"


def name_of(text: str) -> object:
    """Return what this piece of YAML, as a property, becomes."""
    template = parse_template(NOTHING % text, "t.yaml")
    return template["Resources"]["Queue"]["Properties"]["QueueName"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("!Ref Name", {"Ref": "Name"}, id="Ref"),
        pytest.param("!Condition Big", {"Condition": "Big"}, id="Condition"),
        pytest.param("!Sub 'a-${B}'", {"Fn::Sub": "a-${B}"}, id="Sub"),
        pytest.param(
            "!Sub ['${A}', {A: !Ref B}]", {"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}, id="Sub-map"
        ),
        pytest.param("!GetAtt Queue.Arn", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt-text"),
        pytest.param(
            "!GetAtt Stack.Outputs.Url", {"Fn::GetAtt": ["Stack", "Outputs.Url"]}, id="GetAtt-deep"
        ),
        pytest.param("!GetAtt [Queue, Arn]", {"Fn::GetAtt": ["Queue", "Arn"]}, id="GetAtt-list"),
        pytest.param(
            "!If [A, !Ref B, !Ref 'AWS::NoValue']",
            {"Fn::If": ["A", {"Ref": "B"}, {"Ref": "AWS::NoValue"}]},
            id="If",
        ),
        pytest.param("!Join ['', [!Ref A, b]]", {"Fn::Join": ["", [{"Ref": "A"}, "b"]]}, id="Join"),
        pytest.param("!Base64 {Ref: A}", {"Fn::Base64": {"Ref": "A"}}, id="a-mapping"),
        pytest.param("!Cidr [a, 1, 2]", {"Fn::Cidr": ["a", 1, 2]}, id="one-we-do-not-know"),
        pytest.param("2010-09-09", "2010-09-09", id="a-date-is-text"),
        pytest.param("{80: a, on: b}", {"80": "a", "on": "b"}, id="keys-are-text"),
    ],
)
def test_short_forms_become_long_ones(text: str, value: object) -> None:
    """YAML's tags come out as CloudFormation's functions."""
    assert name_of(text) == value


def test_yaml_and_json_come_to_the_same() -> None:
    """A template in JSON, also indented with tabs, equals the one in YAML."""
    as_yaml = parse_template(yaml.safe_dump(SMALL), "t.yaml")
    assert parse_template(json.dumps(SMALL), "t.json") == as_yaml
    assert parse_template(json.dumps(SMALL, indent="\t"), "t.json") == as_yaml


def test_the_products_template_is_one() -> None:
    """template.yaml is read, and is the same after a round trip through JSON."""
    template = product_template()
    assert template["Resources"]["WorkerGroup"]["Type"] == "AWS::AutoScaling::AutoScalingGroup"
    assert parse_template(json.dumps(template), "t.json") == template


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "t.yaml: no CloudFormation template", id="nothing"),
        pytest.param("- a", "t.yaml: no CloudFormation template", id="a-list"),
        pytest.param("Resources: {}", "t.yaml: no CloudFormation template", id="no-resource"),
        pytest.param(
            "Resources: [a]", "t.yaml: Resources has to be a mapping", id="a-list-of-them"
        ),
        pytest.param("Resources: {A: b}", "t.yaml: Resources.A has to be a mapping", id="a-text"),
        pytest.param("Resources: {A: {}}", "t.yaml: Resources.A has no Type", id="no-type"),
        pytest.param(
            "Resources: {A: {Type: T, Properties: [b]}}",
            "t.yaml: Resources.A.Properties is no mapping",
            id="properties-in-a-list",
        ),
        pytest.param(
            "{Resources: {A: {Type: T}}, Conditions: [a]}",
            "t.yaml: Conditions has to be a mapping",
            id="conditions-in-a-list",
        ),
        pytest.param(
            "{Resources: {A: {Type: T}}, Parameters: {P: 3}}",
            "t.yaml: Parameters.P has to be a mapping",
            id="a-parameter-that-is-a-number",
        ),
        pytest.param("A: 1\nB:\n\tC: 1", "t.yaml, line 3, column 1: ", id="a-tab"),
        pytest.param("A: 1\n B: 2", "t.yaml, line 2, column 3: ", id="bad-indentation"),
        pytest.param("A: 'b", "t.yaml, line 1, column 6: ", id="an-open-quote"),
        pytest.param('{"A": ', "t.yaml, line 1, column 7: ", id="half-a-JSON"),
        pytest.param('{"A": NaN, "A": 1}', "line 1, column 12: key 'A' appears twice", id="twice"),
        pytest.param(
            "A: {B: 1, B: 1}", "line 1, column 11: key 'B' appears twice", id="twice-deep"
        ),
        pytest.param(
            "A: &a {B: 1}\nC: *a",
            "line 2, column 4: CloudFormation supports no YAML al",
            id="an-alias",
        ),
        pytest.param(
            "A: {<<: {B: 1}}", "CloudFormation supports no hash merges", id="a-hash-merge"
        ),
        pytest.param("A: !!set {b}", "does not support YAML's set tag", id="an-odd-tag"),
        pytest.param("A: !!int b", "line 1, column 4: this cannot be read as int", id="no-int"),
        pytest.param("A: " + "9" * 5000, "this cannot be read as int", id="a-huge-number"),
        pytest.param("A: !!python/name:os.system", "could not determine a cons", id="python"),
        pytest.param("{[a]: b}", "a key has to be plain text", id="a-list-for-a-key"),
        pytest.param("{!Ref a: b}", "a key has to be plain text", id="a-function-for-a-key"),
        pytest.param("--- {}\n--- {}", "found another document", id="two-documents"),
        pytest.param(
            "A: \x01", "t.yaml: not YAML: unacceptable character", id="a-control-character"
        ),
        pytest.param("[" * 5000, "nested too deep", id="nested-too-deep"),
        pytest.param('{"a":' * 5000 + "1" + "}" * 5000, "nested too deep", id="deep-JSON"),
    ],
)
def test_what_is_no_template_is_reported_in_one_line(text: str, problem: str) -> None:
    """The error names the place and the problem."""
    with pytest.raises(TemplateError) as error:
        parse_template(text, "t.yaml")
    assert problem in str(error.value)
    assert "\n" not in str(error.value)


def test_a_tab_in_yaml_comes_with_the_remedy() -> None:
    """The error says to indent with spaces."""
    with pytest.raises(TemplateError, match=r": indent with spaces$"):
        parse_template("A:\n\tB: 1", "t.yaml")


@given(st.text(alphabet="{}[]:,-!&*?|>'\"% #\n\tAaR1", max_size=60))
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    """Any text leads to a template or a TemplateError."""
    try:
        parse_template(text, "t.yaml")
    except TemplateError as error:
        assert "\n" not in str(error)  # noqa: PT017 - most texts end here


@pytest.mark.long
@settings(max_examples=30)  # each one parses the whole template
@given(st.integers(0, len(product_text())), st.integers(1, 40), st.text(max_size=3))
def test_a_damaged_template_is_a_template_or_an_error(start: int, length: int, junk: str) -> None:
    """A template with replaced parts leads to a template or a TemplateError."""
    text = product_text()
    try:
        parse_template(text[:start] + junk + text[start + length :], "t.yaml")
    except TemplateError as error:
        assert str(error).startswith("t.yaml")  # noqa: PT017 - most texts end here


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "Resources:\n" + "# x\n" * 250_000,
            "but CloudFormation takes 1,000,000 bytes at most",
            id="size",
        ),
        pytest.param(
            json.dumps({"Resources": {f"Q{n}": {"Type": "T"} for n in range(501)}}),
            "Resources has 501 entries: CloudFormation takes 500 at most",
            id="resources",
        ),
        pytest.param(
            json.dumps({"Parameters": {f"P{n}": {} for n in range(201)}, "Resources": {"Q": {}}}),
            "Parameters has 201 entries: CloudFormation takes 200 at most",
            id="parameters",
        ),
    ],
)
def test_what_is_too_large_for_cloudformation_is_refused(text: str, problem: str) -> None:
    """Before it takes minutes to read."""
    with pytest.raises(TemplateError, match=problem):
        parse_template(text, "t.yaml")
