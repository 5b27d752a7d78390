"""Deployment: the SAM CLI creates, updates and deletes the stack in two emulators."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.sam import SAM, localstack_emulator, ministack_emulator, require
from support.stack.answers import expected_answers
from support.stack.deployment import physical_ids, run, write_template
from support.stack.inventory import inventory
from support.stack.questions import ASKED_WITH, QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.emulators.sam import Emulator
    from support.stack.inventory import Item

pytestmark = [pytest.mark.endtoend, pytest.mark.timeout(400)]

STARTING: Final = {"ministack": ministack_emulator, "localstack": localstack_emulator}

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

# Operations that an emulator does not have, so that nothing can be seen of their resources.
LACKING: Final = {
    "ministack": {"logs.describe_query_definitions"},
    "localstack": {
        *("autoscaling.describe_auto_scaling_groups", "autoscaling.describe_policies"),
        "ecr.describe_repositories",
        "logs.describe_query_definitions",
    },
}

UPDATE: Final = {"MessageSeconds": "60", "MaxInstances": "7"}


@dataclass(frozen=True, slots=True)
class Life:
    """A stack after its creation and after the update, and what its deletion left."""

    emulator: str
    ids: Mapping[str, str]
    created: Mapping[str, Any]
    updated: Mapping[str, Any]
    left: set[Item]
    lacking: set[str]


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
        before, _ = inventory(emulator.client)
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
        after, lacking = inventory(emulator.client)
        yield Life(name, ids, created, updated, after - before, lacking)


def seen(emulator: Emulator, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers about every real resource; keys are `LogicalId.Property`."""
    real = {name for name, physical in ids.items() if physical != "unknown"}
    return {
        f"{name}.{key}": value
        for name, ask in QUESTIONS.items()
        if name in real
        for key, value in ask(emulator.client, ids).items()
    }


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
    """The deletion removes everything, queues with messages and log groups as well."""
    assert life.left == set()
    assert life.lacking == LACKING[life.emulator]
