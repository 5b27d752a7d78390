"""Words: a value of a template as text, with its functions as Fn::Sub would write them."""

from __future__ import annotations

import json
from typing import Any


def words(value: Any) -> str:  # noqa: ANN401 - any part of a template
    """Return a value as text: ${Queue.Arn} for Fn::GetAtt, JSON for what has no such form."""
    if isinstance(value, str):
        return value
    function, argument = next(iter(value.items())) if _is_function(value) else ("", None)
    match function, argument:
        case ("Ref" | "Fn::GetAtt", str(name)):
            text = f"${{{name}}}"
        case ("Fn::GetAtt", [str(name), str(attribute)]):
            text = f"${{{name}.{attribute}}}"
        case ("Fn::Sub", str(text)):
            pass
        case ("Fn::Sub", [str(text), dict(variables)]):
            for name, one in variables.items():
                text = text.replace(f"${{{name}}}", words(one))
        case ("Fn::Join", [str(between), list(parts)]):
            text = between.join(words(one) for one in parts)
        case _:
            text = json.dumps(value, sort_keys=True)
    return text


def _is_function(value: Any) -> bool:  # noqa: ANN401 - any part of a template
    return isinstance(value, dict) and len(value) == 1
