"""Positions of a template's parts in its text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Path = tuple[str | int, ...]
Position = tuple[int, int]
"""Line and column, both from 1."""

START: Position = (1, 1)


@dataclass(frozen=True, slots=True)
class Positions:
    """The position of each key and list entry of a document, by its path."""

    known: Mapping[Path, Position]

    def of(self, path: Path) -> Position:
        """Return the position of a part, or of the smallest part around it that is in the text.

        The position of a part inside a function such as Fn::If is that of the function. The
        position of a missing property is that of the resource's name.
        """
        for end in range(len(path), 0, -1):
            nearest = path[:end]
            if nearest in self.known and nearest[-1] != "Properties":
                return self.known[nearest]
        return START


def read_positions(text: str) -> Positions:
    """Return the positions in a template that parse_template accepts.

    If YAML's parser refuses a JSON template, every part is at the start.
    """
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON may have tabs between its tokens, YAML may not
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return Positions({})
    return Positions(dict(_walk(root, ())) if root is not None else {})


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, Position]]:
    if node.tag.startswith("!"):  # a short form: its long form is a mapping with this key
        path = (*path, f"Fn::{node.tag[1:]}")
    children: list[tuple[str | int, yaml.Node, yaml.Node]]
    if isinstance(node, yaml.MappingNode):
        children = [(str(key.value), key, value) for key, value in node.value]
    elif isinstance(node, yaml.SequenceNode):
        children = [(index, value, value) for index, value in enumerate(node.value)]
    else:
        return
    for step, marked, value in children:
        place = (*path, step)
        yield place, (marked.start_mark.line + 1, marked.start_mark.column + 1)
        yield from _walk(value, place)
