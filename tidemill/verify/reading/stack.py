"""Checks of the stack: it is whole, and its template is the local one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.document import parse_template
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import compared, held, unobserved
from tidemill.verify.target import CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

SERVERLESS = "AWS::Serverless::"
"""Resources of this kind become others when the template is transformed."""

COMPARED = ("Type", "Condition", "DependsOn", "Properties", "UpdatePolicy", "CreationPolicy")
"""The parts of a resource that decide what is deployed. `sam build` adds to Metadata."""

SECTIONS = ("Parameters", "Mappings", "Conditions", "Rules")

SHOWN = 8
"""The number of differing paths that are shown."""


def _observe_stack(bench: Bench) -> None:
    target = bench.target
    bench.note("status", target.status)
    bench.note("stack_id", target.stack_id)
    bench.note("resources", {name: one.status for name, one in target.deployed.items()})


def _judge_stack(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    prefix = f":cloudformation:{target.region}:{target.account}:stack/{target.name}/"
    stack = str(seen.get("stack_id", ""))
    yield held(
        "the stack is in the caller's account and region",
        f"arn:...{prefix}...",
        stack,
        holds=prefix in stack,
    )
    status = str(seen.get("status", ""))
    complete = status.endswith("_COMPLETE") and "ROLLBACK" not in status
    yield held("status of the stack", "CREATE_COMPLETE or UPDATE_COMPLETE", status, holds=complete)
    statuses: Mapping[str, str] = seen.get("resources", {})
    resolver = target.resolver
    expected = [
        name
        for name, resource in resolver.template["Resources"].items()
        if resolver.exists(name) and not resource["Type"].startswith(SERVERLESS)
    ]
    absent = [name for name in expected if name not in statuses]
    yield compared("resources of the template that the stack lacks", [], absent)
    failed = [name for name, one in statuses.items() if not one.endswith("_COMPLETE")]
    yield compared("resources that are not complete", [], failed)


STACK = Check(
    name="stack",
    question="Is this the stack, in this account and region, and is it complete?",
    observation=Observation(
        name="stack",
        does="reads who you are, the stack and its resources",
        level=Level.READ,
        calls=CALLS,
        use=lambda _target: Use(),
        observe=_observe_stack,
    ),
    judge=_judge_stack,
    remedy="Sign in to the other account, set AWS_REGION, or run `make deploy` again.",
)


def _observe_template(bench: Bench) -> None:
    answer = bench.ask(
        "cloudformation:GetTemplate", StackName=bench.target.name, TemplateStage="Original"
    )
    if answer is None:
        return
    body = answer["TemplateBody"]
    try:
        deployed = parse_template(body if isinstance(body, str) else json.dumps(body), "the stack")
    except TemplateError as error:
        bench.note("unreadable", str(error))
        return
    bench.note("paths", differing_paths(bench.target.resolver.template, deployed))
    bench.note("unknown", list(bench.target.unknown))


def differing_paths(local: Mapping[str, Any], deployed: Mapping[str, Any]) -> list[str]:
    """Return the paths at which two templates differ in what they deploy."""
    found = [
        path
        for section in SECTIONS
        for path in _paths(local.get(section) or {}, deployed.get(section) or {}, section)
    ]
    mine, theirs = local["Resources"], deployed["Resources"]
    for name in sorted({*mine, *theirs}):
        one, other = mine.get(name), theirs.get(name)
        if one is None or other is None:
            found.append(f"Resources.{name}")
            continue
        for part in COMPARED:
            found += _paths(one.get(part), other.get(part), f"Resources.{name}.{part}")
    return found


def _paths(one: Any, other: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - any part of YAML
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}, key=str):
            yield from _paths(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _paths(mine, theirs, f"{path}[{number}]")
    elif not _same(one, other):
        yield path


def _same(one: object, other: object) -> bool:
    """Return whether two scalars are the same to CloudFormation, which makes text of numbers."""
    if isinstance(one, bool) or isinstance(other, bool):
        return str(one).lower() == str(other).lower()
    return one == other or str(one) == str(other)


def _judge_template(_target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    what = "places where the deployed template is another one"
    if "unreadable" in seen:
        yield compared(what, "none", seen["unreadable"])
        return
    if "paths" not in seen:
        yield unobserved(what, "none", why_missing(seen))
        return
    paths = seen["paths"]
    more = [f"and {len(paths) - SHOWN} more"] if len(paths) > SHOWN else []
    yield compared(what, [], [*paths[:SHOWN], *more])
    yield compared("parameters of the stack that the local template lacks", [], seen["unknown"])


TEMPLATE = Check(
    name="template",
    question="Is the deployed template the local one?",
    observation=Observation(
        name="template",
        does="reads the stack's template",
        level=Level.READ,
        calls=("cloudformation:GetTemplate",),
        use=lambda _target: Use(),
        observe=_observe_template,
    ),
    judge=_judge_template,
    remedy="Run `make deploy`, or give the deployed template with --template: the expectations "
    "below are those of the local file.",
)
