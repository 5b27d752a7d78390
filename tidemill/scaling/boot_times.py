"""Boot times of an instance: seconds from its launch to its first work."""

from __future__ import annotations

from typing import Final

LAUNCH_SECONDS: Final = 20.0
"""From launch to running: 16 to 18 s, plus 3 to 5 s for RunInstances, were measured on Amazon
Linux 2023 (brevdev/ec2-coldboot-research, January 2026); AWS publishes no number."""

USER_DATA_SECONDS: Final = 40.0
"""From running to a started consumer: booting, pulling the image, `docker run`; our estimate."""

RESTART_SECONDS: Final = 10.0
"""From running to a started consumer, for a stopped instance of a warm pool: it has the image
already; our estimate. Its time until running is that of a new instance (measured: 21 s, same
source)."""
