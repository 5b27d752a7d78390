"""Instance types of EC2: how many vCPUs they have."""

from __future__ import annotations

import re
from typing import Final

SMALL_SIZES: Final = frozenset({"nano", "micro", "small", "medium"})
"""Sizes below `large`, which has two vCPUs."""

OTHERS: Final = {
    "c1.medium": 2,
    "c1.xlarge": 8,
    "c4.8xlarge": 36,
    "d2.8xlarge": 36,
    "hpc6a.48xlarge": 96,
    "hpc6id.32xlarge": 64,
    "hpc7a.12xlarge": 24,
    "hpc7a.24xlarge": 48,
    "hpc7a.48xlarge": 96,
    "hpc7a.96xlarge": 192,
    "hpc8a.96xlarge": 192,
    "m2.xlarge": 2,
    "m2.2xlarge": 4,
    "m2.4xlarge": 8,
    "t2.medium": 2,
}
"""The types that the rule does not fit."""


def vcpus(instance_type: str) -> int | None:
    """Return the default number of vCPUs of a type; None if it is not known, as for bare metal.

    It follows from the size: 2 for large, 4 for xlarge, 4 n for nxlarge. Below large it is 1, or 2
    in the families that burst (t3, t3a, t4g). A test compares this rule with the 1,400 types that
    EC2's DescribeInstanceTypes names (VCpuInfo.DefaultVCpus), as moto has recorded them.
    """
    if instance_type in OTHERS:
        return OTHERS[instance_type]
    family, _, size = instance_type.partition(".")
    if match := re.fullmatch(r"(\d*)xlarge", size):
        return 4 * int(match[1] or 1)
    if size == "large":
        return 2
    if size in SMALL_SIZES:
        return 2 if family.startswith("t") and family not in {"t1", "t2"} else 1
    return None
