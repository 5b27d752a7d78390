"""The API calls that a stack of the template has to allow, and their sources.

They are recorded from the real producer, the real consumer, the signal function's code and the
instance's script. The calls of programs that cannot run here (the agents, Docker, AWS's own
services) are derived from the template and from AWS's documentation.

The module is over 280 lines because it has the calls of every program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from support.aws_rules.iam import Call
from support.builders.fleets import product_template
from support.emulators.ministack import REGION
from support.emulators.programs import running
from support.emulators.recording_proxy import recording
from support.fakes.instance import INSTANCE_ID, PLACE, Failure, live, user_data
from support.fakes.signal_function import sample

from tidemill.scaling.template.user_data import container_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.emulators.ministack import Ministack
    from support.emulators.recording_proxy import Request

    from tidemill.scaling.template.resolver import Resolver

ACCOUNT: Final = PLACE.account
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"
WITH_ALL: Final = {
    "KmsKeyArn": KEY,
    "FastSignal": "true",
    "IdempotencyTable": "true",
    "Envelope": "auto",
}
"""Parameters that put every statement of the template into the stack."""

WORK_QUEUE: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-work"
DEAD_LETTERS: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-dead-letters"
ANOTHER_QUEUE: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:shop-else"
TABLE: Final = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/shop-processed-messages"
REPOSITORY: Final = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/consumer"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:shop-people"
GROUP: Final = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:5f0e:autoScalingGroupName"
PRODUCER: Final = f"arn:aws:iam::{ACCOUNT}:role/producer"
WORKER: Final = f"arn:aws:iam::{ACCOUNT}:role/worker"
SIGNAL: Final = f"arn:aws:iam::{ACCOUNT}:role/signal"
HEARTBEAT: Final = f"arn:aws:iam::{ACCOUNT}:role/heartbeat"
SOMEBODY: Final = f"arn:aws:iam::{ACCOUNT}:role/somebody"
SHOP: Final = replace(
    PLACE,
    physical={
        **PLACE.physical,
        "WorkQueue": {"Arn": WORK_QUEUE},
        "WorkDeadLetterQueue": {"Arn": DEAD_LETTERS},
        "ProcessedMessagesTable": {"Arn": TABLE},
        "ConsumerRepository": {**PLACE.physical["ConsumerRepository"], "Arn": REPOSITORY},
        "PeopleTopic": {"Ref": TOPIC},
        "ProducerRole": {"Arn": PRODUCER},
        "WorkerRole": {"Arn": WORKER},
    },
)

TABLE_PROPERTIES: Final[dict[str, Any]] = {
    key: value
    for key, value in product_template()["Resources"]["ProcessedMessagesTable"][
        "Properties"
    ].items()
    if key in ("AttributeDefinitions", "BillingMode", "KeySchema")
}

TLS: Final = ("aws:SecureTransport", "true")
FROM_INSTANCE: Final = (
    "ec2:SourceInstanceARN",
    f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{INSTANCE_ID}",
)
"""A key of every request by an instance's role (EC2 user guide, IAM roles for Amazon EC2)."""

BATCHES: Final = {
    f"{action}Batch": action
    for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}
"""Permissions do not distinguish batches (SQS developer guide, "Amazon SQS batch actions")."""

COMMANDS: Final = {
    ("autoscaling", "complete-lifecycle-action"): "autoscaling:CompleteLifecycleAction",
    ("cloudwatch", "put-metric-data"): "cloudwatch:PutMetricData",
}

LOGIN: Final = "ecr:GetAuthorizationToken"
PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
"""Actions of the credential helper, and of a `docker pull` (ECR API reference, their pages)."""

