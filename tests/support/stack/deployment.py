"""Deployment of the product's template to an emulator, without what the emulator refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators.sam import STACK

from tidemill.rig.local_aws.deployment import without
from tidemill.scaling.template.document import parse_template

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.sam import Emulator

# Resources that are not sent to an emulator. MiniStack refuses saved queries and alarms on metric
# math. LocalStack 4.13 fails when it updates a stack with a function whose condition is false, or
# creates one whose role refers to another resource with a false condition; it runs no function
# without Docker.
NOT_SENT: Final = {
    "ministack": {
        *("BacklogAlarm", "EmptyQueueAlarm", "BacklogRisingAlarm"),
        *("CapacityExhaustedAlarm", "DeadLettersRisingAlarm"),
        *(
            "MessagesPerMinuteQuery",
            "SlowestMessagesQuery",
            "UnprocessedMessagesQuery",
            "CyclesQuery",
        ),
        *("MessageHistoryQuery", "ErrorsQuery", "LogVolumeQuery"),
    },
    "localstack": {"SignalFunction", "SignalRole"},
}

# Resources that are not sent either, because they refer to those: the dashboard shows the alarms.
GOES_WITH_IT: Final = {"ministack": {"QueueDashboard"}, "localstack": set[str]()}


def write_template(folder: Path, emulator: str, name: str = "template.json") -> None:
    """Write the part of the product's template that the emulator accepts."""
    document = parse_template(PRODUCT_TEMPLATE.read_text(), str(PRODUCT_TEMPLATE))
    unsupported = dict.fromkeys(NOT_SENT[emulator], "the emulator refuses it")
    reduced, left_out = without(document, unsupported)
    assert set(left_out) == NOT_SENT[emulator] | GOES_WITH_IT[emulator]
    (folder / name).write_text(json.dumps(reduced))


def run(emulator: Emulator, folder: Path, *arguments: str) -> None:
    """Run the SAM CLI and show what it printed when it fails."""
    done = emulator.sam(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def physical_ids(emulator: Emulator, stack: str = STACK) -> dict[str, str]:
    """Return the physical ids by logical id."""
    found = emulator.client("cloudformation").describe_stack_resources(StackName=stack)
    return {
        item["LogicalResourceId"]: item["PhysicalResourceId"] for item in found["StackResources"]
    }
