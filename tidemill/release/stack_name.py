"""Stack names: refuses one that template.yaml cannot use before anything is created."""

from __future__ import annotations

import re
from typing import Final

from tidemill.release.errors import ReleaseError

ALLOWED: Final = re.compile(r"[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?")
"""CloudFormation's rule (letters, digits and hyphens, first a letter), without a hyphen at the end:
one more follows in a repository's name, and ECR does not accept two in a row. CloudFormation makes
capital letters small there, and two hyphens within the name one ("CreateHandler.java" of the
resource provider for ECR, "IdentifierUtils.java" of its Java plugin)."""

LONGEST: Final = 62
"""Characters of the longest name: `-dead-letters.fifo` may follow it in a queue's name, which has
at most 80 ("Amazon SQS FIFO queue quotas")."""


def refuse_impossible_name(name: str) -> None:
    """Raise ReleaseError if template.yaml cannot be deployed as a stack with this name."""
    if not ALLOWED.fullmatch(name):
        raise ReleaseError(
            f"a stack cannot have the name {name!r}: use letters, digits and hyphens, a letter "
            "first and no hyphen last (stack_name in samconfig.toml)"
        )
    if len(name) > LONGEST:
        raise ReleaseError(
            f"the stack name {name!r} has {len(name)} characters: use at most {LONGEST}, because "
            "the queues are named after the stack (stack_name in samconfig.toml)"
        )
