"""Branches: the values that a part of a template may have, each with the conditions it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

ARMS: Final = 3
"""Fn::If has a condition, and a value for each of its states."""


def branches(part: Any, present: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - any part of a template
    """Yield each value of a part, which may be a list or Fn::If; nothing for AWS::NoValue.

    Args:
        part: a part of a template.
        present: what is known to hold, such as "if Fifo" or "unless Fifo".
    """
    if part is None or part == {"Ref": "AWS::NoValue"}:
        return
    if isinstance(part, list):
        for one in part:
            yield from branches(one, present)
    elif isinstance(part, dict) and part.keys() == {"Fn::If"} and _is_if(part["Fn::If"]):
        name, yes, no = part["Fn::If"]
        held, other = f"if {name}", f"unless {name}"
        if other not in present:
            yield from branches(yes, present if held in present else (*present, held))
        if held not in present:
            yield from branches(no, present if other in present else (*present, other))
    else:
        yield present, part


def _is_if(arms: Any) -> bool:  # noqa: ANN401 - any part of a template
    return isinstance(arms, list) and len(arms) == ARMS and isinstance(arms[0], str)
