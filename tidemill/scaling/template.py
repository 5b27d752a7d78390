"""A CloudFormation template as plain data: YAML's short forms become the long ones."""

from __future__ import annotations

from typing import Any

import yaml

from tidemill.scaling.errors import TemplateError

Document = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """SafeLoader that reads dates as text, as CloudFormation does, and refuses repeated keys."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute, not ours to type
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Document:
    pairs = [(loader.construct_object(key), value) for key, value in node.value]
    keys = [key for key, _ in pairs]
    for position, key in enumerate(keys):
        if key in keys[:position]:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} stands twice", node.value[position][0].start_mark
            )
    return {key: loader.construct_object(value, deep=True) for key, value in pairs}


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Document:
    argument: Any
    if isinstance(node, yaml.ScalarNode):
        argument = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_object(
            yaml.MappingNode("tag:yaml.org,2002:map", node.value, node.start_mark), deep=True
        )
    if suffix == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": argument}


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_multi_constructor("!", _short_form)


def parse_template(text: str, source: str) -> Document:
    """Read a template, YAML or JSON, into plain data with functions in their long form.

    Args:
        text: the template.
        source: what to call it in errors, such as its path.

    Raises:
        TemplateError: not YAML (with the line), or not a template.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise TemplateError(f"{place}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise TemplateError(f"{source}: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise TemplateError(f"{source}: not a CloudFormation template: it has no Resources")
    for logical_id, resource in document["Resources"].items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise TemplateError(f"{source}: Resources.{logical_id} has no Type")
    return document
