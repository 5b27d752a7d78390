"""ami.yaml: its form, its steps, and the image that it gives to template.yaml."""

from __future__ import annotations

import os
import re
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from support.builders.fleets import product_template
from support.emulators.docker import ROOT
from support.emulators.machines import ANSIBLE, BIN, environment, needed_ansible
from support.fakes.instance import needed_command

from tidemill.scaling.errors import ParameterError
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from pathlib import Path

TEXT: Final = (ROOT / "ami.yaml").read_text(encoding="utf-8")
LINES: Final = TEXT.splitlines()
TEMPLATE: Final = parse_template(TEXT, "ami.yaml")
PARAMETERS: Final[dict[str, Any]] = TEMPLATE["Parameters"]
RESOURCES: Final[dict[str, Any]] = TEMPLATE["Resources"]
PLACE: Final = Place("bakery", "eu-west-1", "111122223333")
REPOSITORY: Final = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop-consumerrepository-1a2b3c"


def resolved(logical_id: str, **parameters: str) -> dict[str, Any]:
    """Return a resource's properties as CloudFormation would make them."""
    given = {"ConsumerRepositoryUri": REPOSITORY, "ImageTag": "3f9c2ab", **parameters}
    return Resolver(TEMPLATE, given, PLACE).properties(logical_id)


def component() -> dict[str, Any]:
    """Return the document that Image Builder's machine runs."""
    return dict(yaml.safe_load(resolved("WorkerComponent")["Data"]))


def scripts() -> list[str]:
    """Return every script of the document."""
    return [
        command
        for phase in component()["phases"]
        for step in phase["steps"]
        if step["action"] == "ExecuteBash"
        for command in step["inputs"]["commands"]
    ]


