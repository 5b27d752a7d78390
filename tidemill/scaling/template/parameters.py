"""Parameters of a template: defaults, given values, and the bounds that the template sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import regex

from tidemill.scaling.errors import ParameterError, TemplateError
from tidemill.scaling.template.properties import as_number, bound, needed, texts, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.scaling.template.document import Document


PATTERN_SECONDS: Final = 1.0
"""Time limit for a value's comparison with its AllowedPattern: some patterns take years for it."""


LONGEST_PATTERN: Final = 10_000
"""Characters of an AllowedPattern that is read: reading takes seconds for a whole template's."""


def without_value(template: Document, given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the parameters that have neither a default nor a given value."""
    declared: Mapping[str, Document] = template.get("Parameters") or {}
    return tuple(name for name in declared if name not in given and "Default" not in declared[name])


def placeholder(name: str) -> str:
    """Return the text that stands for the value of a parameter that has none."""
    return f"<{name}>"


def unchecked_patterns(template: Document) -> Iterator[str]:
    """Yield a sentence for each AllowedPattern that cannot be checked here.

    CloudFormation reads patterns as Java does; some of these cannot be read here.
    """
    declared: Mapping[str, Document] = template.get("Parameters") or {}
    for name, declaration in declared.items():
        where = f"Parameters.{name}"
        if "AllowedPattern" in declaration and _pattern(declaration, where) is None:
            yield f"{where}.AllowedPattern: this pattern cannot be read here, so it is not checked"


def parameter_values(
    template: Document, given: Mapping[str, str], *, placeholders: bool = False
) -> dict[str, str | list[str]]:
    """Return every parameter's value as CloudFormation would pass it: text, or a list of texts.

    With `placeholders`, a parameter without a value gets its placeholder, which is in no bounds.

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
    missing = without_value(template, given)
    if missing and not placeholders:
        several = f"parameters {', '.join(missing)} have no defaults: give values for them"
        single = f"parameter {missing[0]} has no default: give a value for it"
        raise ParameterError(
            f"{several if len(missing) > 1 else single}, such as -P {missing[0]}=VALUE"
        )
    values: dict[str, str | list[str]] = {}
    for name, declaration in declared.items():
        where = f"Parameters.{name}"
        kind = needed({"Type": "String"} | declaration, "Type", where)
        listed = kind == "CommaDelimitedList" or kind.startswith("List<")
        if name in missing:
            values[name] = [placeholder(name)] if listed else placeholder(name)
            continue
        value = given[name] if name in given else needed(declaration, "Default", where)
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


def _pattern(declaration: Document, where: str) -> regex.Pattern[str] | None:
    """Return the AllowedPattern of a declaration that has one; None if it cannot be read here."""
    text = needed(declaration, "AllowedPattern", where)
    if len(text) > LONGEST_PATTERN:
        return None
    try:
        # Version 1 has sets within sets, as Java's patterns have: [a-z&&[^b]].
        return regex.compile(text, regex.VERSION1)
    except (regex.error, OverflowError, RecursionError, MemoryError):
        return None


def _matches(pattern: regex.Pattern[str], value: str, where: str) -> bool:
    try:
        return pattern.fullmatch(value, timeout=PATTERN_SECONDS) is not None
    except TimeoutError as error:
        raise TemplateError(
            f"{where}.AllowedPattern: it takes more than {PATTERN_SECONDS:g} s to compare "
            f"{value!r:.80} with it: write it without a repetition inside of a repetition"
        ) from error


def _text_problem(declaration: Document, where: str, value: str) -> str:
    if "AllowedPattern" in declaration:
        pattern = _pattern(declaration, where)
        if pattern is not None and not _matches(pattern, value, where):
            return f"does not match {pattern.pattern}"
    least = whole(declaration, "MinLength", where, 0)
    if len(value) < least:
        return f"shorter than {least} characters"
    most = whole(declaration, "MaxLength", where, len(value))
    if len(value) > most:
        return f"longer than {most} characters"
    return ""
