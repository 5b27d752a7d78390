"""Parameters: defaults, given values, and bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.fleets import product_template

from tidemill.scaling.errors import ParameterError, ScalingError, TemplateError
from tidemill.scaling.template.parameters import parameter_values, unchecked_patterns

if TYPE_CHECKING:
    from tidemill.scaling.template.document import Document


def value_of(declaration: Document, *given: str) -> str | list[str]:
    """Return the value of a parameter P, declared so and given once or not at all."""
    values = {"P": given[0]} if given else {}
    return parameter_values({"Parameters": {"P": declaration}}, values)["P"]


@pytest.mark.parametrize(
    ("declaration", "given", "value"),
    [
        pytest.param({"Type": "String", "Default": "a"}, [], "a", id="default"),
        pytest.param({"Type": "String", "Default": "a"}, ["b"], "b", id="given"),
        pytest.param({"Type": "String", "Default": ""}, [], "", id="empty-default"),
        pytest.param({"Type": "String", "Default": "a"}, [""], "", id="given-empty"),
        pytest.param({"Type": "String", "Default": True}, [], "true", id="a-boolean-is-text"),
        pytest.param({"Type": "Number", "Default": 4}, [], "4", id="a-number-is-text"),
        pytest.param({"Type": "Number"}, ["-1.5"], "-1.5", id="a-negative-number"),
        pytest.param({"Type": "CommaDelimitedList"}, ["a, b"], ["a", "b"], id="list"),
        pytest.param({"Type": "List<Number>"}, ["1,2"], ["1", "2"], id="list-of-numbers"),
        pytest.param({"Type": "String", "AllowedValues": [1, 7]}, ["7"], "7", id="allowed-numbers"),
        pytest.param({"Type": "String", "MinLength": 2, "MaxLength": 2}, ["ab"], "ab", id="length"),
        pytest.param(
            {"Type": "Number", "MinValue": 0, "MaxValue": 5}, ["5"], "5", id="at-the-edge"
        ),
        pytest.param(
            {"Type": "AWS::SSM::Parameter::Value<String>"}, ["/ami"], "/ami", id="name-in-SSM"
        ),
        pytest.param({}, ["a"], "a", id="no-type"),
    ],
)
def test_a_value_comes_as_text(declaration: Document, given: list[str], value: object) -> None:
    """A default of any type becomes text, or a list of texts."""
    assert value_of(declaration, *given) == value


@pytest.mark.parametrize(
    ("declaration", "given", "problem"),
    [
        pytest.param({"Type": "Number"}, ["x"], "P=x: not a number", id="no-number"),
        pytest.param({"Type": "Number"}, [""], "P=: not a number", id="an-empty-number"),
        pytest.param({"Type": "Number"}, ["nan"], "P=nan: not a number", id="nan"),
        pytest.param({"Type": "Number"}, ["1_0"], "P=1_0: not a number", id="underscore"),
        pytest.param({"Type": "Number"}, ["1e999"], "P=1e999: not a number", id="endless"),
        pytest.param({"Type": "Number", "MinValue": 1}, ["0"], "P=0: less than 1", id="too-little"),
        pytest.param({"Type": "Number", "MaxValue": "1"}, ["2"], "P=2: more than 1", id="too-much"),
        pytest.param({"AllowedValues": ["a", 1]}, ["b"], "P=b: not one of a, 1", id="not-allowed"),
        pytest.param({"AllowedPattern": "a+"}, ["ab"], "P=ab: does not match a+", id="pattern"),
        pytest.param({"MinLength": 2}, ["a"], "P=a: shorter than 2 characters", id="too-short"),
        pytest.param({"MaxLength": 2}, ["abc"], "P=abc: longer than 2 characters", id="too-long"),
        pytest.param({"Type": "List<Number>"}, ["1,b"], "P=b: not a number", id="one-of-a-list"),
        pytest.param(
            {"MinLength": 1, "ConstraintDescription": "say who"}, [""], "P=: say who", id="in-words"
        ),
        pytest.param({"Type": "Number"}, ["1\n2"], "P=1 2: not a number", id="two-lines"),
        pytest.param({}, [], "no default: give a value for it, such as -P P=VALUE", id="no-value"),
    ],
)
def test_a_value_out_of_bounds_is_refused(
    declaration: Document, given: list[str], problem: str
) -> None:
    """The error names the parameter, the value and its bound, in one line."""
    with pytest.raises(ParameterError) as error:
        value_of(declaration, *given)
    assert str(error.value).endswith(problem)


def test_all_parameters_without_a_value_are_reported_at_once() -> None:
    """One error names all of them."""
    declared: Document = {"Vpc": {}, "Size": {"Default": 1}, "Key": {}, "Zone": {}}
    with pytest.raises(ParameterError, match=r"^parameters Vpc, Zone have no defaults: give"):
        parameter_values({"Parameters": declared}, {"Key": "mine"})


def test_an_unknown_parameter_is_refused_with_those_there_are() -> None:
    """The error lists the known parameters, so that a typo is seen at once."""
    with pytest.raises(ParameterError, match=r"unknown parameter MaxInstance: .*, MaxInstances, "):
        parameter_values(product_template(), {"MaxInstance": "2"})


@pytest.mark.parametrize(
    "declaration",
    [
        pytest.param({"Default": None}, id="null"),
        pytest.param({"Default": ["a"]}, id="a-list-for-a-default"),
        pytest.param({"Default": {"Ref": "Q"}}, id="a-function-for-a-default"),
        pytest.param({"Default": "a", "MinLength": "x"}, id="a-length-that-is-none"),
        pytest.param(
            {"Default": "1", "Type": "Number", "MinValue": "x"}, id="a-bound-that-is-none"
        ),
        pytest.param({"Default": "a", "AllowedValues": "a"}, id="allowed-values-in-a-text"),
        pytest.param({"Default": "a", "Type": ["String"]}, id="a-type-in-a-list"),
    ],
)
def test_a_declaration_that_cannot_be_read_is_the_templates_fault(declaration: Document) -> None:
    """The error names the parameter in the template."""
    with pytest.raises(TemplateError, match=r"^Parameters\.P"):
        value_of(declaration)


def test_the_products_parameters_all_have_good_defaults() -> None:
    """template.yaml can be deployed without any given value."""
    template = product_template()
    assert parameter_values(template, {}).keys() == template["Parameters"].keys()


ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())
KEYS = st.sampled_from(
    ["Type", "Default", "AllowedPattern", "AllowedValues", "MinValue", "MaxValue", "MinLength"]
)


@given(st.dictionaries(KEYS, ANY | st.just("Number")), st.text())
def test_any_declaration_and_value_come_to_text_or_an_error(
    declaration: Document, value: str
) -> None:
    """Any declaration and value lead to text or an error."""
    try:
        result = value_of(declaration, value)
    except ScalingError as error:
        assert str(error).isprintable()  # noqa: PT017 - most ends here
    else:
        assert isinstance(result, str | list)


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"^[\w-\.]+(,[\w-\.]*){0,24}$", id="a dash after a class"),
        pytest.param(r"\p{Alnum}*\.\p{Lower}*", id="classes of POSIX"),
        pytest.param("[a-z0-9.&&[^x]]*+", id="an intersection, and no way back"),
    ],
)
def test_a_pattern_of_java_is_checked(pattern: str) -> None:
    """CloudFormation reads patterns as Java does."""
    declaration = {"Default": "t3.small", "AllowedPattern": pattern}
    assert value_of(declaration) == "t3.small"
    assert not list(unchecked_patterns({"Parameters": {"P": declaration}}))
    with pytest.raises(ParameterError, match="does not match"):
        value_of(declaration, "t3.small!x")


@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param("a{99999999999}", id="a huge repetition"),
        pytest.param("(", id="no pattern at all"),
        pytest.param("(" * 5_000 + ")" * 5_000, id="too deep"),
        pytest.param("a" * 10_001, id="too long"),
    ],
)
def test_a_pattern_that_cannot_be_read_here_is_not_checked(pattern: str) -> None:
    """What is not checked is said."""
    declaration = {"Default": "t3.small", "AllowedPattern": pattern}
    assert value_of(declaration) == "t3.small"
    (sentence,) = unchecked_patterns({"Parameters": {"P": declaration}})
    assert sentence.startswith("Parameters.P.AllowedPattern: this pattern cannot be read here")


def test_a_pattern_that_takes_years_is_refused() -> None:
    """A comparison has a time limit."""
    declaration = {"Default": "a" * 60 + "!", "AllowedPattern": "^(a|a)*$"}
    with pytest.raises(TemplateError, match="takes more than 1 s"):
        value_of(declaration)


def test_a_placeholder_stands_for_a_value_that_nobody_gives() -> None:
    """Bounds do not apply to it; a given value is checked as usual."""
    template = {
        "Parameters": {
            "Key": {"Type": "AWS::EC2::KeyPair::KeyName"},
            "Password": {"MinLength": 20},
            "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
            "Size": {"Type": "Number", "MaxValue": 4},
        }
    }
    values = parameter_values(template, {"Size": "3"}, placeholders=True)
    assert values == {
        "Key": "<Key>",
        "Password": "<Password>",
        "Subnets": ["<Subnets>"],
        "Size": "3",
    }
    with pytest.raises(ParameterError, match="more than 4"):
        parameter_values(template, {"Size": "5"}, placeholders=True)
