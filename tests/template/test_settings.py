"""The settings that the template gives its consumers, beside the consumer's own defaults."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from support.builders.fleets import product_fleet, product_template, product_text

from consumer.setting_table import SETTINGS
from consumer.settings import read
from shared.settings import Choice, Seconds, Whole
from tidemill.scaling.template.user_data import container_environment

PARAMETERS = product_template()["Parameters"]
BY_NAME = {setting.name: setting for setting in SETTINGS}
PASSED_ON = dict(re.findall(r"--env (\w+)=\$\{(\w+)\}", product_text()))
"""The parameter of the template, or of its user data, whose value a setting gets as it stands."""

FROM_PARAMETERS = {
    name: parameter for name, parameter in PASSED_ON.items() if parameter in PARAMETERS
}
NARROWER = {"MESSAGES_PER_POLL": 1000, "POLL_WAIT_SECONDS": 3600}
"""Settings whose maximum is smaller in the template, on purpose: a fleet that rests for more than
an hour, or takes more than a thousand messages in one go, cannot follow its queue."""


def test_a_stack_without_parameters_has_the_consumers_defaults_but_for_three() -> None:
    """An instance has more time to drain than Docker's ten seconds, and so do its long polls.

    A retry waits for HoldSeconds at most: a message that waits for it keeps instances running.
    """
    given = container_environment(product_fleet().user_data, {"INSTANCE_ID": "i-1"})
    names = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "INSTANCE_ID", "LOG_GROUP")
    needed = {name: given[name] for name in names}
    stack, usual = asdict(read(given, "host")), asdict(read(needed, "host"))
    assert {name: (stack[name], usual[name]) for name in usual if stack[name] != usual[name]} == {
        "drain": (75, 9),
        "rhythm": (stack["rhythm"], stack["rhythm"] | {"receive_wait": 4}),
        "retry_delay_max": (120, 900),
    }


def test_some_settings_are_parameters() -> None:
    """The tests below would pass if no setting were a parameter."""
    assert FROM_PARAMETERS.keys() == {
        "HANDLER",
        "ENVELOPE",
        "CONCURRENCY",
        "MESSAGE_SECONDS",
        "MESSAGES_PER_POLL",
        "POLL_WAIT_SECONDS",
        "MESSAGE_LOGGING",
    }


@pytest.mark.parametrize("name", FROM_PARAMETERS)
def test_a_parameter_has_the_settings_default(name: str) -> None:
    """Then the documentation of both has the same number."""
    assert str(PARAMETERS[FROM_PARAMETERS[name]]["Default"]) == str(BY_NAME[name].default)


@pytest.mark.parametrize("name", FROM_PARAMETERS)
def test_a_parameter_has_the_settings_bounds(name: str) -> None:
    """Only a maximum may be smaller, on purpose."""
    setting, parameter = BY_NAME[name], PARAMETERS[FROM_PARAMETERS[name]]
    if isinstance(setting, Whole | Seconds) and "AllowedValues" in parameter:
        assert all(
            setting.low <= int(value) <= setting.high for value in parameter["AllowedValues"]
        )
    elif isinstance(setting, Whole | Seconds):
        assert parameter["MinValue"] == setting.low
        assert parameter["MaxValue"] == NARROWER.get(name, setting.high) <= setting.high
    if isinstance(setting, Choice):
        assert tuple(parameter["AllowedValues"]) == setting.allowed
