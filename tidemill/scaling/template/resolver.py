"""Resolver of a template's functions: Ref, Sub, GetAtt, If and others, evaluated lazily.

The module has over 280 lines, because the functions of the resolver call one another.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.parameters import parameter_values
from tidemill.scaling.template.place import (
    NAME_PROPERTIES,
    REF_IS_NO_NAME,
    Place,
    pseudo_parameters,
)
from tidemill.scaling.template.properties import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tidemill.scaling.template.document import Document


NO_VALUE = object()
"""The value of Ref AWS::NoValue; lists and mappings leave it out."""

MOST_CHARACTERS: Final = 1_000_000
"""Size limit of a text that Fn::Sub or Fn::Join makes: that of a whole template."""

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")

_UNSUPPORTED = "is not supported here: write its value out, or make it a parameter"
_REFUSED = {
    "Fn::And": "is a condition function: use it in Conditions",
    "Fn::Equals": "is a condition function: use it in Conditions",
    "Fn::Not": "is a condition function: use it in Conditions",
    "Fn::Or": "is a condition function: use it in Conditions",
}


class Resolver:
    """A resolver of one template's values, for given parameters and one place."""

    def __init__(
        self,
        template: Document,
        given: Mapping[str, str],
        place: Place,
        *,
        placeholders: bool = False,
    ) -> None:
        """Check the parameters; nothing else is resolved yet.

        With `placeholders`, texts stand for the values of parameters that have none.

        Raises:
            ParameterError: see parameters.parameter_values.
        """
        self.template = template
        self.given = given
        self.place = place
        self.parameters = parameter_values(template, given, placeholders=placeholders)
        self._pseudo = pseudo_parameters(place) | {"AWS::NoValue": NO_VALUE}
        self._open: list[str] = []
        self._names: dict[str, str] = {}
        self._conditions: dict[str, bool] = {}
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Fn::Base64": self.resolve,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._zones,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }

    def deployed(self, physical: Mapping[str, Mapping[str, str]]) -> Resolver:
        """Return a resolver of the same stack that uses the values of its deployed resources."""
        return Resolver(self.template, self.given, replace(self.place, physical=physical))

    def resolve(self, value: Any, where: str) -> Any:
        """Return the value with every function replaced by its result.

        Fn::Base64 returns its text unencoded, because the readers of user data need the script.

        Args:
            value: any part of the template.
            where: its path in the template, for errors.

        Raises:
            TemplateError: a function is not supported, or refers to something that does not exist.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions:
                    return self._call(name, argument, where)
                if str(name).startswith("Fn::"):
                    raise TemplateError(f"{where}: {name} {_REFUSED.get(name, _UNSUPPORTED)}")
            resolved = {key: self.resolve(part, f"{where}.{key}") for key, part in value.items()}
            return {key: part for key, part in resolved.items() if part is not NO_VALUE}
        if isinstance(value, list):
            parts = [self.resolve(part, f"{where}[{n}]") for n, part in enumerate(value)]
            return [part for part in parts if part is not NO_VALUE]
        return value

    def properties(self, logical_id: str) -> Document:
        """Return a resource's properties, resolved."""
        where = f"Resources.{logical_id}.Properties"
        resolved = self.resolve(self._resource(logical_id).get("Properties") or {}, where)
        if not isinstance(resolved, dict):
            raise TemplateError(f"{where} has to be a mapping")
        return resolved

    def present(self, *types: str) -> list[str]:
        """Return the logical ids of the resources of these types that are created."""
        return [
            logical_id
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] in types and self.exists(logical_id)
        ]

    def name(self, logical_id: str) -> str:
        """Return a resource's name: the deployed one, the one in its property, or a made-up one."""
        resource = self._resource(logical_id)
        known = self.place.physical.get(logical_id, {})
        key = NAME_PROPERTIES.get(resource["Type"], "")
        if key in known:
            return known[key]
        if key and "Ref" in known and resource["Type"] not in REF_IS_NO_NAME:
            return known["Ref"]
        if "policyName/" in known.get("Ref", ""):  # a scaling policy's Ref is its ARN
            return known["Ref"].rsplit("policyName/", 1)[1]
        if logical_id not in self._names:
            self._names[logical_id] = self._own_name(logical_id, key)
        return self._names[logical_id]

    def _own_name(self, logical_id: str, key: str) -> str:
        where = f"Resources.{logical_id}.Properties.{key}"
        properties = self._resource(logical_id).get("Properties") or {}
        with self._once(where):
            named = self.resolve(properties.get(key, NO_VALUE), where)
        return f"{self.place.stack}-{logical_id}" if named is NO_VALUE else as_text(named, where)

    def condition(self, name: str, where: str) -> bool:
        """Return whether a condition of the template is true."""
        conditions = self.template.get("Conditions") or {}
        if not isinstance(name, str) or name not in conditions:
            raise TemplateError(f"{where}: no condition {name} in Conditions: add it there")
        if name not in self._conditions:
            with self._once(f"Conditions.{name}"):
                self._conditions[name] = self._holds(conditions[name], f"Conditions.{name}")
        return self._conditions[name]

    @contextmanager
    def _once(self, what: str) -> Iterator[None]:
        """Mark `what` as being resolved, and refuse a reference to it from within."""
        if what in self._open:
            circle = " -> ".join([*self._open[self._open.index(what) :], what])
            raise TemplateError(f"{what} refers to itself: {circle}")
        self._open.append(what)
        try:
            yield
        finally:
            self._open.pop()

    def _resource(self, logical_id: str) -> Document:
        resource: Document = self.template["Resources"][logical_id]
        return resource

    def exists(self, logical_id: str) -> bool:
        """Return whether a resource is created: it has no condition, or its condition is true."""
        resource = self._resource(logical_id)
        where = f"Resources.{logical_id}"
        return "Condition" not in resource or self.condition(resource["Condition"], where)

    def _referred(self, logical_id: str, where: str) -> Document:
        """Return the resource that a function refers to.

        Raises:
            TemplateError: there is no such resource, or its condition is false, so that
                CloudFormation would refuse the reference, too.
        """
        if logical_id not in self.template["Resources"]:
            raise TemplateError(f"{where}: there is no parameter or resource {logical_id}")
        if not self.exists(logical_id):
            condition = self._resource(logical_id)["Condition"]
            raise TemplateError(
                f"{where}: {logical_id} is not created, as its condition {condition} is false: "
                "refer to it inside an Fn::If on that condition"
            )
        return self._resource(logical_id)

    def _holds(self, test: Any, where: str) -> bool:
        match test:
            case {"Condition": name, **rest} if not rest:
                return self.condition(name, where)
            case {"Fn::Equals": [left, right], **rest} if not rest:
                return bool(self._comparable(left, where) == self._comparable(right, where))
            case {"Fn::Not": [part], **rest} if not rest:
                return not self._holds(part, where)
            case {"Fn::And": [*parts], **rest} if not rest and parts:
                return all(self._holds(part, where) for part in parts)
            case {"Fn::Or": [*parts], **rest} if not rest and parts:
                return any(self._holds(part, where) for part in parts)
        raise TemplateError(
            f"{where}: not a condition: use Fn::Equals, Fn::And, Fn::Or, Fn::Not or Condition"
        )

    def _comparable(self, side: Any, where: str) -> Any:
        value = self.resolve(side, where)
        return value if isinstance(value, list | dict) else as_text(value, where)

    def _call(self, name: str, argument: Any, where: str) -> Any:
        try:
            return self._functions[name](argument, where)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise TemplateError(f"{where}: {name} does not take {argument!r}") from error

    def _ref(self, name: Any, where: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        if name in self._pseudo:
            return self._pseudo[name]
        resource = self._referred(name, where)
        known = self.place.physical.get(name, {})
        if "Ref" in known:
            return known["Ref"]
        if resource["Type"] == "AWS::SQS::Queue":
            return (
                f"https://sqs.{self.place.region}.amazonaws.com/{self.place.account}/"
                f"{self.name(name)}"
            )
        return self.name(name)

    def _get_att(self, argument: Any, where: str) -> str:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        logical_id, attribute = (as_text(self.resolve(part, where), where) for part in parts)
        resource = self._referred(logical_id, where)
        known = self.place.physical.get(logical_id, {})
        if attribute in known:
            return known[attribute]
        if attribute == NAME_PROPERTIES.get(resource["Type"]):
            return self.name(logical_id)
        if (resource["Type"], attribute) == ("AWS::AutoScaling::ScalingPolicy", "Arn"):
            return str(self._ref(logical_id, where))  # a policy's Ref is its ARN
        return f"{self.name(logical_id)}.{attribute}"

    def _sub(self, argument: Any, where: str) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})
        known: dict[str, str] = {}

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name not in known:
                known[name] = self._value_in_text(name, own, f"{where}: ${{{name}}}")
            return known[name]

        # What follows the last brace has no placeholder. Searching it for one takes long if it has
        # many beginnings of one.
        head, brace, tail = as_text(text, where).rpartition("}")
        parts = [*_replacements(head + brace, replaced), tail]
        return _joined("", parts, where)

    def _value_in_text(self, name: str, own: Mapping[str, Any], place: str) -> str:
        if name in own:
            return as_text(self.resolve(own[name], place), place)
        if "." in name:
            return self._get_att(name, place)
        return as_text(self._ref(name, place), place)

    def _if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self.condition(name, where) else otherwise, where)

    def _join(self, argument: Any, where: str) -> str:
        separator, parts = argument
        values = self._list(parts, where)
        return _joined(
            as_text(separator, where), [as_text(value, where) for value in values], where
        )

    def _split(self, argument: Any, where: str) -> list[str]:
        separator, text = argument
        return as_text(self.resolve(text, where), where).split(separator)

    def _select(self, argument: Any, where: str) -> Any:
        index, items = argument
        values = self._list(items, where)
        position = as_text(self.resolve(index, where), where)
        if not position.isdecimal() or int(position) >= len(values):
            raise TemplateError(f"{where}: Fn::Select {position} of {len(values)} values")
        return values[int(position)]

    def _list(self, value: Any, where: str) -> list[Any]:
        values = self.resolve(value, where)
        if not isinstance(values, list):
            raise TypeError(values)
        return values

    def _find_in_map(self, argument: Any, where: str) -> Any:
        keys = [as_text(self.resolve(part, where), where) for part in argument]
        value: Any = self.template.get("Mappings") or {}
        for key in keys:
            if not isinstance(value, dict) or key not in value:
                raise TemplateError(f"{where}: Fn::FindInMap finds nothing at {' / '.join(keys)}")
            value = value[key]
        return value

    def _import_value(self, argument: Any, where: str) -> str:
        """Return a made-up text, because the stack that exports the value is unknown."""
        return f"imported-{as_text(self.resolve(argument, where), where)}"

    def _zones(self, argument: Any, where: str) -> list[str]:
        region = as_text(self.resolve(argument, where), where) or self.place.region
        return [f"{region}{letter}" for letter in "ab"]


def _replacements(text: str, replaced: Callable[[re.Match[str]], str]) -> Iterator[str]:
    """Yield the parts of a text, with its placeholders replaced."""
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        yield text[end : match.start()]
        yield replaced(match)
        end = match.end()
    yield text[end:]


def _joined(separator: str, parts: list[str], where: str) -> str:
    """Return the joined parts, unless they are longer than a template: each may be repeated."""
    length = sum(map(len, parts)) + len(separator) * max(0, len(parts) - 1)
    if length > MOST_CHARACTERS:
        raise TemplateError(
            f"{where}: a text of {length:,} characters: CloudFormation takes a whole template of "
            f"{MOST_CHARACTERS:,} bytes at most"
        )
    return separator.join(parts)
