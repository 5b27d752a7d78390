"""Grants: each action that a policy of a template allows or denies, on its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Final

from tidemill.iam.branches import branches
from tidemill.iam.words import words
from tidemill.scaling.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.template.document import Document

MOST: Final = 100_000
"""Grants of one statement that are written out; IAM's policies have 10,240 characters at most."""

MANAGED: Final = "(all of the managed policy)"
BOUNDARY: Final = "(no more than the boundary)"
ROLE: Final = "(act as the role)"
ALLOW, DENY, LIMIT = "Allow", "Deny", "Limit"


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """One effect on one action and one resource.

    Attributes:
        subject: the logical id of the role, policy or queue that has the policy.
        effect: Allow or Deny; Limit for a permissions boundary.
        principal: who may, in policies of resources and in trust policies.
        action: what; "not ..." for all other actions.
        resource: on what; "not ..." for all other resources.
        condition: the policy's conditions, as JSON.
        present: the template's conditions under which it is in the stack.
    """

    subject: str
    effect: str
    principal: str
    action: str
    resource: str
    condition: str
    present: str

    def sentence(self) -> str:
        """Return the grant as one line."""
        who = f" {self.principal}:" if self.principal else ""
        where = f" on {self.resource}" if self.resource else ""
        when = f" when {self.condition}" if self.condition else ""
        there = f" [{self.present}]" if self.present else ""
        return f"{self.subject}:{who} {self.effect} {self.action}{where}{when}{there}"


def grants(template: Document) -> set[Grant]:
    """Return all grants of a template.

    Raises:
        TemplateError: a statement is not of IAM's form, or has too many grants.
    """
    found: set[Grant] = set()
    try:
        for name, resource in template["Resources"].items():
            condition = resource.get("Condition")
            present = (f"if {condition}",) if isinstance(condition, str) else ()
            found |= set(_of_resource(name, resource, present))
    except RecursionError as error:
        raise TemplateError("nested too deep for a template") from error
    return found


def _of_resource(name: str, resource: Document, present: tuple[str, ...]) -> Iterator[Grant]:
    properties = resource.get("Properties") or {}
    yield from _statements(name, properties, present)
    for key, effect, action in (
        ("ManagedPolicyArns", ALLOW, MANAGED),
        ("PermissionsBoundary", LIMIT, BOUNDARY),
    ):
        for there, value in branches(properties.get(key), present):
            yield _grant(name, there, effect=effect, action=action, resource=words(value))
    if resource["Type"] == "AWS::Lambda::Permission":
        source = {
            key: properties[key] for key in ("SourceArn", "SourceAccount") if key in properties
        }
        yield _grant(
            words(properties.get("FunctionName")),
            present,
            principal=words(properties.get("Principal")),
            action=words(properties.get("Action")),
            condition=_condition(source),
        )
    if resource["Type"] == "AWS::Serverless::Function":
        for there, value in branches(properties.get("Policies"), present):
            if not isinstance(value, dict) or "Statement" not in value:
                yield _grant(name, there, action=MANAGED, resource=words(value))
    if resource["Type"] in {"AWS::Serverless::Function", "AWS::IAM::InstanceProfile"}:
        for key in ("Role", "Roles"):
            for there, value in branches(properties.get(key), present):
                yield _grant(name, there, action=ROLE, resource=words(value))


def _statements(name: str, part: Any, present: tuple[str, ...]) -> Iterator[Grant]:  # noqa: ANN401 - any part of a template
    """Yield the grants of all statements in a part of a resource."""
    for there, value in branches(part, present):
        if not isinstance(value, dict):
            continue
        if isinstance(value.get("Effect"), str) and value["Effect"] in {ALLOW, DENY}:
            yield from _of_statement(name, value, there)
            continue
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from _statements(name, inner, there)


def _of_statement(name: str, statement: Document, present: tuple[str, ...]) -> Iterator[Grant]:
    principals = _element(name, statement, "Principal", present)
    actions = _element(name, statement, "Action", present)
    resources = _element(name, statement, "Resource", present)
    condition = _condition(statement.get("Condition"))
    if len(principals) * len(actions) * len(resources) > MOST:
        raise TemplateError(f"{name}: a statement with more than {MOST:,} grants: divide it")
    for principal, action, resource in product(principals, actions, resources):
        there = tuple(dict.fromkeys((*principal[0], *action[0], *resource[0])))
        yield Grant(
            name,
            statement["Effect"],
            principal[1],
            action[1],
            resource[1],
            condition,
            " and ".join(there),
        )


def _element(
    name: str, statement: Document, key: str, present: tuple[str, ...]
) -> list[tuple[tuple[str, ...], str]]:
    """Return the values of an element; those of a Not... together, as they mean one thing."""
    if f"Not{key}" in statement:
        values = sorted(words(value) for _, value in branches(statement[f"Not{key}"], present))
        return [(present, f"not {', '.join(values)}")]
    if key not in statement:
        if key == "Action":
            raise TemplateError(f"{name}: a statement has no Action: name one")
        return [(present, "")]
    found: list[tuple[tuple[str, ...], str]] = []
    for there, value in branches(statement[key], present):
        if key == "Principal" and isinstance(value, dict):
            for kind, inner in value.items():
                found += [
                    (deeper, f"{kind} {words(one)}" if kind != "Ref" else words(value))
                    for deeper, one in branches(inner, there)
                ]
        else:
            found.append((there, words(value)))
    return found


def _condition(value: Any) -> str:  # noqa: ANN401 - any part of a template
    return json.dumps(value, sort_keys=True) if value else ""


def _grant(  # noqa: PLR0913 - the parts of a grant that differ
    name: str,
    present: tuple[str, ...],
    *,
    action: str,
    effect: str = ALLOW,
    principal: str = "",
    resource: str = "",
    condition: str = "",
) -> Grant:
    return Grant(name, effect, principal, action, resource, condition, " and ".join(present))
