"""Plan of a verification: all checks in their order, and those that the options choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.verify.acting.burst import BURST
from tidemill.verify.acting.dead_letter import DEAD_LETTER
from tidemill.verify.acting.deletion import DELETION
from tidemill.verify.acting.drain import DRAIN
from tidemill.verify.acting.overnight import OVERNIGHT
from tidemill.verify.acting.reboot import REBOOT
from tidemill.verify.acting.stages import CAUSE, DELAY, STAGES, ZERO
from tidemill.verify.acting.steps import STEPS
from tidemill.verify.acting.warmup import WARM_UP
from tidemill.verify.reading.account import IMAGE, PEOPLE, QUOTA
from tidemill.verify.reading.drift import ALARMS, GROUP, POLICIES, QUEUE
from tidemill.verify.reading.rest import PUBLISHED, REST
from tidemill.verify.reading.stack import STACK, TEMPLATE
from tidemill.verify.target import CALLS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tidemill.verify.check import Check, Level

CHECKS: tuple[Check, ...] = (
    STACK,
    TEMPLATE,
    ALARMS,
    POLICIES,
    GROUP,
    QUEUE,
    QUOTA,
    IMAGE,
    PEOPLE,
    REST,
    STEPS,
    WARM_UP,
    DELAY,
    STAGES,
    CAUSE,
    ZERO,
    BURST,
    DRAIN,
    REBOOT,
    DEAD_LETTER,
    PUBLISHED,
    OVERNIGHT,
    DELETION,
)
"""All checks. The stack must be whole before anything else, the steps are tried before a message
relies on them, metrics are looked for when instances have run, and the deletion is last."""

NAMES = tuple(check.name for check in CHECKS)


def chosen(levels: Collection[Level], only: Collection[str] = ()) -> tuple[Check, ...]:
    """Return the checks of these levels, with `only` those of these names."""
    return tuple(
        check
        for check in CHECKS
        if check.observation.level in levels and (not only or check.name in only)
    )


def left_out(levels: Collection[Level], only: Collection[str] = ()) -> tuple[Check, ...]:
    """Return the checks that would be chosen if their level were allowed."""
    return tuple(
        check
        for check in CHECKS
        if check.observation.level not in levels and (not only or check.name in only)
    )


def permissions(checks: Iterable[Check]) -> list[str]:
    """Return the IAM actions that these checks need, sorted."""
    return sorted({*CALLS, *(call for check in checks for call in check.observation.calls)})
