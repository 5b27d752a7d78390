"""Jinja filters that read an instance's agent configuration, program and unit from template.yaml.

Playbooks keep no copy of either: Tidemill's own reader resolves the template, as for the rig.
"""

# ruff: noqa: INP001 - Ansible loads it by its path
from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the folder of the package tidemill

from tidemill.scaling.errors import ScalingError
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_INSTALLED = r"install -m \d+ /dev/stdin {} <<'EOF'\n(.*?)\nEOF\n"
_PROGRAM = re.compile(_INSTALLED.format("/usr/local/bin/worker"), re.DOTALL)
_UNIT = re.compile(_INSTALLED.format("/etc/systemd/system/worker.service"), re.DOTALL)


def agent_config(template: str, stack: Mapping[str, Any]) -> str:
    """Return the CloudWatch agent's configuration: the JSON in the stack's SSM parameter.

    Args:
        template: the text of template.yaml.
        stack: `name`, `region`, `account`, and `parameters` where they are not the defaults.

    Raises:
        AnsibleFilterError: the template or a parameter's value cannot be understood.
    """
    return str(_properties(template, stack, "AgentConfigParameter")["Value"])


def worker_program(template: str, stack: Mapping[str, Any]) -> str:
    """Return the program that the stack's user data installs on its instances: boot and drain.

    Args:
        template: the text of template.yaml.
        stack: as for `agent_config`, and `repository`: the stack's output ConsumerRepositoryUri.

    Raises:
        AnsibleFilterError: as for `agent_config`, or `repository` is missing, or the user data
            installs no program.
    """
    return _installed(template, stack, _PROGRAM, "program")


def worker_unit(template: str, stack: Mapping[str, Any]) -> str:
    """Return the systemd unit that runs this program; as `worker_program`."""
    return _installed(template, stack, _UNIT, "unit")


def _installed(template: str, stack: Mapping[str, Any], pattern: re.Pattern[str], what: str) -> str:
    if "repository" not in stack:
        raise AnsibleFilterError("repository is missing: the stack's output ConsumerRepositoryUri")
    launch = _properties(template, stack, "WorkerLaunchTemplate")
    found = pattern.search(launch["LaunchTemplateData"]["UserData"])
    if found is None:
        raise AnsibleFilterError(f"template.yaml: its user data installs no {what}")
    return f"{found.group(1)}\n"


def _properties(template: str, stack: Mapping[str, Any], logical_id: str) -> dict[str, Any]:
    name, region, account = (str(stack[key]) for key in ("name", "region", "account"))
    place = Place(
        name,
        region,
        account,
        {
            "AgentConfigParameter": {"Ref": f"AmazonCloudWatch-{name}"},
            "ConsumerRepository": {"RepositoryUri": str(stack.get("repository"))},
        },
    )
    given = {key: str(value) for key, value in (stack.get("parameters") or {}).items()}
    try:
        resolver = Resolver(parse_template(str(template), "template.yaml"), given, place)
        return dict(resolver.properties(logical_id))
    except ScalingError as error:
        raise AnsibleFilterError(str(error)) from None  # the message is complete without the cause


class FilterModule:
    """The filters, in the class that Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """Return each filter by its name."""
        return {
            "agent_config": agent_config,
            "worker_program": worker_program,
            "worker_unit": worker_unit,
        }
