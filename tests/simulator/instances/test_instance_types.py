"""The rule for vCPUs agrees with what EC2 says about its instance types."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files

import pytest

from tidemill.simulator.instances.instance_types import vcpus


def test_the_rule_agrees_with_ec2_about_every_type() -> None:
    """Moto has recorded DescribeInstanceTypes; bare metal is not known to the rule."""
    recorded = files("moto") / "ec2" / "resources" / "instance_types.json.gz"
    types = json.loads(gzip.decompress(recorded.read_bytes()))
    wrong = {
        name: (about["VCpuInfo"]["DefaultVCpus"], vcpus(name))
        for name, about in types.items()
        if "metal" not in name and vcpus(name) != about["VCpuInfo"]["DefaultVCpus"]
    }
    assert len(types) > 1000
    assert wrong == {}


@pytest.mark.parametrize("name", ["m5.metal", "c7g.huge", "small"])
def test_the_vcpus_of_other_types_are_not_known(name: str) -> None:
    """The simulator then assumes one, and says so."""
    assert vcpus(name) is None
