"""MessageLogging: who sends the messages' content to CloudWatch Logs, and what works anyway."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from support.builders.fleets import product_fleet, product_template
from support.fakes.instance import PLACE

from consumer.logs.message_log import ContentLine
from tidemill.scaling.template.resolver import Resolver
from tidemill.scaling.template.user_data import container_environment

CHOICES: Final = product_template()["Parameters"]["MessageLogging"]["AllowedValues"]
CONTENT: Final = '{"time":"t","event":"message","outcome":"processed","body":{"stream":"stderr"}}\n'


def docker_line(stream: str, text: str) -> str:
    """Return a line of Docker's log file (its logging driver json-file)."""
    fields = {"log": text, "stream": stream, "time": "2026-11-24T09:34:02.818123456Z"}
    return json.dumps(fields, separators=(",", ":"))


def properties(logical_id: str, choice: str) -> dict[str, Any]:
    """Return a resource's properties with this choice."""
    return Resolver(product_template(), {"MessageLogging": choice}, PLACE).properties(logical_id)


def files(choice: str) -> list[dict[str, Any]]:
    """Return the files that the agent collects."""
    config = json.loads(properties("AgentConfigParameter", choice)["Value"])
    return list(config["logs"]["logs_collected"]["files"]["collect_list"])


def collected(choice: str, line: str) -> bool:
    """Return whether the agent sends a line of a container's log file.

    A line is sent if every filter agrees (CloudWatch User Guide, "Manually create or edit the
    CloudWatch agent configuration file": filters).
    """
    containers, _ = files(choice)
    return all(
        bool(re.search(each["expression"], line)) is (each["type"] == "include")
        for each in containers.get("filters", [])
    )


@pytest.mark.parametrize(
    ("choice", "by_worker", "by_agent"),
    [("both", True, True), ("worker", True, False), ("agent", False, True)],
)
def test_the_content_is_sent_by_whom_the_parameter_names(
    choice: str,
    by_worker: bool,  # noqa: FBT001 - a case
    by_agent: bool,  # noqa: FBT001 - a case
) -> None:
    """The consumer gets the choice as a setting, the agent as a filter."""
    user_data = product_fleet(MessageLogging=choice).user_data
    given = container_environment(user_data, {"INSTANCE_ID": "i-1"})
    assert (given["MESSAGE_LOGGING"] != "agent") is by_worker
    assert collected(choice, docker_line("stdout", CONTENT)) is by_agent


@pytest.mark.parametrize("choice", CHOICES)
def test_the_agent_always_sends_the_boot_log_and_what_goes_to_standard_error(choice: str) -> None:
    """Both say why a consumer did not start; no content is in them."""
    assert collected(choice, docker_line("stderr", "consumer: set QUEUE_URL\n"))
    _, boot = files(choice)
    assert boot["file_path"] == "/var/log/cloud-init-output.log"
    assert "filters" not in boot


@pytest.mark.parametrize(("choice", "days"), [("both", 3), ("worker", 3), ("agent", 30)])
def test_content_that_only_the_agent_sends_is_kept_as_long_as_the_workers_logs(
    choice: str, days: int
) -> None:
    """LogRetentionDays is for the content, whoever sends it."""
    assert int(properties("HostLogGroup", choice)["RetentionInDays"]) == days
    assert int(properties("WorkerLogGroup", choice)["RetentionInDays"]) == 30


def test_no_saved_query_metric_filter_or_alarm_reads_the_content() -> None:
    """So all of them work with each choice, because every line has all its other fields."""
    content = {"body", "body_text"}
    assert content < set(ContentLine.__struct_fields__)
    for name, resource in product_template()["Resources"].items():
        if resource["Type"] in {"AWS::Logs::QueryDefinition", "AWS::Logs::MetricFilter"}:
            words = set(re.findall(r"\w+", json.dumps(resource["Properties"])))
            assert not words & content, name
