"""All kinds of published examples, in the order in which an example is compared with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from support.examples.activities import ACTIVITY_KINDS
from support.examples.alarms import ALARM_KINDS
from support.examples.errors import ERROR_KINDS
from support.examples.groups import GROUP_KINDS
from support.examples.kind import Match
from support.examples.lifecycle import LIFECYCLE_KINDS
from support.examples.limits import LIMIT_KINDS
from support.examples.matching import match
from support.examples.math import MATH_KINDS
from support.examples.metadata import METADATA_KINDS
from support.examples.not_run import CONTRADICTED, NOT_RUN
from support.examples.queues import QUEUE_KINDS
from support.examples.steps import STEP_KINDS
from support.examples.tracking import TRACKING_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final = (
    *NOT_RUN,
    *ALARM_KINDS,
    *MATH_KINDS,
    *STEP_KINDS,
    *TRACKING_KINDS,
    *GROUP_KINDS,
    *LIFECYCLE_KINDS,
    *ACTIVITY_KINDS,
    *QUEUE_KINDS,
    *ERROR_KINDS,
    *METADATA_KINDS,
    *LIMIT_KINDS,
)
"""Those that are not run come first: they are narrow, and some look like a kind that is run."""


def find(vector: Mapping[str, Any]) -> Match:
    """Return an example with its kind.

    Raises:
        UnknownFieldError: its kind does not know one of its fields.
        ExampleError: there is no kind with such fields.
    """
    return Match(CONTRADICTED, ()) if vector.get("conflicts_with") else match(vector, KINDS)
