"""Limits of the IAM policies: calls that a policy must not allow are denied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest
from support.aws_rules.iam import Call, Decision, decide
from support.builders.fleets import product_template
from support.emulators.ministack import REGION
from support.stack.calls import (
    ACCOUNT,
    DEAD_LETTERS,
    FROM_INSTANCE,
    GROUP,
    PRODUCER,
    SHOP,
    SOMEBODY,
    TABLE,
    TLS,
    TOPIC,
    WITH_ALL,
    WORK_QUEUE,
    WORKER,
    by_worker,
    calls,
    log_stream,
)
from support.stack.policies import policies

from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from support.stack.calls import Recorded

ENDPOINTS: Final = {
    "autoscaling": {"autoscaling"},
    "cloudwatch": {"monitoring"},
    "dynamodb": {"dynamodb"},
    "ec2": {"ec2"},
    "ecr": {"ecr.api", "ecr.dkr", "s3"},  # image layers come from S3
    "kms": set[str](),  # SQS calls it, on a worker's behalf
    "logs": {"logs"},
    "sqs": {"sqs"},
    "ssm": {"ssm"},
    "ssmmessages": {"ssmmessages"},
}
"""VPC endpoints of a service, by the service's name in policies."""


@pytest.mark.parametrize(
    ("policy", "call"),
    [
        pytest.param(
            "WorkQueuePolicy",
            Call(SOMEBODY, "sqs:SendMessage", WORK_QUEUE, (TLS,)),
            id="others-send",
        ),
        pytest.param(
            "WorkQueuePolicy",
            Call(PRODUCER, "sqs:ReceiveMessage", WORK_QUEUE, (TLS,)),
            id="producer-receives",
        ),
        pytest.param(
            "WorkQueuePolicy",
            Call(WORKER, "sqs:SendMessage", WORK_QUEUE, (TLS,)),
            id="worker-sends",
        ),
        pytest.param(
            "ProducerPolicy",
            Call(PRODUCER, "sqs:SendMessage", DEAD_LETTERS, (TLS,)),
            id="producer-sends-elsewhere",
        ),
        pytest.param(
            "ProducerPolicy",
            Call(PRODUCER, "sqs:PurgeQueue", WORK_QUEUE, (TLS,)),
            id="producer-purges",
        ),
        pytest.param(
            "WorkQueuePolicy",
            Call(
                "sns.amazonaws.com",
                "sqs:SendMessage",
                WORK_QUEUE,
                (TLS, ("aws:SourceArn", f"arn:aws:sns:{REGION}:999999999999:orders")),
            ),
            id="topic-of-another-account",
        ),
        pytest.param(
            "WorkDeadLetterQueuePolicy",
            Call(PRODUCER, "sqs:SendMessage", DEAD_LETTERS, (TLS,)),
            id="producer-rejects",
        ),
        pytest.param("WorkerRole", by_worker("dynamodb:Scan", TABLE), id="worker-reads-the-table"),
        pytest.param(
            "WorkerRole", by_worker("dynamodb:PutItem", f"{TABLE}-else"), id="worker-another-table"
        ),
        pytest.param(
            "WorkerRole",
            by_worker("sqs:ReceiveMessage", DEAD_LETTERS),
            id="worker-receives-elsewhere",
        ),
        pytest.param(
            "WorkerRole",
            by_worker("logs:PutLogEvents", log_stream("/tidemill/shop/signal", "s")),
            id="worker-logs-elsewhere",
        ),
        pytest.param(
            "WorkerRole",
            by_worker("autoscaling:CompleteLifecycleAction", f"{GROUP}/shop-workers-2"),
            id="another-group",
        ),
        pytest.param(
            "WorkerRole",
            by_worker("autoscaling:CompleteLifecycleAction", f"{GROUP}/a-shop-workers"),
            id="yet-another-group",
        ),
        pytest.param(
            "WorkerRole",
            by_worker("cloudwatch:PutMetricData", "*", ("cloudwatch:namespace", "AWS/SQS")),
            id="forged-metrics",
        ),
        pytest.param(
            "WorkerRole", by_worker("cloudwatch:PutMetricData"), id="metrics-of-no-namespace"
        ),
        pytest.param(
            "WorkerRole",
            by_worker("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/secret"),
            id="another-parameter",
        ),
        pytest.param(
            "WorkerRole",
            Call(WORKER, "ecr:GetAuthorizationToken", "*", (TLS,)),
            id="login-from-elsewhere",
        ),
        pytest.param(
            "WorkerRole",
            Call(
                WORKER,
                "ssmmessages:OpenDataChannel",
                "*",
                (TLS, (FROM_INSTANCE[0], FROM_INSTANCE[1].replace(ACCOUNT, "444455556666"))),
            ),
            id="session-from-another-account",
        ),
        pytest.param(
            "WorkerRole",
            Call("lambda.amazonaws.com", "sts:AssumeRole", "*"),
            id="another-service",
        ),
        pytest.param(
            "ProducerRole",
            Call("arn:aws:iam::444455556666:root", "sts:AssumeRole", "*"),
            id="another-account",
        ),
        pytest.param(
            "PeopleTopicPolicy",
            Call(
                "cloudwatch.amazonaws.com",
                "sns:Publish",
                TOPIC,
                (TLS, ("aws:SourceAccount", "444455556666")),
            ),
            id="alarms-of-another-account",
        ),
    ],
)
def test_it_is_not_allowed(policy: str, call: Call) -> None:
    """The call is allowed neither by name, nor by pattern, nor without the condition."""
    statements = policies(Resolver(product_template(), WITH_ALL, SHOP))[policy]
    assert decide(statements, call) is Decision.NOT_ALLOWED


@pytest.mark.parametrize("resource", [WORK_QUEUE, DEAD_LETTERS, TOPIC])
def test_nothing_is_allowed_without_tls(recorded: Recorded, resource: str) -> None:
    """A denial overrides every permission, for every caller."""
    template = Resolver(product_template(), WITH_ALL, SHOP)
    every = [each for all_of in policies(template).values() for each in all_of]
    tried = {call for all_of in calls(recorded, template).values() for call in all_of}
    tried = {call for call in tried if call.resource == resource}
    action = "sns:Publish" if resource == TOPIC else "sqs:ReceiveMessage"
    tried |= {Call(SOMEBODY, action, resource, (TLS,))}
    for call in tried:
        context = tuple(pair for pair in call.context if pair != TLS)
        in_clear = replace(call, context=(*context, ("aws:SecureTransport", "false")))
        assert decide(every, in_clear) is Decision.DENIED
        assert decide(every, call) is not Decision.DENIED


def test_a_private_network_has_a_way_to_every_service_that_is_called(
    recorded: Recorded,
) -> None:
    """No endpoint leads to a service that is not called."""
    template = Resolver(product_template(), {**WITH_ALL, "Network": "private"}, SHOP)
    called = {call.action.partition(":")[0] for call in calls(recorded, template)["WorkerRole"]}
    services = called - {"sts"}  # EC2 assumes the role, not the instance
    ways = {
        template.properties(name)["ServiceName"].removeprefix(f"com.amazonaws.{REGION}.")
        for name in template.present("AWS::EC2::VPCEndpoint")
    }
    assert ways == set[str]().union(*(ENDPOINTS[service] for service in services))