def test_cfn_lint_finds_nothing() -> None:
    """The rules are those for template.yaml."""
    done = subprocess.run(
        [needed_command("cfn-lint"), ROOT / "ami.yaml"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_checkov_finds_nothing() -> None:
    """Each suppressed rule has a reason."""
    checkov = ROOT / ".venv-lint/bin/checkov"
    if not checkov.exists():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this test needs make validate")
    options = ["--quiet", "--compact", "--skip-download", "--framework", "cloudformation"]
    done = subprocess.run(
        [checkov, *options, "--file", "ami.yaml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    for name, resource in RESOURCES.items():
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", []):
            assert len(skip["comment"]) > 20, name


@pytest.mark.parametrize("name", RESOURCES)
def test_a_sentence_above_each_resource_says_its_purpose(name: str) -> None:
    """The comment is a sentence, as in template.yaml."""
    above = LINES[LINES.index(f"  {name}:") - 1]
    assert re.match(r"  # .+\.$", above), above


@pytest.mark.parametrize("name", PARAMETERS)
def test_each_parameter_is_described_and_bounded(name: str) -> None:
    """Each parameter is in one group of the console's form."""
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    assert parameter["ConstraintDescription"].endswith(".")
    assert {"AllowedValues", "AllowedPattern"} & parameter.keys()
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [each for group in groups for each in group["Parameters"]].count(name) == 1


def test_an_image_without_a_tag_is_refused() -> None:
    """No tag is right for every stack, so there is no default."""
    with pytest.raises(ParameterError, match="ImageTag"):
        Resolver(TEMPLATE, {}, PLACE)


def test_the_documents_phases_are_image_builders() -> None:
    """Image Builder runs these three phases, with actions that it supports."""
    document = component()
    assert document["schemaVersion"] == 1.0
    assert [phase["name"] for phase in document["phases"]] == ["build", "validate", "test"]
    steps = [step for phase in document["phases"] for step in phase["steps"]]
    assert {step["action"] for step in steps} == {"S3Download", "ExecuteBash"}
    assert len({step["name"] for step in steps}) == len(steps)
    assert len(resolved("WorkerComponent")["Data"]) < 16_000
    assert "{{" not in resolved("WorkerComponent")["Data"], "that would be Image Builder's own"


def test_each_script_passes_bash_and_shellcheck(tmp_path: Path) -> None:
    """Neither cfn-lint nor Image Builder checks the scripts."""
    for script in scripts():
        program = tmp_path / "script"
        program.write_text(f"#!/bin/bash\n{script}")
        checked = subprocess.run(
            [needed_command("shellcheck"), "--norc", program],
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.stdout == ""


def test_the_archive_that_is_asked_for_is_enough_to_bake(tmp_path: Path) -> None:
    """Playbook and roles are enough, packed as the documentation says."""
    needed_ansible()
    page = (ROOT / "docs/agent.md").read_text()
    (packing,) = re.findall(r"^ *(tar -czf \S+ .*)$", page, flags=re.MULTILINE)
    archive, folder, *members = re.fullmatch(  # type: ignore[union-attr] # the page has it
        r"tar -czf (\S+) -C (\S+) (\S+) (\S+)", packing
    ).groups()
    assert ROOT / folder == ANSIBLE
    with tarfile.open(tmp_path / "archive", "w:gz") as packed:
        for member in members:
            packed.add(ANSIBLE / member, member)
    with tarfile.open(tmp_path / "archive") as packed:
        packed.extractall(tmp_path / "playbooks", filter="data")
    (command,) = re.findall(r"ansible-playbook .*", "\n".join(scripts()))
    words = command.replace('"worker_host_image=$image"', "worker_host_image=x").split()
    done = subprocess.run(
        [BIN / words[0], *words[1:], "--syntax-check"],
        cwd=tmp_path / "playbooks",
        env={key: value for key, value in environment().items() if key != "ANSIBLE_CONFIG"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    source = component()["phases"][0]["steps"][0]["inputs"][0]["source"]
    assert source.rpartition("/")[2] == archive.rpartition("/")[2] == "playbooks.tar.gz"


@pytest.mark.parametrize(
    ("architecture", "parent", "machine"),
    [("arm64", "amazon-linux-2023-arm64", "t4g."), ("x86_64", "amazon-linux-2023-x86", "t3a.")],
)
def test_the_image_is_for_the_processor_that_was_asked_for(
    architecture: str, parent: str, machine: str
) -> None:
    """The base image and the building instance have the same architecture."""
    recipe = resolved("WorkerRecipe", Architecture=architecture)
    assert recipe["ParentImage"].endswith(f":aws:image/{parent}/x.x.x")
    builder = resolved("BuilderInfrastructureConfiguration", Architecture=architecture)
    assert builder["InstanceTypes"][0].startswith(machine)


def test_the_image_is_pulled_from_the_repository_that_the_role_may_read() -> None:
    """The repository is an output of template.yaml's stack, and its name is made by AWS."""
    assert "ConsumerRepositoryUri" in product_template()["Outputs"]
    assert re.fullmatch(
        TEMPLATE["Parameters"]["ConsumerRepositoryUri"]["AllowedPattern"], REPOSITORY
    )
    assert resolved("ConsumerImageParameter")["Value"] == f"{REPOSITORY}:3f9c2ab"
    (policy,) = resolved("BuilderRole")["Policies"]
    (pull,) = [item for item in policy["PolicyDocument"]["Statement"] if item["Sid"] == "PullImage"]
    name = REPOSITORY.partition("/")[2]
    assert pull["Resource"] == f"arn:aws:ecr:eu-west-1:111122223333:repository/{name}"


def test_the_result_is_a_value_of_the_parameter_ami() -> None:
    """It is a parameter that Image Builder may write, in the form of the launch template."""
    kept = resolved("WorkerDistributionConfiguration")["Distributions"][0]
    (parameter,) = kept["SsmParameterConfigurations"]
    assert parameter["ParameterName"].startswith("/imagebuilder/")
    value = TEMPLATE["Outputs"]["Ami"]["Value"]["Fn::Sub"].replace("${AWS::StackName}", "bakery")
    assert value == f"resolve:ssm:{parameter['ParameterName']}"
    assert re.fullmatch(product_template()["Parameters"]["Ami"]["AllowedPattern"], value)


def test_the_builder_may_do_nothing_to_everything_unconditionally() -> None:
    """The rule is that of template.yaml; AWS requires the managed policies for Image Builder."""
    role = resolved("BuilderRole")
    statements = role["Policies"][0]["PolicyDocument"]["Statement"]
    for statement in statements:
        assert "*" not in str(statement["Action"])
        assert statement["Resource"] != "*" or "Condition" in statement
    assert len(role["ManagedPolicyArns"]) == 2
