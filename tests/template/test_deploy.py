"""Deployment: the SAM CLI creates, updates and deletes the stack in two emulators."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.sam import SAM, localstack_emulator, ministack_emulator, require
from support.stack.answers import expected_answers, fifo_answers
from support.stack.deployment import physical_ids, run, write_template
from support.stack.inventory import TABLES, inventory
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
            "UnprocessedMessagesQuery",
            "CyclesQuery",
        ),
        *("MessageHistoryQuery", "ErrorsQuery", "LogVolumeQuery"),
        *("QueueDashboard", "InstancesDashboard"),
    },
}

# Properties that an emulator sets differently from the template.
DIFFERENT: Final = {
    "ministack": {
        *("WorkerGroup.warmup", "WorkerGroup.types", "WorkerGroup.on demand"),
        *("WorkerGroup.metrics", "WorkerGroup.hooks", "ProcessedMessagesTable.expires"),
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

STACKS: Final[Mapping[str, Mapping[str, str]]] = {
    "standard": {},
    "fifo": {"QueueKind": "fifo", "IdempotencyTable": "true"},
}
"""The parameters of the stacks that are deployed."""
LIVES: Final = [("localstack", "standard"), ("ministack", "fifo"), ("ministack", "standard")]
ALSO_LISTED: Final = {"ministack": [TABLES], "localstack": []}
UPDATE: Final = {"MessageSeconds": "60", "MaxInstances": "7"}


@dataclass(frozen=True, slots=True)
class Life:
    """A stack after its creation and after the update, and what its deletion left."""

    emulator: str
    kind: str
    ids: Mapping[str, str]
    created: Mapping[str, Any]
    updated: Mapping[str, Any]
    left: set[Item]
    lacking: set[str]


@pytest.fixture(scope="module", params=LIVES, ids="-".join)
def life(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Life]:
    """Deploy, update and delete with one emulator, and return what the tests look at."""
    require(SAM, "make validate")
    name, kind = request.param
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("project")
    write_template(folder, name)
    with ExitStack() as stack:
        emulator = stack.enter_context(STARTING[name](home))
        before, _ = inventory(emulator.client, *ALSO_LISTED[name])
        run(emulator, folder, "build", "--template-file", "template.json")
        run(emulator, folder, "deploy", *overrides(STACKS[kind]))
        ids = physical_ids(emulator)
        created = seen(emulator, ids)
        run(emulator, folder, "deploy", *overrides({**STACKS[kind], **UPDATE}))
        updated = seen(emulator, ids)
        run(emulator, folder, "delete", "--no-prompts")
        after, lacking = inventory(emulator.client, *ALSO_LISTED[name])
        yield Life(name, kind, ids, created, updated, after - before, lacking)


def overrides(parameters: Mapping[str, str]) -> list[str]:
    """Return SAM's options for these parameters."""
    given = [f"{key}={value}" for key, value in parameters.items()]
    return ["--parameter-overrides", *given] if given else []


def answers(kind: str, *, drain: int, visibility: int, hook: int, maximum: int) -> dict[str, Any]:
    """Return the expected answers of a stack of this kind."""
    usual = expected_answers(drain=drain, visibility=visibility, hook=hook, maximum=maximum)
    return fifo_answers(usual) if kind == "fifo" else usual


def seen(emulator: Emulator, ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the answers about every real resource; keys are `LogicalId.Property`."""
    real = {name for name, physical in ids.items() if physical != "unknown"}
    return {
        f"{name}.{key}": value
        for name, ask in QUESTIONS.items()
        if name in real
        for key, value in ask(emulator.client, ids).items()
    }


def differences(life: Life, given: Mapping[str, Any], wanted: Mapping[str, Any]) -> set[str]:
    """Return the answers about real resources that differ from the expected ones."""
    real = {name for name, physical in life.ids.items() if physical != "unknown"}
    names = {name for name in {*given, *wanted} if name.partition(".")[0] in real}
    return {name for name in names if given.get(name) != wanted.get(name)}


def known(life: Life) -> set[str]:
    """Return the properties of the stack's resources that the emulator sets differently."""
    return {name for name in DIFFERENT[life.emulator] if name.partition(".")[0] in life.ids}


def test_sam_deploys_the_template_resource_by_resource(life: Life) -> None:
    """Every resource that the emulator supports is as the template says, except for known gaps."""
    wanted = answers(life.kind, drain=75, visibility=120, hook=135, maximum=4)
    assert differences(life, life.created, wanted) == known(life)


def test_sam_updates_what_follows_from_changed_parameters(life: Life) -> None:
    """The update changes queue, user data, hook and limits, and nothing else."""
    wanted = answers(life.kind, drain=105, visibility=180, hook=165, maximum=7)
    assert differences(life, life.updated, wanted) == known(life) | STALE[life.emulator]


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
