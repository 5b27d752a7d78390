"""Paging of results: up to MaxRecords items at a time, and a NextToken for the next page."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def page(
    items: Sequence[dict[str, Any]],
    key: str,
    request: Mapping[str, Any],
    most: int,
    default: int | None = None,
) -> tuple[Sequence[dict[str, Any]], str | None]:
    """Return the items of the requested page, and the token of the next page.

    A token holds the key of the last item of the page, so that new items before it do not shift the
    next page.

    Args:
        items: all items, in order.
        key: the field that identifies an item.
        request: may have MaxRecords and NextToken.
        most: the largest MaxRecords allowed.
        default: MaxRecords of a request without it; None for `most`.

    Raises:
        RequestError: MaxRecords is out of bounds, or no item has the token's key.
    """
    size = request.get("MaxRecords", default or most)
    if not 1 <= size <= most:
        bound = f"less than or equal to {most}" if size > most else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value '{size}' at 'maxRecords' failed to satisfy "
            f"constraint: Member must have value {bound}"
        )
    start = 0
    if "NextToken" in request:
        last = _read(request["NextToken"])
        keys = [item[key] for item in items]
        if last not in keys:
            raise RequestError("InvalidNextToken", "The NextToken value is not valid.")
        start = keys.index(last) + 1
    shown = items[start : start + size]
    more = start + size < len(items)
    return shown, _write(shown[-1][key]) if more else None


def _write(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read(token: str) -> str | None:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
