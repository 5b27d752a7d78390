"""Deployment: the SAM CLI creates, updates and deletes the stack in two emulators."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.sam import SAM, STACK, localstack_emulator, ministack_emulator, require
from support.stack.answers import expected_answers
from support.stack.questions import ASKED_WITH, QUESTIONS

from tidemill.rig.local_aws.deployment import without
from tidemill.scaling.template.document import parse_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from support.emulators.sam import Emulator

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(400)]

STARTING: Final = {"ministack": ministack_emulator, "localstack": localstack_emulator}

# Resources that are not sent to an emulator. MiniStack refuses saved queries and alarms on metric
# math. LocalStack 4.13 fails when it updates a stack with a function whose condition is false, and
# it runs no function without Docker.
NOT_SENT: Final = {
    "ministack": {
        *("BacklogAlarm", "EmptyQueueAlarm", "BacklogRisingAlarm", "CapacityExhaustedAlarm"),
        *("MessagesPerMinuteQuery", "SlowestMessagesQuery", "InvalidMessagesQuery"),
        *("MessageHistoryQuery", "ErrorsQuery", "LogVolumeQuery"),
    },
    "localstack": {"SignalFunction"},
}

# Resources that are not sent either, because they refer to those: the dashboard shows the alarms.
GOES_WITH_IT: Final = {"ministack": {"QueueDashboard"}, "localstack": set[str]()}

# Resources that an emulator accepts but does not create: their physical id is "unknown".
PLACEHOLDERS: Final = {
    "ministack": set[str](),
    "localstack": {
        *("WorkerLaunchTemplate", "WorkerGroup", "ConsumerErrorsMetricFilter"),
        *(
            "BacklogPolicy",
            "EmptyQueuePolicy",
            "MessagesPerMinuteQuery",
            "SlowestMessagesQuery",
            "InvalidMessagesQuery",
        ),
        *("MessageHistoryQuery", "ErrorsQuery", "LogVolumeQuery"),
        *("QueueDashboard", "InstancesDashboard"),
    },
}

# Properties that an emulator sets differently from the template.
DIFFERENT: Final = {
    "ministack": {
        *("WorkerGroup.warmup", "WorkerGroup.types", "WorkerGroup.on demand"),
        *("WorkerGroup.metrics", "WorkerGroup.hooks"),
    },
    "localstack": {
        *("WorkerSecurityGroup.out", "FleetRouteTable.out"),
        *("WorkerLogGroup.days", "HostLogGroup.days"),
        *("ConsumerRepository.tags", "ConsumerRepository.scan", "ConsumerRepository.refused"),
        *("ProducerRepository.tags", "ProducerRepository.scan", "ProducerRepository.refused"),
    },
}

# Properties that an emulator does not update.
STALE: Final = {"ministack": set[str](), "localstack": {"CapacityExhaustedAlarm.threshold"}}

UPDATE: Final = {"MessageSeconds": "60", "MaxInstances": "7"}


@dataclass(frozen=True, slots=True)
class Life:
    """A stack after its creation and after the update, and what its deletion left."""

    emulator: str
    ids: Mapping[str, str]
    created: Mapping[str, Any]
    updated: Mapping[str, Any]
    left: tuple[str, ...]


@pytest.fixture(scope="module", params=sorted(STARTING))
def life(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    """Deploy, update and delete with one emulator, and return what the tests look at."""
    require(SAM, "make validate")
    name: str = request.param
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    write_template(folder, name)
    with ExitStack() as stack:
        emulator = stack.enter_context(STARTING[name](home))
        run(emulator, folder, "build", "--template-file", "template.json")
        run(emulator, folder, "deploy")
        ids = physical_ids(emulator)
        created = seen(emulator, ids)
        run(
            emulator, folder, "deploy", "--parameter-overrides",
            *(f"{key}={value}" for key, value in UPDATE.items()),
        )  # fmt: skip
        updated = seen(emulator, ids)
        run(emulator, folder, "delete", "--no-prompts")
        yield Life(name, ids, created, updated, tuple(leftovers(emulator)))


def write_template(folder: Path, emulator: str) -> None:
    """Write the part of the product's template that the emulator accepts."""
    document = parse_template(PRODUCT_TEMPLATE.read_text(), str(PRODUCT_TEMPLATE))
    unsupported = dict.fromkeys(NOT_SENT[emulator], "the emulator refuses it")
    reduced, left_out = without(document, unsupported)
    assert set(left_out) == NOT_SENT[emulator] | GOES_WITH_IT[emulator]
    (folder / "template.json").write_text(json.dumps(reduced))


def run(emulator: Emulator, folder: Path, *arguments: str) -> None:
    """Run the SAM CLI and show what it printed when it fails."""
    done = emulator.sam(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def physical_ids(emulator: Emulator) -> dict[str, str]:
    """Return the physical ids by logical id."""
    found = emulator.client("cloudformation").describe_stack_resources(StackName=STACK)
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found["StackResources"]
    }


