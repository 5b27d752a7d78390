"""Document of a CloudFormation template: its text as plain data, with functions in long form."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn

import yaml

from tidemill.scaling.errors import TemplateError

Document = dict[str, Any]

MOST_BYTES: Final = 1_000_000
"""CloudFormation User Guide, "Understand CloudFormation quotas": a template body of 1 MB in S3."""

MOST_ENTRIES: Final = {"Parameters": 200, "Mappings": 200, "Resources": 500}
"""The same page: entries of each section; it names no limit of conditions."""

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
_MERGE_TAG = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """A SafeLoader with CloudFormation's rules: dates are text, and parts of YAML are refused.

    CloudFormation User Guide, "CloudFormation template format": no aliases, no hash merges, and
    no binary, omap, pairs, set and timestamp tags.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute, not ours to type
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs give it no types
            raise yaml.composer.ComposerError(
                None,
                None,
                f"CloudFormation supports no YAML aliases: write *{event.anchor} out",
                event.start_mark,
            )
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - the overridden signature
        try:
            return super().construct_object(node, deep)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            # PyYAML raises these if a tag such as !!int does not fit its text.
            kind = node.tag.rsplit(":", 1)[-1]
            _refuse(node, f"this cannot be read as {kind}: {error}")


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Document:
    mapping: Document = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag.startswith("!"):
            _refuse(key, "a key has to be plain text")
        if key.tag == _MERGE_TAG:
            _refuse(key, "CloudFormation supports no hash merges: write out what << stands for")
        name = str(key.value)
        if name in mapping:
            _refuse(key, f"key {name!r} appears twice: keep one")
        mapping[name] = loader.construct_object(value, deep=True)
    return mapping


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


def _unsupported(_: _Loader, node: yaml.Node) -> NoReturn:
    kind = node.tag.rsplit(":", 1)[-1]
    _refuse(node, f"CloudFormation does not support YAML's {kind} tag: write plain text")


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
for _kind in ("binary", "omap", "pairs", "set", "timestamp"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _unsupported)
_Loader.add_multi_constructor("!", _short_form)


def parse_template(text: str, source: str) -> Document:
    """Return a template in YAML or JSON as plain data, with functions in their long form.

    Args:
        text: the template.
        source: its name in errors, such as its path.

    Raises:
        TemplateError: the text is neither YAML nor JSON (with the line), no template, or larger
            than CloudFormation takes.
    """
    if len(text) > MOST_BYTES:
        raise TemplateError(
            f"{source}: {len(text):,} characters, but CloudFormation takes {MOST_BYTES:,} "
            "bytes at most"
        )
    try:
        document = _json(text)
        if document is None:
            document = _yaml(text, source)
    except RecursionError as error:
        raise TemplateError(f"{source}: nested too deep for a template") from error
    return _verified(document, source)


def _json(text: str) -> Any:  # noqa: ANN401 - any value of JSON
    """Return the data of valid JSON, or None, so that YAML's parser reports the error's place.

    JSON has a parser of its own because YAML does not allow tabs between tokens.
    """

    def once(pairs: list[tuple[str, Any]]) -> Document:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            raise ValueError("a key appears twice")
        return mapping

    def refused(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, object_pairs_hook=once, parse_constant=refused)
    except ValueError:
        return None


def _yaml(text: str, source: str) -> Any:  # noqa: ANN401 - any value of YAML
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - _Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        problem = ": ".join(filter(None, (error.context, error.problem)))
        hint = ": indent with spaces" if "\\t" in problem else ""
        raise TemplateError(f"{place}: {problem}{hint}") from error
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise TemplateError(f"{source}: not YAML: {problem}") from error


def _verified(document: Any, source: str) -> Document:  # noqa: ANN401 - what was read
    """Return the document after a check that its sections and their entries are mappings.

    Raises:
        TemplateError: one of them is not a mapping; the text names it.
    """
    if not isinstance(document, dict) or not document.get("Resources"):
        raise TemplateError(
            f"{source}: no CloudFormation template, as it has no Resources: name another file"
        )
    for section in _SECTIONS:
        _verify_section(document.get(section) or {}, section, source)
    for logical_id, resource in document["Resources"].items():
        if not isinstance(resource.get("Type"), str):
            raise TemplateError(f"{source}: Resources.{logical_id} has no Type: add one")
        if not isinstance(resource.get("Properties") or {}, dict):
            raise TemplateError(f"{source}: Resources.{logical_id}.Properties is no mapping")
    return document


def _verify_section(content: Any, section: str, source: str) -> None:  # noqa: ANN401 - what was read
    if not isinstance(content, dict):
        raise TemplateError(f"{source}: {section} has to be a mapping of names")
    if len(content) > MOST_ENTRIES.get(section, len(content)):
        raise TemplateError(
            f"{source}: {section} has {len(content):,} entries: CloudFormation takes "
            f"{MOST_ENTRIES[section]} at most"
        )
    for name, entry in content.items():
        if name.startswith("Fn::"):
            function = "::".join(name.split("::")[:2])
            raise TemplateError(
                f"{source}: {section}.{name}: {function} is not supported here: write out its "
                "result"
            )
        if not isinstance(entry, dict):
            raise TemplateError(f"{source}: {section}.{name} has to be a mapping")