SESSION: Final = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""Actions that the Systems Manager agent calls (user guide, "Add Session Manager permissions to an
existing IAM role")."""

HANDLER: Final = """
import pathlib, time
from consumer.handlers.api import Reject

def handle(message):
    if message.vehicle.make == "Rejects":
        raise Reject("as planned")
    if message.vehicle.make == "Fails":
        raise ValueError("as planned")
    if message.vehicle.make == "Slow":
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The requests of the real programs, and the commands of the instance's script."""

    producer: list[Request]
    consumer: list[Request]
    script: list[tuple[str, ...]]


def record(ministack: Ministack, new_folder: Callable[[str], Path]) -> Recorded:
    """Run everything once: good, failing, rejected, invalid and slow messages, a drain, boots."""
    directory = new_folder("programs")
    url = ministack.create_queue("shop-work")
    with ministack.client("dynamodb") as dynamodb:
        dynamodb.create_table(TableName=TABLE.rpartition("/")[2], **TABLE_PROPERTIES)
    with recording(ministack.endpoint) as producer:
        produce(directory, {**ministack.environment, "AWS_ENDPOINT_URL": producer.endpoint})
    with recording(ministack.endpoint) as consumer:
        given = container_environment(user_data(), {"INSTANCE_ID": INSTANCE_ID})
        with ministack.client("logs") as logs:
            logs.create_log_group(logGroupName=given["LOG_GROUP"])
        environment = {**ministack.environment, "AWS_ENDPOINT_URL": consumer.endpoint}
        (directory / "recorded_handler.py").write_text(HANDLER, encoding="utf-8")
        settings = {
            "QUEUE_URL": url,
            "DEAD_LETTER_QUEUE_URL": ministack.create_queue("shop-dead-letters"),
            "IDEMPOTENCY_TABLE": TABLE.rpartition("/")[2],
            "HANDLER": "recorded_handler:handle",
            "VISIBILITY_TIMEOUT_SECONDS": "2",
            "RECEIVE_WAIT_SECONDS": "1",
        }
        with running("consumer", {**environment, **given, **settings}, directory) as program:
            consumer.wait_for(lambda request: '"VisibilityTimeout": 2' in entries(request))
            program.signal()
            program.wait_for("stopping")
            (directory / "go").touch()
            assert program.wait() == 0
            assert {line["outcome"] for line in program.events("message")} >= {"processed"}
    boots = [
        live(new_folder("boot")),
        live(new_folder("no-agent"), failures=[Failure(("amazon-cloudwatch-agent-ctl",), at=1)]),
        live(new_folder("failed-boot"), failures=[Failure(("docker", "run"))]),
    ]
    return Recorded(
        producer.requests, consumer.requests, [call for life in boots for call in life.calls]
    )


KINDS: Final = ("Honda", "Fails", "Rejects", "Slow")
"""The makes of the vehicles that are sent, on which the handler's answer depends."""


def produce(directory: Path, environment: dict[str, str]) -> None:
    """Send a message of each kind, with the real producer, to the queue by its name."""
    vehicle = {"vehicleId": "VH1", "model": "Civic", "year": 2020, "color": "Blue", "mileage": 1}
    lines = [json.dumps({**vehicle, "make": make}) for make in KINDS]
    file = directory / "vehicles.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(
        [
            *(sys.executable, "-m", "producer", "--queue-name", "shop-work"),
            *("--file", str(file), "--poison", "2"),
        ],
        env=environment,
        check=True,
        capture_output=True,
        timeout=60,
    )


def entries(request: Request) -> str:
    """Return a batch's entries as text."""
    return json.dumps(request.parameters.get("Entries", []))


def from_request(principal: str, request: Request, *context: tuple[str, str]) -> Call:
    """Return the call that a recorded request makes, against the stack's own resources."""
    operation = BATCHES.get(request.operation, request.operation)
    given = request.parameters
    if request.service == "dynamodb":
        resource = TABLE
    elif request.service == "sqs":
        name = given["QueueName"] if "QueueName" in given else given["QueueUrl"].split("/")[-1]
        resource = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    else:
        resource = log_stream(given["logGroupName"], given["logStreamName"])
    return Call(principal, f"{request.service}:{operation}", resource, (TLS, *context))


def log_stream(group: str, stream: str) -> str:
    """Return the ARN that both CreateLogStream and PutLogEvents are checked against."""
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:{stream}"


WRITE_LOGS: Final = ("CreateLogStream", "PutLogEvents")
SIGNAL_STREAM: Final = log_stream("/tidemill/shop/signal", "s")
"""Lambda writes what a function prints, with the function's role."""


def by_worker(action: str, resource: str = "*", *context: tuple[str, str]) -> Call:
    """Return a call with a worker instance's role."""
    return Call(WORKER, action, resource, (TLS, FROM_INSTANCE, *context))


def from_command(call: tuple[str, ...]) -> Call | None:
    """Return the call that a command of the instance's script makes; None if it makes none."""
    match call:
        case ("aws", service, operation, *words):
            options = dict(zip(words[::2], words[1::2], strict=True))
            action = COMMANDS[service, operation]
            if service == "autoscaling":
                return by_worker(action, f"{GROUP}/{options['--auto-scaling-group-name']}")
            if service == "cloudwatch":
                return by_worker(action, "*", ("cloudwatch:namespace", options["--namespace"]))
            return by_worker(action)
        case ("amazon-cloudwatch-agent-ctl", *_, source) if source.startswith("ssm:"):
            name = source.removeprefix("ssm:")
            return by_worker("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{name}")
        case ("docker", "run", *_, image):
            assert image.startswith(PLACE.physical["ConsumerRepository"]["RepositoryUri"])
    return None


def by_agent(template: Resolver) -> Iterator[Call]:
    """Yield the calls of the CloudWatch agent with the configuration that it gets.

    These are the actions of AWS's managed policy that this configuration needs (CloudWatch user
    guide, "Create IAM roles and users for use with the CloudWatch agent").
    """
    config = json.loads(template.properties("AgentConfigParameter")["Value"])
    metrics = config["metrics"]
    yield by_worker("cloudwatch:PutMetricData", "*", ("cloudwatch:namespace", metrics["namespace"]))
    if "AutoScalingGroupName" in metrics["append_dimensions"]:
        yield by_worker("ec2:DescribeTags")
    for file in config["logs"]["logs_collected"]["files"]["collect_list"]:
        stream = file["log_stream_name"].replace("{instance_id}", INSTANCE_ID)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            yield by_worker(action, log_stream(file["log_group_name"], stream))


