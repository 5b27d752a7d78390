"""Results of a template's functions.

The module is over 280 lines because its examples and its random functions share one template.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.scaling.errors import ScalingError, TemplateError
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import NO_VALUE, Resolver

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.template.document import Document

TEMPLATE: Document = {
    "Parameters": {
        "Size": {"Type": "Number", "Default": 3},
        "Zones": {"Type": "CommaDelimitedList", "Default": "a,b"},
        "Name": {"Type": "String", "Default": ""},
    },
    "Mappings": {"Sizes": {"small": {"Count": 2, "List": ["x", "y"]}}},
    "Conditions": {
        "Big": {"Fn::Equals": [{"Ref": "Size"}, 3]},
        "Small": {"Fn::Not": [{"Condition": "Big"}]},
        "Named": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]},
        "Both": {"Fn::And": [{"Condition": "Big"}, {"Condition": "Small"}]},
        "Either": {"Fn::Or": [{"Condition": "Big"}, {"Condition": "Small"}]},
    },
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Named": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::Sub": "q-${Size}"}}},
        "MaybeNamed": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmName": {"Fn::If": ["Named", {"Ref": "Name"}, {"Ref": "AWS::NoValue"}]}
            },
        },
        "Group": {"Type": "AWS::AutoScaling::AutoScalingGroup"},
        "Policy": {"Type": "AWS::AutoScaling::ScalingPolicy"},
        "Absent": {"Type": "AWS::SQS::Queue", "Condition": "Small"},
        "Present": {"Type": "AWS::SQS::Queue", "Condition": "Big"},
    },
}


def a_resolver(place: Place | None = None, **sections: Document) -> Resolver:
    """Return a resolver of the template above, with more in its sections."""
    template = {key: part | sections.get(key, {}) for key, part in TEMPLATE.items()}
    return Resolver(template, {}, place or Place())


def result(value: Any) -> Any:  # noqa: ANN401 - whatever a template can hold
    """Return what a value comes to."""
    return a_resolver().resolve(value, "here")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"Ref": "Size"}, "3", id="parameter"),
        pytest.param({"Ref": "Zones"}, ["a", "b"], id="parameter-list"),
        pytest.param({"Ref": "AWS::Region"}, "us-east-1", id="pseudo-parameter"),
        pytest.param({"Ref": "Group"}, "tidemill-Group", id="group-is-its-name"),
        pytest.param(
            {"Ref": "Named"},
            "https://sqs.us-east-1.amazonaws.com/000000000000/q-3",
            id="queue-is-its-URL",
        ),
        pytest.param(
            {"Ref": "Present"},
            "https://sqs.us-east-1.amazonaws.com/000000000000/tidemill-Present",
            id="a-resource-whose-condition-holds",
        ),
        pytest.param({"Fn::GetAtt": ["Named", "QueueName"]}, "q-3", id="att-list"),
        pytest.param({"Fn::GetAtt": "Named.QueueName"}, "q-3", id="att-text"),
        pytest.param({"Fn::GetAtt": ["Policy", "Arn"]}, "tidemill-Policy", id="arn-of-a-policy"),
        pytest.param({"Fn::GetAtt": ["Queue", "Arn"]}, "tidemill-Queue.Arn", id="att-made-up"),
        pytest.param({"Fn::Sub": "${Size}-${Queue.QueueName}"}, "3-tidemill-Queue", id="sub"),
        pytest.param({"Fn::Sub": "${!HOME} $(x) $X {Y}"}, "${HOME} $(x) $X {Y}", id="sub-literals"),
        pytest.param({"Fn::Sub": ["${A}${Size}", {"A": {"Ref": "Size"}}]}, "33", id="sub-own"),
        pytest.param({"Fn::Sub": ["${Size}", {"Size": "own"}]}, "own", id="sub-own-goes-first"),
        pytest.param({"Fn::Sub": ["${A}", {"A": True}]}, "true", id="sub-boolean"),
        pytest.param({"Fn::Join": ["-", ["a", {"Ref": "Size"}, 1]]}, "a-3-1", id="join"),
        pytest.param({"Fn::Join": [",", {"Ref": "Zones"}]}, "a,b", id="join-a-parameter"),
        pytest.param(
            {"Fn::Join": [",", ["a", {"Ref": "AWS::NoValue"}]]}, "a", id="join-without-no-value"
        ),
        pytest.param({"Fn::Split": ["-", {"Fn::Sub": "a-${Size}"}]}, ["a", "3"], id="split"),
        pytest.param({"Fn::Select": [1, {"Ref": "Zones"}]}, "b", id="select"),
        pytest.param({"Fn::Select": ["0", ["x"]]}, "x", id="select-by-text"),
        pytest.param({"Fn::If": ["Big", "yes", {"Ref": "Nothing"}]}, "yes", id="if-true"),
        pytest.param({"Fn::If": ["Small", {"Ref": "Absent"}, "no"]}, "no", id="if-false"),
        pytest.param({"Fn::If": ["Either", "yes", "no"]}, "yes", id="or"),
        pytest.param({"Fn::If": ["Both", "yes", "no"]}, "no", id="and"),
        pytest.param({"Fn::FindInMap": ["Sizes", "small", "Count"]}, 2, id="map"),
        pytest.param({"Fn::FindInMap": ["Sizes", "small", "List"]}, ["x", "y"], id="map-list"),
        pytest.param({"Fn::GetAZs": ""}, ["us-east-1a", "us-east-1b"], id="zones"),
        pytest.param({"Fn::GetAZs": "eu-west-1"}, ["eu-west-1a", "eu-west-1b"], id="zones-there"),
        pytest.param({"Fn::Base64": {"Ref": "Size"}}, "3", id="base64-is-its-text"),
        pytest.param({"Ref": "AWS::NoValue"}, NO_VALUE, id="no-value"),
        pytest.param({"A": {"Ref": "AWS::NoValue"}, "B": 1}, {"B": 1}, id="no-value-in-a-mapping"),
        pytest.param([{"Ref": "AWS::NoValue"}, 1], [1], id="no-value-in-a-list"),
        pytest.param({"A": [{"Ref": "Size"}]}, {"A": ["3"]}, id="deep"),
        pytest.param({"Ref": "Size", "More": 1}, {"Ref": "Size", "More": 1}, id="no-function"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_function_comes_to_its_value(value: object, expected: object) -> None:
    """Each function has the result that CloudFormation gives."""
    assert result(value) == expected


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param({"Ref": "Nobody"}, "here: there is no parameter or resource Nobody", id="ref"),
        pytest.param({"Ref": ["a"]}, "here: Ref does not take ['a']", id="ref-a-list"),
        pytest.param({"Ref": None}, "here: there is no parameter or resource None", id="ref-null"),
        pytest.param(
            {"Ref": "Absent"}, "here: Absent is not created, as its condition Sm", id="gone"
        ),
        pytest.param(
            {"Fn::GetAtt": ["Absent", "Arn"]}, "here: Absent is not created", id="gone-att"
        ),
        pytest.param(
            {"Fn::GetAtt": "Queue"}, "here: Fn::GetAtt does not take 'Queue'", id="no-att"
        ),
        pytest.param(
            {"Fn::GetAtt": ["No", "Arn"]}, "no parameter or resource No", id="att-of-none"
        ),
        pytest.param({"Fn::Sub": "${HOME}"}, "here: ${HOME}: there is no param", id="sub-unknown"),
        pytest.param({"Fn::Sub": "${A:-b}"}, "here: ${A:-b}: there is no param", id="sub-shell"),
        pytest.param({"Fn::Sub": "${}"}, "here: ${}: there is no parameter", id="sub-nothing"),
        pytest.param({"Fn::Sub": "${Zones}"}, "here: ${Zones}: a list, where one", id="sub-list"),
        pytest.param({"Fn::Sub": "${AWS::NoValue}"}, "no value, where one text", id="sub-no-value"),
        pytest.param({"Fn::Sub": ["a"]}, "here: Fn::Sub does not take ['a']", id="sub-one"),
        pytest.param({"Fn::Sub": {"a": "b"}}, "here: a mapping, where one text", id="sub-mapping"),
        pytest.param({"Fn::Join": [",", "abc"]}, "here: Fn::Join does not take", id="join-a-text"),
        pytest.param({"Fn::Join": [",", [["a"]]]}, "here: a list, where one", id="join-lists"),
        pytest.param({"Fn::Join": ","}, "here: Fn::Join does not take ','", id="join-nothing"),
        pytest.param({"Fn::Split": ["", "a"]}, "here: Fn::Split does not take", id="split-by-none"),
        pytest.param({"Fn::Split": ["-", ["a"]]}, "here: a list, where one", id="split-a-list"),
        pytest.param({"Fn::Select": [2, ["a"]]}, "here: Fn::Select 2 of 1 values", id="select-far"),
        pytest.param({"Fn::Select": [-1, ["a"]]}, "here: Fn::Select -1 of 1", id="select-negative"),
        pytest.param(
            {"Fn::Select": [0, "abc"]}, "here: Fn::Select does not take", id="select-text"
        ),
        pytest.param({"Fn::If": ["No", 1, 2]}, "here: no condition No in Conditions", id="if"),
        pytest.param({"Fn::If": [["Big"], 1, 2]}, "here: no condition ['Big']", id="if-a-list"),
        pytest.param({"Fn::If": ["Big", 1]}, "here: Fn::If does not take ['Big', 1]", id="if-two"),
        pytest.param(
            {"Fn::FindInMap": ["Sizes", "big", "Count"]},
            "here: Fn::FindInMap finds nothing at Sizes / big / Count",
            id="map",
        ),
        pytest.param(
            {"Fn::FindInMap": ["Sizes", "small", "Count", "x"]}, "finds nothing at", id="map-deep"
        ),
        pytest.param({"Fn::FindInMap": 3}, "here: Fn::FindInMap does not take 3", id="map-of-none"),
        pytest.param(
            {"Fn::Cidr": ["10.0.0.0/16", 1, 8]},
            "here: Fn::Cidr is not supported here: write its value out, or make it a parameter",
            id="not-supported",
        ),
        pytest.param(
            {"A": [{"Fn::ImportValue": ["x"]}]},
            "here.A[0]: a list, where one text is needed",
            id="import",
        ),
        pytest.param({"Fn::Equals": [1, 1]}, "Fn::Equals is a condition function", id="condition"),
    ],
)
def test_a_function_that_cannot_be_followed_is_reported_in_one_line(
    value: object, problem: str
) -> None:
    """The error names the place and the problem."""
    with pytest.raises(TemplateError) as error:
        result(value)
    assert problem in str(error.value)
    assert str(error.value).startswith("here")


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        pytest.param({"Condition": "Odd"}, "Odd refers to itself: Conditions.Odd -> ", id="itself"),
        pytest.param(
            {"Condition": "Turn"}, "-> Conditions.Turn -> Conditions.Odd", id="in-a-circle"
        ),
        pytest.param({"Condition": "No"}, "Conditions.Odd: no condition No", id="unknown"),
        pytest.param("Big", "Conditions.Odd: not a condition", id="a-text"),
        pytest.param({"Fn::Equals": ["a"]}, "Conditions.Odd: not a condition", id="equals-one"),
        pytest.param({"Fn::Equals": "ab"}, "Conditions.Odd: not a condition", id="equals-a-text"),
        pytest.param({"Fn::Not": {"Condition": "Big"}}, "not a condition", id="not-without-list"),
        pytest.param({"Fn::And": []}, "Conditions.Odd: not a condition", id="and-of-nothing"),
        pytest.param({"Fn::If": ["Big", 1, 2]}, "not a condition", id="another-function"),
        pytest.param({"Fn::Equals": ["a", None]}, "no value, where one text", id="equals-null"),
    ],
)
def test_a_condition_that_is_none_is_reported_in_one_line(test: object, problem: str) -> None:
    """A circle of conditions is an error that lists the circle."""
    conditions = {"Odd": test, "Turn": {"Condition": "Odd"}}
    with pytest.raises(TemplateError) as error:
        a_resolver(Conditions=conditions).condition("Odd", "here")
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("left", "right", "holds"),
    [
        pytest.param(True, "true", True, id="boolean"),
        pytest.param(3, "3", True, id="number"),
        pytest.param("true", "True", False, id="case-counts"),
        pytest.param({"Ref": "Zones"}, ["a", "b"], True, id="lists"),
    ],
)
def test_values_are_compared_as_text(left: object, right: object, *, holds: bool) -> None:
    """A number equals its text, and true equals the text "true"."""
    resolver = a_resolver(Conditions={"Same": {"Fn::Equals": [left, right]}})
    assert resolver.condition("Same", "here") is holds


def test_names_that_refer_to_each_other_end_in_an_error() -> None:
    """A circle of names is an error, not an endless loop."""
    queues = {
        name: {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::GetAtt": [other, "QueueName"]}},
        }
        for name, other in (("A", "B"), ("B", "A"))
    }
    with pytest.raises(TemplateError, match="refers to itself"):
        a_resolver(Resources=queues).name("A")


@pytest.mark.parametrize(
    ("physical", "name"),
    [
        pytest.param({}, "tidemill-Group", id="made-up"),
        pytest.param({"Ref": "real"}, "real", id="by-reference"),
        pytest.param({"Ref": "real", "AutoScalingGroupName": "name"}, "name", id="by-attribute"),
    ],
)
def test_a_deployed_resource_has_its_real_name(physical: dict[str, str], name: str) -> None:
    """The name of a deployed resource replaces the made-up one."""
    resolver = a_resolver(Place(physical={"Group": physical}))
    assert resolver.name("Group") == name
    assert resolver.resolve({"Ref": "Group"}, "here") == physical.get("Ref", name)


def test_a_deployed_queue_has_its_real_name_and_url() -> None:
    """A queue's Ref is its URL, and its name another attribute."""
    physical = {"Queue": {"Ref": "http://local/q", "QueueName": "q", "Arn": "arn:q"}}
    resolver = a_resolver(Place(physical=physical))
    assert resolver.resolve({"Fn::Sub": "${Queue} ${Queue.Arn}"}, "here") == "http://local/q arn:q"
    assert resolver.name("Queue") == "q"


