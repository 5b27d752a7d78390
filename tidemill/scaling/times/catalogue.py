"""Times of AWS that no template sets: name, span, distribution, grade and source of each.

Simulator, rig and the documents take them from here; `tidemill verify` measures them, and a file of
measured times replaces them (tidemill.scaling.times.calibration).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from tidemill.scaling.times.distributions import (
    Constant,
    Distribution,
    Samples,
    Triangular,
    Uniform,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Grade(StrEnum):
    """How well a time is known, the best first."""

    PUBLISHED = "published"
    """AWS's documents say it."""
    TEMPLATE = "in the script"
    """The template's own script sets it."""
    FINE = "measured finely"
    """Somebody measured it, to a second or better; by whom and on what, the source says."""
    POLLED = "polled"
    """Somebody measured it with a tool that looked every some seconds, so it may be shorter."""
    GUESSED = "guessed"


UNCERTAIN: Final = (Grade.POLLED, Grade.GUESSED)
"""The grades of times whose effect on the results has to be looked at."""


@dataclass(frozen=True, slots=True)
class Time:
    """A time of AWS.

    Attributes:
        span: what it lasts from and to, as `from -> to`.
        distribution: its seconds.
        grade: how well it is known.
        source: title and date of what it rests on, and what is derived from that.
    """

    span: str
    distribution: Distribution
    grade: Grade
    source: str

    @property
    def mean(self) -> float:
        """Return the mean in seconds."""
        return self.distribution.mean


