"""Values that the template refuses, and in which words."""

from __future__ import annotations

import pytest
from support.fleets import product_fleet, product_template

from tidemill.scaling.errors import ParameterError

PARAMETERS = product_template()["Parameters"]


def wrong_values() -> list[tuple[str, str]]:
    """Return values outside the bounds of each parameter that has any."""
    wrong: list[tuple[str, str]] = []
    for name, parameter in PARAMETERS.items():
        if "MinValue" in parameter:
            wrong += [(name, str(parameter["MinValue"] - 1)), (name, "ten")]
            wrong.append((name, str(parameter["MaxValue"] + 1)))
        if "AllowedValues" in parameter:
            wrong.append((name, "77"))
    wrong += [
        ("ImageTag", "no spaces"),
        ("Handler", "module"),
        ("KmsKeyArn", "alias/mine"),
        ("InstanceTypes", "large"),
        ("VpcId", "my-vpc"),
        ("NotificationEmail", "somebody"),
    ]
    return wrong


@pytest.mark.parametrize(("name", "value"), wrong_values())
def test_a_value_out_of_bounds_is_refused_in_the_templates_words(name: str, value: str) -> None:
    """Which say what would be right."""
    with pytest.raises(ParameterError) as caught:
        product_fleet(**{name: value})
    assert str(caught.value) == (
        f"parameter {name}={value}: {PARAMETERS[name]['ConstraintDescription']}"
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_defaults_are_within_their_own_bounds(name: str) -> None:
    """A stack without any parameter given is a valid one."""
    default = PARAMETERS[name]["Default"]
    assert product_fleet(**{name: str(default)}) == product_fleet()
