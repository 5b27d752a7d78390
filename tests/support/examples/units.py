"""Units at the end of a field's name: the same field in minutes instead of seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection

SECONDS: Final = {
    "ms": 0.001,
    "s": 1,
    "sec": 1,
    "seconds": 1,
    "min": 60,
    "minutes": 60,
    "h": 3600,
    "hours": 3600,
    "d": 86_400,
    "days": 86_400,
}


def converted(name: str, value: Any, known: Collection[str]) -> dict[str, Any]:  # noqa: ANN401 - a number, or anything else
    """Return a field under the known name that has the same stem and another unit.

    Example: {"period_min": 5} is {"period_s": 300} if `period_s` is known. A field without such a
    counterpart stays as it is.
    """
    stem, _, unit = name.rpartition("_")
    if not stem or unit not in SECONDS:
        return {name: value}
    for ours, size in SECONDS.items():
        if f"{stem}_{ours}" in known:
            return {f"{stem}_{ours}": _times(value, SECONDS[unit] / size)}
    return {name: value}


def _times(value: Any, factor: float) -> Any:  # noqa: ANN401 - as above
    if isinstance(value, list):
        return [_times(item, factor) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    scaled = round(value * factor, 9)
    return int(scaled) if scaled == int(scaled) else scaled
