"""Every time of AWS's that no template says, by name, with its default and where that is from."""

from __future__ import annotations

from dataclasses import dataclass

from shared.quotas import DEFAULT_RETENTION
from tidemill.scaling.boot_times import LAUNCH_SECONDS, RESTART_SECONDS, USER_DATA_SECONDS
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds, but for the rates and shares that say otherwise.

    Attributes:
        launch: from the order to a running instance. Measured; see tidemill.scaling.boot_times.
        user_data: from running to a started consumer: booting, pulling the image, `docker run`.
            Assumed; see there.
        restart: from running to a started consumer where a stopped instance of a warm pool is
            started again: the image is there already. Assumed; see there.
        spread: how far launch and user_data may be off either way, as a share, evenly spread.
            Measured for launch and boot together: 22.6 to 25.8 s; rounded up for image pulls.
        settle: how long the user data watches a new consumer before it looks out for the end.
            From the template's script, which sleeps this long.
        notice: the longest time until an instance sees that it has to go; evenly spread from 0.
            From the template's script, which looks every 5 s.
        flush: from the consumer's last message to the completed hook: flushing logs, `docker
            stop`, one API call. Assumed.
        terminate: from the order to terminate to an instance that is gone. Assumed; bills end at
            the order ("Amazon EC2 instance state changes": stopping and shutting down are free).
        request: one receive, with the delete that follows it. Assumed.
        retention: how long a queue keeps a message. Published: SQS's default is 4 days; the
            template says the same.
        spot_warning: from the notice of an interruption to the end. Published: two minutes ("Spot
            Instance interruption notices").
        spot_per_hour: interruptions of one instance in an hour. Assumed: none; AWS publishes
            ranges a month for each instance type (Spot Instance advisor).
        billed_at_least: Published: 60 s for Linux (EC2 On-Demand pricing).
    """

    launch: float = LAUNCH_SECONDS
    user_data: float = USER_DATA_SECONDS
    restart: float = RESTART_SECONDS
    spread: float = 0.15
    settle: float = 10.0
    notice: float = 5.0
    flush: float = 1.0
    terminate: float = 30.0
    request: float = 0.05
    retention: float = float(DEFAULT_RETENTION)
    spot_warning: float = SPOT_NOTICE_SECONDS
    spot_per_hour: float = 0.0
    billed_at_least: float = 60.0
