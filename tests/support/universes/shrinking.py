"""Shrinking: from a universe that violates an invariant to a smaller one that does so as well."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from support.universes.record import Violation
from support.universes.universe import THE_PRODUCT, Universe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.universes.life import Blueprint
    from support.universes.plan import Plan

MOST_TRIES: Final = 400


def violation_of(plan: Plan, blueprint: Blueprint = THE_PRODUCT) -> Violation | None:
    """Return the invariant that the universe violates, None if all hold."""
    try:
        Universe(plan, blueprint).run()
    except Violation as violation:
        return violation
    return None


def shrink(plan: Plan, rule: str, blueprint: Blueprint = THE_PRODUCT) -> Plan:
    """Return the smallest plan found that violates the same rule; first the plan itself."""
    tries = 0
    improved = True
    while improved:
        improved = False
        for smaller in _smaller(plan, blueprint):
            tries += 1
            violation = violation_of(smaller, blueprint)
            if violation is not None and violation.rule == rule:
                plan, improved = smaller, True
                break
            if tries >= MOST_TRIES:
                return plan
    return plan


def _smaller(plan: Plan, blueprint: Blueprint) -> Iterator[Plan]:
    """Yield plans with less in them, the greatest steps first."""
    if len(plan.starts) > 1:
        yield replace(plan, starts=plan.starts[:1], stops=plan.stops[:1])
        yield replace(plan, starts=plan.starts[1:], stops=plan.stops[1:])
    half = len(plan.sends) // 2
    if half:
        yield replace(plan, sends=plan.sends[:half])
        yield replace(plan, sends=plan.sends[half:])
        for place in range(len(plan.sends)):
            yield replace(plan, sends=[*plan.sends[:place], *plan.sends[place + 1 :]])
    for place in range(len(plan.events)):
        yield replace(plan, events=[*plan.events[:place], *plan.events[place + 1 :]])
    for kind in sorted(plan.faults):
        yield replace(plan, faults=plan.faults - {kind})
    for change in ({"poison": 0}, {"concurrency": 1}, {"interruptions": 0.0}, {"batch": False}):
        if any(getattr(plan, name) != value for name, value in change.items()):
            yield replace(plan, **change)
    yield from _without_one_fault(plan, blueprint)


def _without_one_fault(plan: Plan, blueprint: Blueprint) -> Iterator[Plan]:
    universe = Universe(plan, blueprint)
    try:
        universe.run()
    except Violation:
        for kind, count in sorted(universe.faults.counts.items()):
            for place in range(1, count + 1):
                if (kind, place) not in plan.left_out and kind in universe.faults.enabled:
                    yield replace(plan, left_out=plan.left_out | {(kind, place)})
