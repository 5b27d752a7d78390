"""IAM policies: each allows the calls that its programs make, all of them and no others."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.aws_rules.iam import Decision, decide, grants, listed, matches
from support.builders.fleets import product_template
from support.fakes.instance import user_data
from support.stack.calls import ANOTHER_QUEUE, COMMANDS, KEY, SHOP, WITH_ALL, calls
from support.stack.policies import policies

from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.aws_rules.iam import Call, Statement
    from support.stack.calls import Recorded

    from tidemill.scaling.template.document import Document


def problems(document: Document, recorded: Recorded, parameters: dict[str, str]) -> list[str]:
    """Return a sentence for each call that is not allowed and each permission without a call."""
    template = Resolver(document, parameters, SHOP)
    book, needed = policies(template), calls(recorded, template)
    assert book.keys() <= needed.keys(), "a resource with a policy that nothing is known about"
    found: list[str] = []
    for name in filter(template.exists, needed):
        statements = book.get(name, [])
        found += [
            f"{name} does not allow {call.action} on {call.resource}: {decision}"
            for call in needed[name]
            if (decision := decide(statements, call)) is not Decision.ALLOWED
        ]
        found += spare(name, list(grants(statements)), needed[name])
    return found


def spare(name: str, single: list[Statement], needed: Iterable[Call]) -> Iterator[str]:
    """Yield a sentence for each permission that no call needs."""
    for grant in single:
        others = [other for other in single if other is not grant]
        used = [call for call in needed if matches(grant, call)]
        if not any(decide(others, call) is not Decision.ALLOWED for call in used):
            yield f"{name} allows {grant['Action']} on {grant['Resource']}, which nothing needs"


def allow_paths(part: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path to every Allow statement below a part of the template."""
    if isinstance(part, dict):
        if part.get("Effect") == "Allow":
            yield way
        for key, value in part.items():
            yield from allow_paths(value, (*way, key))
    elif isinstance(part, list):
        for index, value in enumerate(part):
            yield from allow_paths(value, (*way, index))


def at(document: Any, way: Iterable[str | int]) -> Any:  # noqa: ANN401 - any part of a template
    """Return the part of the template that a path leads to."""
    for step in way:
        document = document[step]
    return document


RESOURCES: Final = product_template()["Resources"]
ALLOWED: Final = {
    f"{way[0]}-{at(RESOURCES, way).get('Sid', '-'.join(listed(at(RESOURCES, way)['Action'])))}": way
    for way in allow_paths(RESOURCES)
}
"""The path to every Allow statement, by a readable name."""


def changed(way: tuple[str | int, ...], statement: object) -> Document:
    """Return the product's template with one statement replaced."""
    document = product_template()
    *parents, last = way
    at(document["Resources"], parents)[last] = statement
    return document


def every_action() -> list[Any]:
    """Return, as cases, each action of the statements that have several."""
    return [
        pytest.param(way, action, id=f"{name}-{action}")
        for name, way in ALLOWED.items()
        for action in listed(at(RESOURCES, way)["Action"])
        if len(listed(at(RESOURCES, way)["Action"])) > 1
    ]