def test_a_name_that_comes_to_no_value_is_made_up() -> None:
    """A name behind a false condition is like no name."""
    assert a_resolver().name("MaybeNamed") == "tidemill-MaybeNamed"


def test_only_what_its_condition_lets_be_is_present() -> None:
    """Resources whose condition is false do not exist."""
    assert a_resolver().present("AWS::SQS::Queue") == ["Queue", "Named", "Present"]


PIECES = st.lists(
    st.tuples(
        st.sampled_from(["Size", "AWS::Region", "own"]), st.text(alphabet="ab-{}!", max_size=4)
    ),
    max_size=6,
)
MODEL = {"Size": "3", "AWS::Region": "us-east-1", "own": "mine"}


@given(PIECES)
def test_sub_and_join_put_values_between_texts(pieces: list[tuple[str, str]]) -> None:
    """Sub and Join concatenate texts and values."""
    expected = "".join(MODEL[name] + text for name, text in pieces)
    sub = "".join(f"${{{name}}}{text}" for name, text in pieces)
    parts = [part for name, text in pieces for part in (_reference(name), text)]
    assert result({"Fn::Sub": [sub, {"own": "mine"}]}) == expected
    assert result({"Fn::Join": ["", parts]}) == expected


def _reference(name: str) -> object:
    return "mine" if name == "own" else {"Ref": name}


