"""The AWS region, under the name that other AWS SDKs and tools know too."""

from __future__ import annotations

import os


def chosen_region() -> str | None:
    """Return AWS_REGION, which boto3 does not read by itself; None leaves the choice to boto3.

    boto3 looks at AWS_DEFAULT_REGION and at the profile.
    """
    return os.environ.get("AWS_REGION") or None
