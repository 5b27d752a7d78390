"""Errors of the producer itself; those of the queue are in `shared.errors`."""

from __future__ import annotations

from shared.errors import WorkloadError


class ProducerError(WorkloadError):
    """Root of the producer's own errors; its text is one line for people."""


class UsageError(ProducerError):
    """Options that cannot be followed: exit with code 2."""


class InputError(ProducerError):
    """The rest of the input cannot be read."""


class RecordError(ProducerError):
    """A record of the run cannot be written: sending more would leave it incomplete."""


class SentLogError(RecordError):
    """The sent log cannot be written."""


class JournalError(RecordError):
    """The journal cannot be written."""
