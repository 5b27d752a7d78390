"""Times of AWS that are not in a template: their names, defaults, and sources of the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from shared.quotas import DEFAULT_RETENTION
from tidemill.scaling.boot_times import LAUNCH_SECONDS, RESTART_SECONDS, USER_DATA_SECONDS
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS


@dataclass(frozen=True, slots=True)
class Times:
    """Times in seconds, a share and a rate.

    Attributes:
        launch: from the launch request to a running instance. Measured; see
            tidemill.scaling.boot_times.
        user_data: from running to a started consumer: boot, image pull, `docker run`. Assumed;
            see tidemill.scaling.boot_times.
        restart: from running to a started consumer for a stopped instance of a warm pool, which
            has the image already. Assumed; see tidemill.scaling.boot_times.
        spread: the largest deviation of launch and user_data, as a share; all values up to it are
            equally likely. With 0.15, 40 s become 34 to 46 s. Measured for launch and boot
            together: 22.6 to 25.8 s; rounded up for image pulls.
        startup_watch: how long the user data watches a new consumer before it checks whether the
            instance is to be terminated. From the template's script, which sleeps this long.
        notice: the longest time until an instance notices that it is to be terminated; all times
            from 0 are equally likely. From the template's script, which checks every 5 s.
        flush: from the consumer's last message to the completed hook: flushing logs, `docker
            stop`, one API call. Assumed.
        terminate: from the terminate request to a terminated instance. Assumed. Bills end at the
            request ("Amazon EC2 instance state changes": stopping and shutting down are free).
        request: one receive, with the delete that follows it. Assumed.
        retention: how long a queue keeps a message. Published: SQS's default is 4 days, which is
            also the template's.
        spot_warning: from the notice of a Spot interruption to the end of the instance. Published:
            two minutes ("Spot Instance interruption notices").
        spot_per_hour: random Spot interruptions of one instance in an hour. Assumed: none; AWS
            publishes ranges per month for each instance type (Spot Instance advisor).
        billed_at_least: Published: 60 s for Linux (EC2 On-Demand pricing).
    """

    launch: float = LAUNCH_SECONDS
    user_data: float = USER_DATA_SECONDS
    restart: float = RESTART_SECONDS
    spread: float = 0.15
    startup_watch: float = 10.0
    notice: float = 5.0
    flush: float = 1.0
    terminate: float = 30.0
    request: float = 0.05
    retention: float = float(DEFAULT_RETENTION)
    spot_warning: float = SPOT_NOTICE_SECONDS
    spot_per_hour: float = 0.0
    billed_at_least: float = 60.0
