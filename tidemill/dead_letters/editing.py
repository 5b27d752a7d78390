"""Editing a body: one field of its JSON, or all of it; and what SQS would refuse of the result."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

from producer.messages.attributes import forbidden_in
from shared.quotas import MAX_BYTES
from tidemill.dead_letters.errors import DeadLetterError

if TYPE_CHECKING:
    from collections.abc import Iterable


def with_fields(body: str, changes: Iterable[str]) -> str:
    """Return the body with fields set; a change is PATH=JSON, or PATH=TEXT if that is no JSON.

    'customer.id' is a field of the object 'customer', which must be there; its field need not.

    Raises:
        DeadLetterError: the body is no JSON object, or a path does not lead to an object.
    """
    try:
        decoded = json.loads(body)
    except ValueError as error:
        raise DeadLetterError(f"--set: the body is no JSON ({error}): use --body-file") from error
    for change in changes:
        path, equals, text = change.partition("=")
        if not path or not equals:
            raise DeadLetterError(f"--set {change}: give FIELD=VALUE")
        *steps, last = path.split(".")
        place = decoded
        for step in steps:
            place = place.get(step) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise DeadLetterError(f"--set {path}: the body has no object that holds {last}")
        place[last] = _value(text)
    compact = ": " not in body
    return json.dumps(decoded, ensure_ascii=False, separators=(",", ":") if compact else None)


def check_body(body: str) -> None:
    """Check that SQS would accept the body.

    Raises:
        DeadLetterError: it would not.
    """
    if not body:
        raise DeadLetterError("the new body is empty, which SQS does not accept")
    if len(body.encode(errors="surrogatepass")) > MAX_BYTES:
        raise DeadLetterError(f"the new body has more than {MAX_BYTES} bytes, the most SQS accepts")
    if wrong := forbidden_in(body):
        raise DeadLetterError(f"the new body: {wrong}")


def difference(old: str, new: str) -> list[str]:
    """Return the lines that differ, with - and + before them; JSON is compared field by field."""
    lines = difflib.unified_diff(_lines(old), _lines(new), "before", "after", lineterm="", n=1)
    return list(lines)[2:]


def _lines(body: str) -> list[str]:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False).splitlines()
    except (ValueError, RecursionError):
        return body.splitlines()


def _value(text: str) -> Any:  # noqa: ANN401 - any of JSON's values
    try:
        return json.loads(text)
    except ValueError:
        return text