def seen(emulator: Emulator, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers about every real resource; keys are `LogicalId.Property`."""
    real = {name for name, physical in ids.items() if physical != "unknown"}
    return {
        f"{name}.{key}": value
        for name, ask in QUESTIONS.items()
        if name in real
        for key, value in ask(emulator.client, ids).items()
    }


def leftovers(emulator: Emulator) -> Iterator[str]:
    """Yield the names of resources that the deleted stack has left."""
    stacks = emulator.client("cloudformation").list_stacks()["StackSummaries"]
    yield from (
        item["StackName"]
        for item in stacks
        if item["StackName"] == STACK and item["StackStatus"] != "DELETE_COMPLETE"
    )
    yield from emulator.client("sqs").list_queues(QueueNamePrefix=STACK).get("QueueUrls", [])
    alarms = emulator.client("cloudwatch").describe_alarms(AlarmNamePrefix=STACK)["MetricAlarms"]
    yield from (item["AlarmName"] for item in alarms)
    roles = emulator.client("iam").list_roles()["Roles"]
    yield from (item["RoleName"] for item in roles if item["RoleName"].startswith(STACK))
    groups = emulator.client("logs").describe_log_groups(logGroupNamePrefix=f"/tidemill/{STACK}/")
    yield from (item["logGroupName"] for item in groups["logGroups"])


def differences(life: Life, answers: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    """Return the answers about real resources that differ from the expected ones."""
    real = {name for name, physical in life.ids.items() if physical != "unknown"}
    names = {name for name in {*answers, *wanted} if name.partition(".")[0] in real}
    return {name for name in names if answers.get(name) != wanted.get(name)}


def test_sam_deploys_the_template_resource_by_resource(life: Life) -> None:
    """Every resource that the emulator supports is as the template says, except for known gaps."""
    wanted = expected_answers(drain=60, visibility=120, hook=155, maximum=4)
    assert differences(life, life.created, wanted) == DIFFERENT[life.emulator]


def test_sam_updates_what_follows_from_changed_parameters(life: Life) -> None:
    """The update changes queue, user data, hook and limits, and nothing else."""
    wanted = expected_answers(drain=90, visibility=180, hook=185, maximum=7)
    known = DIFFERENT[life.emulator] | STALE[life.emulator]
    assert differences(life, life.updated, wanted) == known


def test_the_emulator_makes_every_resource_but_those_that_it_only_pretends_to(life: Life) -> None:
    """A resource without a physical id of its own is a placeholder."""
    pretended = {name for name, physical in life.ids.items() if physical == "unknown"}
    assert pretended == PLACEHOLDERS[life.emulator]


def test_every_resource_has_a_question(life: Life) -> None:
    """Every resource that the emulator creates has a question, and a new one needs one."""
    real = {name for name, physical in life.ids.items() if physical != "unknown"}
    assert real - QUESTIONS.keys() - ASKED_WITH.keys() == set()


def test_sam_deletes_the_stack(life: Life) -> None:
    """The deletion removes queues, alarms, roles and log groups as well."""
    assert life.left == ()


def test_a_private_network_and_the_fast_signal_are_deployed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """MiniStack applies the SAM transform and runs the function, which prints six lines of EMF."""
    require(SAM, "make validate")
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    write_template(folder, "ministack")
    with ministack_emulator(home) as emulator:
        run(emulator, folder, "build", "--template-file", "template.json")
        run(
            emulator, folder, "deploy", "--parameter-overrides", "FastSignal=true",
            "Network=private",
        )  # fmt: skip
        ids = physical_ids(emulator)
        found = emulator.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
        made = {item["VpcEndpointId"] for item in found if item["VpcId"] == ids["FleetVpc"]}
        assert made == {id_ for name, id_ in ids.items() if name.endswith("Endpoint")}
        assert len(made) == 10
        assert "FleetInternetRoute" not in ids
        sqs = emulator.client("sqs")
        for body in "abc":
            sqs.send_message(QueueUrl=ids["WorkQueue"], MessageBody=body)
        functions = emulator.client("lambda")
        answer = functions.invoke(FunctionName=ids["SignalFunction"])
        assert "FunctionError" not in answer
        events = emulator.client("logs").filter_log_events(logGroupName=ids["SignalLogGroup"])
        lines = [
            json.loads(event["message"])
            for event in events["events"]
            if event["message"].startswith('{"_aws"')
        ]
        assert len(lines) >= 6  # the schedule may have run it as well
        for line in lines:
            (metrics,) = line["_aws"]["CloudWatchMetrics"]
            assert metrics["Namespace"] == "Tidemill"
            assert metrics["Dimensions"] == [["QueueName"]]
            assert (line["QueueName"], line["DesiredCapacity"]) == (f"{STACK}-work", 0)
        assert lines[-1]["Backlog"] == 3
        schedule = emulator.client("scheduler").get_schedule(Name=ids["SignalFunctionEveryMinute"])
        assert schedule["ScheduleExpression"] == "rate(1 minute)"
