"""Parameters of a template: defaults, given values, and the bounds that the template sets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ParameterError, TemplateError
from tidemill.scaling.template.properties import as_number, bound, needed, texts, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.template.document import Document


def parameter_values(template: Document, given: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Return every parameter's value as CloudFormation would pass it: text, or a list of texts.

    The value of a parameter with an AWS::SSM::Parameter type is the given name itself; the name is
    not looked up in Parameter Store.

    Raises:
        ParameterError: a name is unknown to the template, parameters have no value (the text names
            all of them), or a value is out of bounds (with the template's ConstraintDescription).
        TemplateError: a bound in the template cannot be read.
    """
    declared: Mapping[str, Document] = template.get("Parameters") or {}
    for name in given:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise ParameterError(f"unknown parameter {name}: the template has {known}")
    missing = [name for name in declared if name not in given and "Default" not in declared[name]]
    if missing:
        several = f"parameters {', '.join(missing)} have no defaults: give values for them"
        single = f"parameter {missing[0]} has no default: give a value for it"
        raise ParameterError(several if len(missing) > 1 else single)
    values: dict[str, str | list[str]] = {}
    for name, declaration in declared.items():
        where = f"Parameters.{name}"
        value = given[name] if name in given else needed(declaration, "Default", where)
        kind = needed({"Type": "String"} | declaration, "Type", where)
        listed = kind == "CommaDelimitedList" or kind.startswith("List<")
        items = [item.strip() for item in value.split(",")] if listed else [value]
        for item in items:
            problem = _problem(declaration, where, item, numeric=kind in {"Number", "List<Number>"})
            if problem:
                hint = needed(
                    {"ConstraintDescription": problem} | declaration, "ConstraintDescription", where
                )
                raise ParameterError(f"parameter {name}={item}: {hint}")
        values[name] = items if listed else value
    return values


def _problem(declaration: Document, where: str, value: str, *, numeric: bool) -> str:
    """Return the bound of the declaration that a value breaks, empty if it breaks none."""
    problem = (_number_problem if numeric else _text_problem)(declaration, where, value)
    allowed = texts(declaration, "AllowedValues", where)
    if not problem and allowed and value not in allowed:
        return f"not one of {', '.join(allowed)}"
    return problem


def _number_problem(declaration: Document, where: str, value: str) -> str:
    found = as_number(value)
    if found is None:
        return "not a number"
    least, most = bound(declaration, "MinValue", where), bound(declaration, "MaxValue", where)
    if least is not None and found < least:
        return f"less than {least:g}"
    if most is not None and found > most:
        return f"more than {most:g}"
    return ""


def _text_problem(declaration: Document, where: str, value: str) -> str:
    if "AllowedPattern" in declaration:
        pattern = needed(declaration, "AllowedPattern", where)
        try:
            if not re.fullmatch(pattern, value):
                return f"does not match {pattern}"
        except (re.error, OverflowError) as error:
            raise TemplateError(f"{where}.AllowedPattern: {error}: {pattern}") from error
    least = whole(declaration, "MinLength", where, 0)
    if len(value) < least:
        return f"shorter than {least} characters"
    most = whole(declaration, "MaxLength", where, len(value))
    if len(value) > most:
        return f"longer than {most} characters"
    return ""