class TestExactness:
    """The policies allow all recorded calls, and no others."""

    @pytest.mark.parametrize(
        "parameters",
        [
            pytest.param({}, id="defaults"),
            pytest.param({"KmsKeyArn": KEY}, id="key"),
            pytest.param({"FastSignal": "true"}, id="fast-signal"),
            pytest.param({"IdempotencyTable": "true"}, id="idempotency"),
            pytest.param({"Envelope": "sns"}, id="topics"),
            pytest.param({"Envelope": "eventbridge"}, id="rules"),
            pytest.param({"Envelope": "s3"}, id="buckets"),
            pytest.param(WITH_ALL, id="all"),
            pytest.param({**WITH_ALL, "Network": "private"}, id="private"),
        ],
    )
    def test_policies_allow_what_is_called_and_nothing_else(
        self, recorded: Recorded, parameters: dict[str, str]
    ) -> None:
        """This holds for every combination of the stack's optional parts."""
        assert problems(product_template(), recorded, parameters) == []

    @pytest.mark.parametrize("name", ALLOWED)
    def test_no_statement_can_be_removed(self, recorded: Recorded, name: str) -> None:
        """Without it, a recorded call would be refused."""
        without = changed(ALLOWED[name], {"Ref": "AWS::NoValue"})
        assert problems(without, recorded, WITH_ALL)

    @pytest.mark.parametrize(("way", "action"), every_action())
    def test_no_action_can_be_removed(
        self, recorded: Recorded, way: tuple[str | int, ...], action: str
    ) -> None:
        """Without it, a recorded call would be refused."""
        statement = copy.deepcopy(at(RESOURCES, way))
        statement["Action"].remove(action)
        assert problems(changed(way, statement), recorded, WITH_ALL)

    @pytest.mark.parametrize("name", ALLOWED)
    def test_no_action_can_be_added(self, recorded: Recorded, name: str) -> None:
        """The addition is reported, because no recorded call needs it."""
        statement = copy.deepcopy(at(RESOURCES, ALLOWED[name]))
        actions = listed(statement["Action"])
        service = actions[0].partition(":")[0]
        statement["Action"] = [*actions, f"{service}:NeverCalled"]
        (problem, *_) = problems(changed(ALLOWED[name], statement), recorded, WITH_ALL)
        assert "NeverCalled" in problem
        assert problem.endswith("which nothing needs")

    @pytest.mark.parametrize(
        "name", [name for name, way in ALLOWED.items() if "Resource" in at(RESOURCES, way)]
    )
    def test_no_resource_can_be_added(self, recorded: Recorded, name: str) -> None:
        """The addition is reported, because no recorded call needs it."""
        statement = copy.deepcopy(at(RESOURCES, ALLOWED[name]))
        statement["Resource"] = [*listed(statement["Resource"]), ANOTHER_QUEUE]
        found = problems(changed(ALLOWED[name], statement), recorded, WITH_ALL)
        assert [problem for problem in found if ANOTHER_QUEUE in problem]

    def test_no_namespace_can_be_added(self, recorded: Recorded) -> None:
        """A value of a condition is a permission as well, so an added one is reported."""
        (way,) = (way for name, way in ALLOWED.items() if name.endswith("PublishMetrics"))
        statement = copy.deepcopy(at(RESOURCES, way))
        statement["Condition"]["StringEquals"]["cloudwatch:namespace"].append("Else")
        assert problems(changed(way, statement), recorded, WITH_ALL)

    def test_every_statement_is_looked_at(self) -> None:
        """No other resource of the template allows anything, and every name is of a known kind."""
        found = policies(Resolver(product_template(), WITH_ALL, SHOP))
        allows = [each for all_of in found.values() for each in all_of if each["Effect"] == "Allow"]
        assert len(allows) == len(ALLOWED) == len(list(allow_paths(RESOURCES)))


class TestRecord:
    """The record covers everything that the programs do."""

    def test_the_consumer_did_all_that_it_can_do(self, recorded: Recorded) -> None:
        """It received, deleted, returned, extended, rejected and remembered, and logged."""
        assert {request.operation for request in recorded.consumer} == {
            "ReceiveMessage",
            "DeleteMessageBatch",
            "ChangeMessageVisibilityBatch",
            "SendMessageBatch",
            *("GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"),
            "CreateLogStream",
            "PutLogEvents",
        }

    def test_the_producer_did_all_that_it_can_do(self, recorded: Recorded) -> None:
        """The producer found the queue by its name and sent messages."""
        assert {request.operation for request in recorded.producer} == {
            "GetQueueUrl",
            "SendMessageBatch",
        }

    def test_the_script_ran_every_aws_command_that_it_has(self, recorded: Recorded) -> None:
        """The boot script's commands are all recorded, over both boots."""
        text = re.sub(r"command -v aws", "", user_data())
        written = set(re.findall(r"\baws ([a-z]+) ([a-z-]+)", text))
        ran = {(call[1], call[2]) for call in recorded.script if call[0] == "aws"}
        assert ran == written == COMMANDS.keys()