@dataclass(frozen=True, slots=True)
class Times:
    """All times, in the order in which a message that starts a fleet meets them.

    After the group's `reaction`, an instance boots in stages that follow one another:
    `launch_request`, `pending`, `os_boot`, `installs`, `image_pull`, `consumer_start`. A stopped
    instance of a warm pool has `restart` instead of the last four.
    """

    alarm_lag: Time = Time(
        "end of a minute -> the alarm sees its datapoint",
        Constant(6.0),
        Grade.GUESSED,
        'CloudWatch User Guide, "Alarm notifications": its one example was evaluated 6 s after '
        "the period's end. AWS publishes nothing about the delay of SQS's metrics",
    )
    wake_up: Time = Time(
        "first use of an inactive queue -> its first datapoint",
        Constant(900.0),
        Grade.PUBLISHED,
        'SQS Developer Guide, "Monitoring Amazon SQS queues using CloudWatch": up to 15 minutes; '
        "here always the longest",
    )
    reaction: Time = Time(
        "an alarm's action -> start of the launch or termination",
        Samples((6.0, 9.0, 10.0, 21.0)),
        Grade.FINE,
        "texts of scaling activities, which give both moments to the second: Home Assistant AWS "
        "notifications (December 2024), nucleus-scale-sentinel (August 2026), EKS Workshop "
        '(October 2024), EventBridge examples of the EC2 Auto Scaling User Guide ("Amazon EC2 '
        'Auto Scaling events", 2017)',
    )
    launch_request: Time = Time(
        "start of the launch -> LaunchTime of the instance",
        Triangular(1.0, 1.5, 5.0),
        Grade.FINE,
        "RunInstances took 1.5 s (daemonology.net, EC2 boot time benchmarking, August 2021), "
        "3.7 to 5.0 s with the command line's own start (brevdev/ec2-coldboot-research, January "
        "2026)",
    )
    pending: Time = Time(
        "LaunchTime -> state running, from which EC2 bills",
        Triangular(3.0, 5.0, 9.0),
        Grade.FINE,
        "4.9 s, asked for often (daemonology.net, August 2021; its tool looks every 10 ms). "
        "16.4 to 17.9 s in brevdev/ec2-coldboot-research (January 2026) come from `aws ec2 wait`, "
        "which looks every 15 s. The width is assumed",
    )
    os_boot: Time = Time(
        "state running -> start of the user data",
        Triangular(9.0, 14.0, 24.0),
        Grade.FINE,
        "kernel's start 10 to 16 s after the instance's LaunchTime "
        "(awslabs/node-latency-for-k8s and karpenter-provider-aws issues 3102 and 3827, 2022 and "
        "2023), less 5 s until running, plus 5 to 13 s until cloud-init's final stage (boot logs "
        "of eight Amazon Linux 2023 instances, 2023 to 2026; a ninth took 33 s)",
    )
    installs: Time = Time(
        "start of the user data -> what a pull needs is installed",
        Triangular(13.0, 18.0, 28.0),
        Grade.GUESSED,
        "boot logs of three Amazon Linux 2023 instances (January and May 2026): `dnf` took 14 to "
        "21 s for the repository's metadata, and 4 s more for 13 small packages. The user data "
        "installs one, the ECR credential helper; an image of your own needs none",
    )
    image_pull: Time = Time(
        "what a pull needs is installed -> container created",
        Triangular(3.0, 6.0, 20.0),
        Grade.GUESSED,
        "less than 5 s for three small images within a region (awslabs/amazon-eks-ami pull "
        'request 938, June 2022); 10 to 20 s for larger ones (ECS Developer Guide, "Container '
        'image pull behavior"); plus credentials, and the start of Docker',
    )
    consumer_start: Time = Time(
        "container created -> first receive",
        Triangular(0.2, 0.4, 1.5),
        Grade.FINE,
        "0.2 s for the process and its first request (`python -m benchmarks.first_receive`, on two "
        "cores of a shared machine, November 2026). That a t4g.small takes longer is assumed",
    )
    restart: Time = Time(
        "state running -> first receive, for a stopped instance of a warm pool",
        Triangular(6.0, 10.0, 20.0),
        Grade.GUESSED,
        "the boot logs of `os_boot`, without a first boot's work; the image is there already",
    )
    startup_watch: Time = Time(
        "container created -> first look for a termination",
        Constant(10.0),
        Grade.TEMPLATE,
        "`sleep 10` in the user data",
    )
    notice: Time = Time(
        "order to terminate, or Spot notice -> the instance has noticed",
        Uniform(0.0, 5.0),
        Grade.TEMPLATE,
        "the user data looks every 5 s",
    )
    request: Time = Time(
        "a receive that returns messages, with the delete that follows",
        Constant(0.05),
        Grade.PUBLISHED,
        'Amazon SQS FAQs, "What is the typical latency": tens or low hundreds of milliseconds a '
        "request; here 25 ms for each of the two",
    )
    flush: Time = Time(
        "consumer's last message -> hook completed",
        Triangular(0.5, 1.5, 4.0),
        Grade.GUESSED,
        "logs, `docker stop` and one call of the AWS CLI, none of them measured on EC2",
    )
    terminate: Time = Time(
        "request to terminate -> state terminated",
        Triangular(20.0, 60.0, 75.0),
        Grade.POLLED,
        "about a minute for a c5.large (hashicorp/packer-plugin-amazon issue 682, June 2026). "
        'Nothing is billed after the request ("Amazon EC2 instance state changes")',
    )
    spot_warning: Time = Time(
        "Spot notice -> end of the instance",
        Constant(120.0),
        Grade.PUBLISHED,
        'EC2 User Guide, "Spot Instance interruption notices"',
    )
    billed_at_least: Time = Time(
        "shortest time that is billed for an instance",
        Constant(60.0),
        Grade.PUBLISHED,
        "Amazon EC2 On-Demand pricing: by the second, 60 s at least",
    )

    def named(self) -> Iterator[tuple[str, Time]]:
        """Yield every time with its name, in order."""
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    def scaled(self, name: str, factor: float) -> Times:
        """Return all times, the named one multiplied by a factor."""
        time: Time = getattr(self, name)
        return replace(self, **{name: replace(time, distribution=time.distribution.scaled(factor))})

    def until_running(self) -> tuple[Time, ...]:
        """Return the stages of a boot from the start of the launch to a running instance."""
        return self.launch_request, self.pending

    def until_work(self) -> tuple[Time, ...]:
        """Return the stages of a first boot from the running instance to its first receive."""
        return self.os_boot, self.installs, self.image_pull, self.consumer_start

    def boot(self) -> float:
        """Return the mean seconds of a first boot."""
        return mean_of((*self.until_running(), *self.until_work()))

    def with_boot(self, seconds: float, running: float | None = None) -> Times:
        """Return all times, with boots that take exactly these seconds.

        Args:
            seconds: from the start of the launch to the first receive.
            running: from there to a running instance, None for the mean. It is at most `seconds`.
                Example: with 20, a boot of 60 runs after 20 s and works 40 s later; a boot of 10
                does both after 10 s.
        """
        usual = mean_of(self.until_running()) if running is None else running
        running = min(usual, seconds)
        stages = {"pending": running, "os_boot": seconds - running}
        nothing = ("launch_request", "installs", "image_pull", "consumer_start")
        exact = dict.fromkeys(nothing, 0.0) | stages
        exact["restart"] = min(self.restart.mean, seconds - running)
        return self.exactly(exact)

    def exactly(self, seconds: dict[str, float]) -> Times:
        """Return all times, those of these names with constant seconds."""
        return replace(
            self,
            **{
                name: replace(getattr(self, name), distribution=Constant(value))
                for name, value in seconds.items()
            },
        )


def mean_of(stages: tuple[Time, ...]) -> float:
    """Return the mean seconds of stages that follow one another."""
    return sum(stage.mean for stage in stages)


def least_of(stages: tuple[Time, ...]) -> float:
    """Return the fewest seconds of stages that follow one another."""
    return sum(stage.distribution.least for stage in stages)


USUAL: Final = Times()
NAMES: Final = tuple(name for name, _ in USUAL.named())
