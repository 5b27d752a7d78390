"""A template's parameters: defaults, values given, and the bounds the template sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.template import Document


def parameter_values(template: Document, given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Return every parameter's value as CloudFormation would hand it out: text, or a list of text.

    Raises:
        ParameterError: a name that the template does not have, a parameter without value, or a
            value out of bounds (with the template's ConstraintDescription).
    """
    declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters") or {}
    for name in given:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ParameterError(f"unknown parameter {name}: the template has {known}")
    values: dict[str, str | list[str]] = {}
    for name, declaration in declared.items():
        if name not in given and "Default" not in declaration:
            raise ParameterError(f"parameter {name} has no default: give a value for it")
        kind = str(declaration.get("Type", "String"))
        value = str(given[name] if name in given else declaration["Default"])
        listed = kind == "CommaDelimitedList" or kind.startswith("List<")
        items = [item.strip() for item in value.split(",")] if listed else [value]
        for item in items:
            _check(name, declaration, item, number=kind in {"Number", "List<Number>"})
        values[name] = items if listed else value
    return values


def _check(name: str, declaration: Mapping[str, Any], value: str, *, number: bool) -> None:
    problem = _number_problem(declaration, value) if number else _text_problem(declaration, value)
    allowed = [str(option) for option in declaration.get("AllowedValues", [])]
    if not problem and allowed and value not in allowed:
        problem = f"not one of {', '.join(allowed)}"
    if problem:
        hint = declaration.get("ConstraintDescription", problem)
        raise ParameterError(f"parameter {name}={value}: {hint}")


def _number_problem(declaration: Mapping[str, Any], value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return "not a number"
    if number < float(declaration.get("MinValue", "-inf")):
        return f"less than {declaration['MinValue']}"
    if number > float(declaration.get("MaxValue", "inf")):
        return f"more than {declaration['MaxValue']}"
    return ""


def _text_problem(declaration: Mapping[str, Any], value: str) -> str:
    pattern = declaration.get("AllowedPattern")
    if pattern and not re.fullmatch(str(pattern), value):
        return f"does not match {pattern}"
    if len(value) < int(declaration.get("MinLength", 0)):
        return f"shorter than {declaration['MinLength']} characters"
    if len(value) > int(declaration.get("MaxLength", len(value))):
        return f"longer than {declaration['MaxLength']} characters"
    return ""