@given(st.lists(st.text(alphabet="abc"), min_size=1, max_size=5))
def test_split_undoes_join(texts: list[str]) -> None:
    """Texts joined by a separator that none contains are split into the same texts."""
    assert result({"Fn::Split": ["|", {"Fn::Join": ["|", texts]}]}) == texts


FUNCTIONS = ["Base64", "FindInMap", "GetAZs", "GetAtt", "If", "Join", "Select", "Split", "Sub"]
NAMES = st.sampled_from(
    [*TEMPLATE["Resources"], *TEMPLATE["Conditions"], "Size", "${Size}", "AWS::"]
)
LEAVES = st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | NAMES | st.text(max_size=3)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["Ref", *(f"Fn::{name}" for name in FUNCTIONS), "a", "Fn::Cidr"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_of_functions_comes_to_a_value_or_an_error(tree: object) -> None:
    """Any content of a template leads to a value or a TemplateError."""
    try:
        result(tree)
    except ScalingError as error:
        assert str(error).isprintable()  # noqa: PT017 - many trees end here


@given(TREES)
def test_any_tree_as_a_condition_holds_or_not_or_is_an_error(tree: object) -> None:
    """Any content of Conditions leads to true, false or a TemplateError."""
    try:
        assert a_resolver(Conditions={"Odd": tree}).condition("Odd", "here") in {True, False}
    except ScalingError as error:
        assert str(error).isprintable()  # noqa: PT017 - most trees end here


def test_a_condition_that_names_another_one_twice_is_evaluated_once() -> None:
    """Forty such conditions would otherwise take a million million evaluations."""
    twice = {
        f"C{n}": {"Fn::And": [{"Condition": f"C{n - 1}"}, {"Condition": f"C{n - 1}"}]}
        for n in range(1, 41)
    }
    conditions = {"C0": {"Fn::Equals": ["a", "a"]}, **twice}
    resolver = Resolver({"Conditions": conditions, "Resources": {}}, {}, Place())
    assert resolver.condition("C40", "here")


def test_a_text_of_unclosed_placeholders_stays_as_it_is() -> None:
    """A search from each of them to the end would take minutes."""
    text = "${Size}" + "${" * 100_000
    assert result({"Fn::Sub": text}) == "3" + "${" * 100_000


@pytest.mark.parametrize(
    "doubled",
    [
        pytest.param(lambda inner: {"Fn::Sub": ["${a}${a}", {"a": inner}]}, id="Sub"),
        pytest.param(
            lambda inner: {"Fn::Join": ["", [{"Fn::Sub": ["${a}${a}", {"a": inner}]}, "b"]]},
            id="Join",
        ),
    ],
)
def test_a_text_longer_than_a_template_is_refused(doubled: Callable[[Any], Any]) -> None:
    """A text that is doubled forty times would fill the memory."""
    value: Any = "a"
    for _ in range(40):
        value = doubled(value)
    with pytest.raises(TemplateError, match="CloudFormation takes a whole template of 1,000,000"):
        result(value)


def test_names_that_repeat_other_names_are_resolved_once() -> None:
    """Forty queues, each named after the next one twice, end in an error at once."""
    queues: Document = {
        f"Q{n}": {
            "Type": "AWS::SQS::Queue",
            "Properties": {"QueueName": {"Fn::Sub": f"${{Q{n + 1}.QueueName}}${{Q{n + 1}}}"}},
        }
        for n in range(40)
    }
    resources = {**queues, "Q40": {"Type": "AWS::SQS::Queue"}}
    with pytest.raises(TemplateError, match="a whole template"):
        Resolver({"Resources": resources}, {}, Place()).name("Q0")
