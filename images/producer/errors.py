"""What can go wrong in the producer itself; what the queue answers is in `shared.errors`."""

from __future__ import annotations

from shared.errors import WorkloadError


class ProducerError(WorkloadError):
    """Root of the producer's own errors; its text is one line for people."""


class UsageError(ProducerError):
    """The options cannot be followed as given: exit with code 2."""


class InputError(ProducerError):
    """The input broke off while it was being read."""


class SentLogError(ProducerError):
    """What was sent can no longer be written down: sending on would make the log incomplete."""
