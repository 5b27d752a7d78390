"""An account with the product's stack in virtual time, which answers in the form of boto3.

Its group is the core behind the rig's Auto Scaling API, and its instances are small programs. Every
request and every answer is checked against botocore's model of the service, so no test relies on a
form that AWS does not have. The attributes of FakeAccount make it behave differently from what the
template and the core predict.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from support.builders.fleets import product_template
from support.fakes.account_answers import ACCOUNT, ANSWERING, MINUTE, REGION, STACK, START
from support.fakes.living_world import LivingWorld

from tidemill.rig.autoscaling.actions import run_action
from tidemill.rig.autoscaling.ports import GroupView
from tidemill.scaling.driver import drive
from tidemill.scaling.errors import RequestError
from tidemill.scaling.facts import AlarmChanged
from tidemill.scaling.loop import begin
from tidemill.scaling.ports import Ports
from tidemill.scaling.requests.activities import record_activities
from tidemill.scaling.requests.apply import apply
from tidemill.scaling.template.fleet import resolved_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.loop import LoopMemory, Turn
    from tidemill.scaling.requests.activities import Activity
    from tidemill.scaling.requests.apply import Applied
    from tidemill.scaling.requests.commands import Command
    from tidemill.verify.ports import Answer

CLIENTS = {"servicequotas": "service-quotas"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@cache
def model_of(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    name = CLIENTS.get(service, service)
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def check_form(action: str, parameters: Answer, answer: Answer) -> None:
    """Check a request and its answer against the service's model."""
    service, _, operation = action.partition(":")
    model = model_of(service).operation_model(operation)
    for given, shape in ((parameters, model.input_shape), (answer, model.output_shape)):
        if shape is None:
            assert not given, f"{action} has no such part: {given}"
            continue
        report = ParamValidator().validate(given, shape)
        assert not report.has_errors(), f"{action}: {report.generate_report()}"


def physical_names(template: Answer, parameters: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the values of the stack's resources, as AWS would name them."""
    resolver = Resolver(template, parameters, Place(STACK, REGION, ACCOUNT))
    names: dict[str, dict[str, str]] = {}
    for logical_id, resource in template["Resources"].items():
        if not resolver.exists(logical_id):
            continue
        kind = resource["Type"]
        name = f"{STACK}-{logical_id}-1A2B3C4D5E6F"
        if kind == "AWS::SQS::Queue":
            queue = resolver.name(logical_id)
            name = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue}"
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
            names[logical_id] = {"Ref": name, "QueueName": queue, "Arn": arn}
            continue
        if kind in {"AWS::AutoScaling::AutoScalingGroup", "AWS::Logs::LogGroup"}:
            name = resolver.name(logical_id)
        if kind == "AWS::AutoScaling::ScalingPolicy":
            name = (
                f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scalingPolicy:0:autoScalingGroupName/"
                f"{STACK}-workers:policyName/{name}"
            )
        if kind == "AWS::SNS::Topic":
            name = f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"
        if kind == "AWS::ECR::Repository":
            name = f"{STACK}/{logical_id.removesuffix('Repository').lower()}"
        names[logical_id] = {"Ref": name}
    return names


class FakeClock:
    """A clock whose time passes only while somebody waits."""

    def __init__(self, account: FakeAccount) -> None:
        """Let the account's time pass."""
        self._account = account

    def now(self) -> float:
        """Return the account's time."""
        return self._account.world.now

    def sleep(self, seconds: float) -> None:
        """Let the account's time pass, at least one second."""
        self._account.go(max(seconds, 1.0))


