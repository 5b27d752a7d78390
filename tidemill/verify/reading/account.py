"""Checks of what surrounds the stack: quota, image, and the address that gets notifications."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import compared, held, unobserved
from tidemill.verify.ports import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

ON_DEMAND, SPOT = "L-1216C47A", "L-34B43A08"
"""Codes of the quotas "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" and "All
Standard (...) Spot Instance Requests", in vCPUs (Service Quotas; AWS CLI's example of
get-service-quota, EC2 User Guide, "Spot Instance quotas")."""

STANDARD = re.compile("(?!hpc|inf|mac|trn|dl)[acdhimrtz]")
"""The beginning of instance types that share the quotas above: those families, and none of the
accelerated ones, of high-performance computing and Mac, which have quotas of their own."""

ALL = 100
"""Percent."""

PENDING = "PendingConfirmation"
"""What SNS returns in place of an ARN until the address has confirmed (API reference,
ListSubscriptionsByTopic; Subscribe says "pending confirmation")."""


def _types(target: Target) -> list[str]:
    return [name for name in (target.parameter("InstanceTypes") or "").split(",") if name]


def _shares(target: Target) -> dict[str, float]:
    """Return the share of the fleet that each quota has to hold."""
    on_demand = float(target.parameter("OnDemandPercentage") or ALL) / ALL
    shares = {ON_DEMAND: on_demand, SPOT: 1 - on_demand}
    return {code: share for code, share in shares.items() if share > 0}


def _observe_quota(bench: Bench) -> None:
    for code in _shares(bench.target):
        answer = bench.ask("servicequotas:GetServiceQuota", ServiceCode="ec2", QuotaCode=code)
        if answer is not None:
            bench.note(code, answer["Quota"]["Value"])
    answer = bench.ask("ec2:DescribeInstanceTypes", InstanceTypes=_types(bench.target))
    if answer is not None:
        sizes = {
            one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for one in answer["InstanceTypes"]
        }
        bench.note("vcpus", sizes)


def _judge_quota(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    size = max(seen.get("vcpus", {}).values(), default=None)
    foreign = [name for name in _types(target) if not STANDARD.match(name)]
    for code, share in _shares(target).items():
        kind = "On-Demand" if code == ON_DEMAND else "Spot"
        what = f"vCPU quota for {kind} instances ({code})"
        if foreign:
            yield unobserved(what, "enough", f"{', '.join(foreign)} have a quota of their own")
        elif size is None or code not in seen:
            yield unobserved(what, "enough for the largest fleet", why_missing(seen))
        else:
            most = target.fleet.group.max_size
            needed = -(-most * share // 1) * size
            yield held(
                what,
                f"{needed:g} or more: {most} instances of {size} vCPUs, {share:.0%} of them {kind}",
                f"{seen[code]:g}",
                holds=seen[code] >= needed,
            )


QUOTA = Check(
    name="quota",
    question="Does the account's quota allow MaxInstances instances?",
    observation=Observation(
        name="quota",
        does="reads the vCPU quotas, and the vCPUs of the instance types",
        level=Level.READ,
        calls=("servicequotas:GetServiceQuota", "ec2:DescribeInstanceTypes"),
        use=lambda _target: Use(),
        observe=_observe_quota,
    ),
    judge=_judge_quota,
    remedy="Ask for a larger quota (Service Quotas console, Amazon EC2), or lower MaxInstances: "
    "launches beyond it fail with VcpuLimitExceeded.",
)


def _observe_people(bench: Bench) -> None:
    topics = bench.target.physical_of("AWS::SNS::Topic")
    for topic in topics.values():
        answer = bench.ask("sns:ListSubscriptionsByTopic", TopicArn=topic)
        if answer is not None:
            bench.note(
                "subscriptions",
                {one["Endpoint"]: one["SubscriptionArn"] for one in answer["Subscriptions"]},
            )


def _judge_people(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    address = target.parameter("NotificationEmail") or ""
    what = "address that gets notifications"
    if not address:
        note = "NotificationEmail is empty, so the alarms for people reach nobody"
        yield unobserved(what, "none", note)
    elif "subscriptions" not in seen:
        yield unobserved(what, f"{address}, confirmed", why_missing(seen))
    else:
        arn = seen["subscriptions"].get(address)
        state = "not subscribed" if arn is None else "confirmed"
        state = "not confirmed" if arn == PENDING else state
        yield compared(what, f"{address}, confirmed", f"{address}, {state}")


PEOPLE = Check(
    name="people",
    question="Has the address for notifications confirmed its subscription?",
    observation=Observation(
        name="people",
        does="reads the subscriptions of the stack's topic",
        level=Level.READ,
        calls=("sns:ListSubscriptionsByTopic",),
        use=lambda _target: Use(),
        observe=_observe_people,
    ),
    judge=_judge_people,
    remedy="Open the link in the e-mail from AWS Notifications; look for it in spam, too.",
)


def _observe_image(bench: Bench) -> None:
    target = bench.target
    tag = target.parameter("ImageTag")
    repository = target.physical_of("AWS::ECR::Repository").get("ConsumerRepository")
    if tag is None or repository is None:
        return
    try:
        answer = bench.call(
            "ecr:DescribeImages", repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
    except RefusedError as error:
        if error.code != "ImageNotFoundException":
            raise
        answer = {"imageDetails": []}
    bench.note("images", len(answer["imageDetails"]))


def _judge_image(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    tag = target.parameter("ImageTag")
    what = f"image {tag} in the stack's repository"
    if "images" not in seen:
        yield unobserved(what, "there", why_missing(seen))
    else:
        yield compared(what, "there", "there" if seen["images"] else "not there")


IMAGE = Check(
    name="image",
    question="Is the consumer's image where the instances look for it?",
    observation=Observation(
        name="image",
        does="looks for the tag in ImageTag in the consumer's repository",
        level=Level.READ,
        calls=("ecr:DescribeImages",),
        use=lambda _target: Use(),
        observe=_observe_image,
    ),
    judge=_judge_image,
    remedy="Run `make push` and then `make deploy`, which sets ImageTag.",
)
