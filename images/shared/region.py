"""The AWS region, from the variable that other AWS SDKs and tools read as well."""

from __future__ import annotations

import os


def chosen_region() -> str | None:
    """Return AWS_REGION, which boto3 does not read itself, or None.

    With None, boto3 takes the region from AWS_DEFAULT_REGION or from the profile.
    """
    return os.environ.get("AWS_REGION") or None
