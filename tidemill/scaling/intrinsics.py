"""What a template's functions come to: Ref, Sub, GetAtt, If and the others, lazily resolved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.parameters import parameter_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tidemill.scaling.template import Document

NO_VALUE = object()
"""What Ref AWS::NoValue comes to; whatever holds it leaves it out."""

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]+)\}")

NAME_PROPERTIES = {
    "AWS::AutoScaling::AutoScalingGroup": "AutoScalingGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::EC2::LaunchTemplate": "LaunchTemplateName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property that names a resource of a type, where the name matters to scaling."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the stack is imagined, and what its resources are called there.

    `physical` has, by logical id, the values of a deployed resource: its "Ref" and attributes.
    What is not in it gets a name made of the stack's and the logical id.
    """

    stack: str = "tidemill"
    region: str = "us-east-1"
    account: str = "000000000000"
    physical: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Resolver:
    """Resolves values of one template, with given parameters, at one place."""

    def __init__(self, template: Document, given: Mapping[str, str], place: Place) -> None:
        """Check the parameters and get ready; nothing else is resolved yet.

        Raises:
            ParameterError: see parameters.parameter_values.
        """
        self.template = template
        self.place = place
        self.parameters = parameter_values(template, given)
        self._pseudo: dict[str, Any] = {
            "AWS::AccountId": place.account,
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": place.region,
            "AWS::StackId": f"arn:aws:cloudformation:{place.region}:{place.account}:"
            f"stack/{place.stack}/0",
            "AWS::StackName": place.stack,
            "AWS::URLSuffix": "amazonaws.com",
        }
        self._functions: dict[str, Callable[[Any, str], Any]] = {
            "Ref": self._ref,
            "Fn::Base64": self.resolve,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": self._zones,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }

    def resolve(self, value: Any, where: str) -> Any:
        """Return the value with every function replaced by what it comes to.

        Fn::Base64 comes to its text as it is: whoever reads user data wants the script.

        Args:
            value: any part of the template.
            where: its path in the template, for errors.

        Raises:
            TemplateError: a function that cannot be followed here, or that refers to nothing.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                if name in self._functions:
                    return self._call(name, argument, where)
                if name == "Fn::ImportValue":
                    raise TemplateError(
                        f"{where}: Fn::ImportValue takes a value from another stack, which is "
                        "not here: make it a parameter"
                    )
                if str(name).startswith("Fn::"):
                    raise TemplateError(f"{where}: {name} is not supported here")
            resolved = {key: self.resolve(part, f"{where}.{key}") for key, part in value.items()}
            return {key: part for key, part in resolved.items() if part is not NO_VALUE}
        if isinstance(value, list):
            parts = [self.resolve(part, f"{where}[{n}]") for n, part in enumerate(value)]
            return [part for part in parts if part is not NO_VALUE]
        return value

    def properties(self, logical_id: str) -> Document:
        """Return a resource's properties, resolved."""
        properties = self.template["Resources"][logical_id].get("Properties") or {}
        resolved = self.resolve(properties, f"Resources.{logical_id}.Properties")
        if not isinstance(resolved, dict):
            raise TemplateError(f"Resources.{logical_id}.Properties: not a mapping")
        return resolved

    def present(self, *types: str) -> list[str]:
        """Return the logical ids of the resources of these types whose condition holds."""
        return [
            logical_id
            for logical_id, resource in self.template["Resources"].items()
            if resource["Type"] in types
            and ("Condition" not in resource or self.condition(resource["Condition"], logical_id))
        ]

    def name(self, logical_id: str) -> str:
        """Return a resource's name: as deployed, as its property says, or made up."""
        resource = self.template["Resources"][logical_id]
        known = self.place.physical.get(logical_id, {})
        key = NAME_PROPERTIES.get(resource["Type"], "")
        if key in known:
            return known[key]
        named = (resource.get("Properties") or {}).get(key)
        if named is None:
            return f"{self.place.stack}-{logical_id}"
        return str(self.resolve(named, f"Resources.{logical_id}.Properties.{key}"))

    def condition(self, name: str, where: str) -> bool:
        """Tell whether a condition of the template holds."""
        conditions = self.template.get("Conditions") or {}
        if name not in conditions:
            raise TemplateError(f"{where}: no condition {name} in Conditions")
        return self._holds(conditions[name], f"Conditions.{name}")

    def _holds(self, test: Any, where: str) -> bool:
        if not isinstance(test, dict) or len(test) != 1:
            raise TemplateError(f"{where}: not a condition")
        name, argument = next(iter(test.items()))
        if name == "Condition":
            return self.condition(argument, where)
        if name == "Fn::Equals":
            left, right = (self.resolve(side, where) for side in argument)
            return str(left) == str(right)
        if name == "Fn::Not":
            return not self._holds(argument[0], where)
        if name in {"Fn::And", "Fn::Or"}:
            answers = [self._holds(part, where) for part in argument]
            return all(answers) if name == "Fn::And" else any(answers)
        raise TemplateError(f"{where}: {name} is not a condition function that is supported here")

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
        if name not in self.template["Resources"]:
            raise TemplateError(f"{where}: Ref {name}: no such parameter or resource")
        known = self.place.physical.get(name, {})
        if "Ref" in known:
            return known["Ref"]
        if self.template["Resources"][name]["Type"] == "AWS::SQS::Queue":
            return (
                f"https://sqs.{self.place.region}.amazonaws.com/{self.place.account}/"
                f"{self.name(name)}"
            )
        return self.name(name)

    def _get_att(self, argument: Any, where: str) -> str:
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        logical_id, attribute = str(parts[0]), ".".join(str(part) for part in parts[1:])
        if logical_id not in self.template["Resources"] or not attribute:
            raise TemplateError(f"{where}: GetAtt {logical_id}.{attribute}: no such resource")
        known = self.place.physical.get(logical_id, {})
        if attribute in known:
            return known[attribute]
        if attribute == NAME_PROPERTIES.get(self.template["Resources"][logical_id]["Type"]):
            return self.name(logical_id)
        return f"{self.name(logical_id)}.{attribute}"

    def _sub(self, argument: Any, where: str) -> str:
        text, own = argument if isinstance(argument, list) else (argument, {})

        def replaced(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(self.resolve(own[name], where))
            if "." in name:
                return self._get_att(name, where)
            return str(self._ref(name, where))

        return _PLACEHOLDER.sub(replaced, str(text))

    def _if(self, argument: Any, where: str) -> Any:
        name, then, otherwise = argument
        return self.resolve(then if self.condition(name, where) else otherwise, where)

    def _join(self, argument: Any, where: str) -> str:
        separator, parts = argument
        return str(separator).join(str(part) for part in self.resolve(parts, where))

    def _split(self, argument: Any, where: str) -> list[str]:
        separator, text = argument
        return str(self.resolve(text, where)).split(separator)

    def _select(self, argument: Any, where: str) -> Any:
        index, items = (self.resolve(part, where) for part in argument)
        try:
            return items[int(index)]
        except (IndexError, ValueError) as error:
            raise TemplateError(f"{where}: Select {index} of {len(items)} values") from error

    def _find_in_map(self, argument: Any, where: str) -> Any:
        keys = [str(self.resolve(part, where)) for part in argument[:3]]
        value: Any = self.template.get("Mappings") or {}
        for key in keys:
            if key not in value:
                raise TemplateError(f"{where}: FindInMap: nothing at {' / '.join(keys)}")
            value = value[key]
        return value

    def _zones(self, argument: Any, where: str) -> list[str]:
        region = self.resolve(argument, where) or self.place.region
        return [f"{region}{letter}" for letter in "ab"]