class FakeAccount:
    """The account; its attributes may be changed before or between calls.

    Attributes:
        template: the deployed template.
        parameters: the stack's parameters.
        world: queue and instances.
        metric_delay: seconds from a minute's end until its datapoint can be read.
        reaction: seconds between the two moments of an activity's cause.
        refused: the error code by action, for actions that are refused.
        answers: fixed answers by action, in place of the living ones.
        changes: functions that change an answer, by action.
        calls: the actions so far.
    """

    region, endpoint = REGION, None

    def __init__(self, *, template: Answer | None = None, **parameters: str) -> None:
        """Deploy the template, by default the product's, with these parameters."""
        self.template = template or product_template()
        self.parameters = {"ImageTag": "3f9c2ab", **parameters}
        self.physical = physical_names(self.template, self.parameters)
        place = Place(STACK, REGION, ACCOUNT, self.physical)
        self.resolver = Resolver(self.template, self.parameters, place)
        self.fleet = resolved_fleet(self.resolver)
        self.world = LivingWorld(self.fleet, START)
        self.memory: LoopMemory = begin(self.fleet, START)
        self.metric_delay = 6.0
        self.reaction = 9.0
        self.refused: dict[str, str] = {}
        self.answers: dict[str, Answer] = {}
        self.changes: dict[str, Callable[[Answer], Answer]] = {}
        self.calls: list[str] = []
        self.subscription = "PendingConfirmation"
        self.visible: list[tuple[float, float]] = []
        self.alarm_changes: list[AlarmChanged] = []
        self.activities: tuple[Activity, ...] = ()
        self.go(3 * MINUTE)

    def clock(self) -> FakeClock:
        """Return the account's clock."""
        return FakeClock(self)

    def go(self, seconds: float) -> None:
        """Let time pass, with a turn of the loop every second."""
        end = self.world.now + seconds
        while self.world.now < end:
            self.world.now = min(self.world.now + 1, end)
            self.world.work()
            ports = Ports(self.world, self.world, (self,))
            self.memory = drive(self.fleet, self.memory, ports, self.world.now)

    def on_turn(self, turn: Turn) -> None:
        """Keep what AWS would record."""
        self._record(turn.facts)
        self.visible += [
            (point.timestamp, point.values.maximum)
            for point in turn.datapoints
            if point.metric.name == "ApproximateNumberOfMessagesVisible"
        ]
        self.alarm_changes += [fact for fact in turn.facts if isinstance(fact, AlarmChanged)]

    def _record(self, facts: tuple[Fact, ...]) -> None:
        self.activities = record_activities(self.activities, facts)

    def view(self) -> GroupView:
        """Return the group for the Auto Scaling API."""
        return GroupView(self.fleet, self.memory.group, self.activities[::-1], START)

    def request(self, command: Command) -> Applied:
        """Apply a request to the group."""
        done = apply(self.fleet, self.memory.group, command, self.world.now)
        self.fleet, self.memory = done.fleet, replace(self.memory, group=done.memory)
        self._record(done.facts)
        for instance in done.drain:
            self.world.drain(instance)
        for instance in done.terminate:
            self.world.terminate(instance)
        return done

    def inject(self, fault: object) -> str:
        """Refuse faults: AWS has none at this port."""
        raise NotImplementedError(fault)

    def call(self, action: str, **parameters: Any) -> Answer:  # noqa: ANN401 - any action's own
        """Answer an action."""
        self.calls.append(action)
        if action in self.refused:
            raise RefusedError(action, self.refused[action], self.refused[action])
        if action in self.answers:
            answer = self.answers[action]
        elif action.startswith("autoscaling:"):
            answer = self._autoscaling(action, parameters)
        else:
            answer = ANSWERING[action](self, parameters)
        if action in self.changes:
            answer = self.changes[action](answer)
        check_form(action, parameters, answer)
        return answer

    def _autoscaling(self, action: str, parameters: Answer) -> Answer:
        try:
            answer = run_action(self, action.partition(":")[2], parameters)
        except RequestError as error:
            raise RefusedError(action, error.code, error.message) from error
        pruned: Answer = _without_none(answer)
        for one in pruned.get("Activities", []):
            first, *rest = MOMENT.findall(one["Cause"])
            if rest:  # the core begins an activity at once, AWS some seconds later
                later = datetime.fromisoformat(first) + timedelta(seconds=self.reaction)
                head, _, tail = one["Cause"].rpartition(rest[-1])
                one["Cause"] = f"{head}{later:%Y-%m-%dT%H:%M:%SZ}{tail}"
        return pruned


def _without_none(value: Any) -> Any:  # noqa: ANN401 - any part of an answer
    if isinstance(value, dict):
        return {key: _without_none(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_without_none(part) for part in value]
    return value
