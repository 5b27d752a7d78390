"""Playbooks without a machine: their form, their versions, and what they read of template.yaml."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import jsonschema
import pytest
import yaml
from support.emulators.docker import ROOT
from support.emulators.machines import ANSIBLE, agent_config, run_ansible
from support.fakes.instance import REPOSITORY

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

PLAYBOOKS = sorted(path.name for path in ANSIBLE.glob("*.yml") if path.name != "requirements.yml")


def exactly(required: dict[str, Any], **optional: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """Return the schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 512}
SECONDS: Final = {"type": "integer", "minimum": 1, "maximum": 172_800}


def measuring(*names: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    """Return the schema of one kind of metric, with some of these measurements."""
    names_of = {"type": "array", "items": {"enum": list(names)}, "minItems": 1, "uniqueItems": True}
    return exactly(
        {"measurement": names_of},
        drop_original_metrics=names_of,
        metrics_collection_interval=SECONDS,
        **more,
    )


AGENT_SCHEMA: Final = exactly(
    {
        "metrics": exactly(
            {
                "metrics_collected": exactly(
                    {},
                    mem=measuring("mem_used_percent"),
                    disk=measuring(
                        "used_percent",
                        resources={"type": "array", "items": TEXT},
                        drop_device={"type": "boolean"},
                    ),
                )
            },
            namespace={"type": "string", "pattern": "^[^:]{1,255}$"},
            append_dimensions=exactly(
                {},
                InstanceId={"const": "${aws:InstanceId}"},
                AutoScalingGroupName={"const": "${aws:AutoScalingGroupName}"},
            ),
            aggregation_dimensions={"type": "array", "items": {"type": "array", "items": TEXT}},
        ),
        "logs": exactly(
            {
                "logs_collected": exactly(
                    {
                        "files": exactly(
                            {
                                "collect_list": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": exactly(
                                        {"file_path": TEXT},
                                        log_group_name={
                                            "type": "string",
                                            "pattern": r"^[\w/.#-]{1,512}$",
                                        },
                                        filters={
                                            "type": "array",
                                            "items": exactly(
                                                {
                                                    "type": {"enum": ["include", "exclude"]},
                                                    "expression": TEXT,
                                                }
                                            ),
                                        },
                                        log_stream_name={
                                            "type": "string",
                                            "pattern": "^[^:*]{1,512}$",
                                        },
                                    ),
                                }
                            }
                        )
                    }
                )
            }
        ),
    },
    agent=exactly({}, metrics_collection_interval=SECONDS, run_as_user=TEXT),
)


def test_ansible_lint_finds_nothing_in_its_strictest_profile() -> None:
    """There is not even a warning."""
    done = run_ansible("ansible-lint", "--offline", "--strict", "--profile", "production")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_can_be_read(playbook: str) -> None:
    """The check includes the roles and their tasks."""
    done = run_ansible("ansible-playbook", "--syntax-check", "--inventory", "localhost,", playbook)
    assert done.returncode == 0, done.stderr


def test_the_collections_are_those_that_the_package_brings() -> None:
    """An installation from Galaxy gets the versions that are tested here."""
    wanted = yaml.safe_load((ANSIBLE / "requirements.yml").read_text())["collections"]
    assert [each["name"] for each in wanted] == ["amazon.aws"]
    listed = json.loads(
        run_ansible("ansible-galaxy", "collection", "list", "--format", "json").stdout
    )
    brought = {name: about for folder in listed.values() for name, about in folder.items()}
    assert [each["version"] for each in wanted] == [
        brought[each["name"]]["version"] for each in wanted
    ]


def test_the_roles_need_no_collection() -> None:
    """Image Builder's instance has ansible-core without collections."""
    for path in ANSIBLE.glob("roles/*/tasks/*.yml"):
        for task in yaml.safe_load(path.read_text()):
            used = [name for name in task if "." in name]
            used += [name for inner in task.get("block", []) for name in inner if "." in name]
            assert all(name.startswith("ansible.builtin.") for name in used), path


@pytest.mark.parametrize("role", ["cloudwatch_agent", "worker_host"])
def test_a_roles_defaults_are_those_that_are_described(role: str) -> None:
    """Each setting has a description and the default that it states."""
    folder = ANSIBLE / "roles" / role
    defaults = yaml.safe_load((folder / "defaults/main.yml").read_text())
    options = yaml.safe_load((folder / "meta/argument_specs.yml").read_text())["argument_specs"][
        "main"
    ]["options"]
    assert {name: about["default"] for name, about in options.items()} == defaults
    assert all(about["description"] for about in options.values())


def evaluated(expression: str, variables: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Return the value of an expression that Ansible evaluates, as in a playbook."""
    return run_ansible(
        *("ansible", "localhost", "--inventory", "localhost,", "--connection", "local"),
        *("--module-name", "ansible.builtin.debug", "--args", f"msg={{{{ {expression} }}}}"),
        *("--extra-vars", json.dumps(variables)),
        ANSIBLE_LOAD_CALLBACK_PLUGINS="1",
        ANSIBLE_STDOUT_CALLBACK="ansible.builtin.minimal",
    )


PLACE = {
    "name": "shop",
    "region": "eu-west-1",
    "account": "111122223333",
    "repository": REPOSITORY,
}


def test_the_agents_configuration_is_the_templates() -> None:
    """The text is that of the stack's SSM parameter, with the stack's log group."""
    expression = "lookup('ansible.builtin.file', '../template.yaml') | agent_config(place)"
    done = evaluated(expression, {"place": PLACE})
    assert done.returncode == 0, done.stdout
    message = json.loads(done.stdout[done.stdout.index("{") :])["msg"]
    assert (message if isinstance(message, dict) else json.loads(message)) == agent_config("shop")


@pytest.mark.parametrize(
    ("text", "parameters", "message"),
    [
        pytest.param("Resources: [", {}, "template.yaml, line 1, column 13: ", id="no-yaml"),
        pytest.param(
            (ROOT / "template.yaml").read_text(),
            {"MessageSeconds": "31"},
            "parameter MessageSeconds=31: choose 10, 30, ",
            id="a-value-out-of-bounds",
        ),
    ],
)
def test_a_template_that_cannot_be_used_is_reported_in_a_sentence(
    text: str, parameters: dict[str, str], message: str, tmp_path: Path
) -> None:
    """The message is the core's own."""
    (tmp_path / "template.yaml").write_text(text)
    expression = "lookup('ansible.builtin.file', file) | worker_program(place)"
    place = {**PLACE, "parameters": parameters}
    done = evaluated(expression, {"file": str(tmp_path / "template.yaml"), "place": place})
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


def test_the_agents_configuration_is_one_that_the_agent_takes() -> None:
    """The schema has the parts of AWS's published one that are used here, and no others.

    CloudWatch User Guide, "Manually create or edit the CloudWatch agent configuration file", and
    the schema in the agent's sources.
    """
    jsonschema.validate(agent_config("shop"), AGENT_SCHEMA)