def scheduled(template: Resolver) -> Call:
    """Return the call that the schedule makes (Scheduler user guide, "Using universal targets")."""
    target = template.properties("QueueHeartbeatSchedule")["Target"]
    service, operation = target["Arn"].rpartition("aws-sdk:")[2].split(":")
    name = json.loads(target["Input"])["QueueUrl"].rsplit("/")[-1]
    action = f"{service}:{operation[0].upper()}{operation[1:]}"
    return Call(HEARTBEAT, action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", (TLS,))


def by_services(template: Resolver) -> Iterator[Call]:
    """Yield the calls of AWS's services that send in envelopes, from this account's resources.

    SNS and EventBridge name the topic and the rule (SNS developer guide, "Subscribing an Amazon SQS
    queue"; EventBridge user guide, "Using resource-based policies"), S3 the bucket's account as
    well (S3 user guide, "Granting permissions to publish event notification messages").
    """
    of = f"{REGION}:{ACCOUNT}"
    sources = {
        "TopicsSend": ("sns", ("aws:SourceArn", f"arn:aws:sns:{of}:orders")),
        "RulesSend": ("events", ("aws:SourceArn", f"arn:aws:events:{of}:rule/orders")),
        "BucketsSend": ("s3", ("aws:SourceAccount", ACCOUNT)),
    }
    for condition, (service, source) in sources.items():
        if template.condition(condition, ""):
            yield Call(f"{service}.amazonaws.com", "sqs:SendMessage", WORK_QUEUE, (TLS, source))


def calls(recorded: Recorded, template: Resolver) -> dict[str, set[Call]]:
    """Return, by policy, the calls that it has to allow."""
    sends = {from_request(PRODUCER, request) for request in recorded.producer}
    works = {
        from_request(WORKER, request, FROM_INSTANCE)
        for request in recorded.consumer
        if request.service != "dynamodb" or template.condition("Idempotent", "")
    }
    queue_calls = {call for call in sends | works if call.action.startswith("sqs:")}
    works |= {call for command in recorded.script if (call := from_command(command))}
    works |= {by_worker(LOGIN), *(by_worker(action, REPOSITORY) for action in PULL)}
    works |= {by_worker(action) for action in SESSION}
    works |= set(by_agent(template))
    if template.condition("OwnKey", ""):
        # SQS calls KMS with the permissions of the sender or receiver (SQS developer guide, "Key
        # management").
        sends |= {Call(PRODUCER, f"kms:{name}", KEY) for name in ("GenerateDataKey", "Decrypt")}
        works |= {by_worker(f"kms:{name}", KEY) for name in ("GenerateDataKey", "Decrypt")}
    samples = {
        "get_queue_attributes": Call(SIGNAL, "sqs:GetQueueAttributes", WORK_QUEUE, (TLS,)),
        "describe_auto_scaling_groups": Call(
            SIGNAL, "autoscaling:DescribeAutoScalingGroups", "*", (TLS,)
        ),
    }
    sampled = {method for _, method, _ in sample(visible=1, in_flight=0, desired=0).calls}
    from_here = ("aws:SourceAccount", ACCOUNT)
    return {
        "ProducerPolicy": sends,
        "ProducerRole": {Call(f"arn:aws:iam::{ACCOUNT}:root", "sts:AssumeRole", "*")},
        "WorkerRole": works | {Call("ec2.amazonaws.com", "sts:AssumeRole", "*")},
        "QueueHeartbeatRole": {
            Call("scheduler.amazonaws.com", "sts:AssumeRole", "*", (from_here,)),
            scheduled(template),
        },
        "SignalRole": {
            Call("lambda.amazonaws.com", "sts:AssumeRole", "*"),
            *(samples[method] for method in sampled),
            *(Call(SIGNAL, f"logs:{action}", SIGNAL_STREAM, (TLS,)) for action in WRITE_LOGS),
        },
        # Within one account the identity's policy is enough; the queue's policy names the users.
        "WorkQueuePolicy": {
            *(call for call in queue_calls if call.resource == WORK_QUEUE),
            *by_services(template),
        },
        "WorkDeadLetterQueuePolicy": {
            call for call in queue_calls if call.resource == DEAD_LETTERS
        },
        "PeopleTopicPolicy": {
            Call("cloudwatch.amazonaws.com", "sns:Publish", TOPIC, (TLS, from_here))
            for alarm in template.present("AWS::CloudWatch::Alarm")
            if TOPIC in template.properties(alarm)["AlarmActions"]
        },
    }
