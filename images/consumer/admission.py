"""Admission: which messages are received and handled, besides the question of room."""

from __future__ import annotations

import socket
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from consumer.groups.message_groups import MessageGroups
from consumer.idempotency.claims import Claims, ClaimTerms
from consumer.idempotency.key import IdempotencyKey
from consumer.idempotency.no_claims import NoClaims
from consumer.retry import whole_seconds
from shared.queue_names import is_fifo

if TYPE_CHECKING:
    from consumer.ports import Ports
    from consumer.settings import Settings

AnyClaims: TypeAlias = Claims | NoClaims


@dataclass(frozen=True, slots=True)
class Admission:
    """The claims of messages that may be handled, and the order of their groups."""

    claims: AnyClaims
    groups: MessageGroups


def build_admission(settings: Settings, ports: Ports, queue_name: str) -> Admission:
    """Build what these settings ask for.

    Raises:
        TableError: the table of claims cannot be used, or does not answer.
    """
    fifo = is_fifo(queue_name)
    groups = MessageGroups(ports.clock, fifo=fifo, poll_wait=settings.rhythm.poll_wait)
    if not settings.idempotency_table:
        return Admission(NoClaims(fifo=fifo), groups)
    # Only who needs DynamoDB waits until its client is imported.
    from consumer.idempotency.dynamodb import connect  # noqa: PLC0415

    terms = ClaimTerms(
        owner=f"{settings.instance_id}/{socket.gethostname()}/{uuid.uuid4()}",
        lease=settings.visibility,
        keep=settings.idempotency_seconds,
        outage_delay=whole_seconds(settings.retry_delay),
        fifo=fifo,
    )
    key = IdempotencyKey(settings.idempotency_key, queue_name)
    table = connect(settings.idempotency_table)
    return Admission(Claims(table, key, terms, ports.clock, ports.threads), groups)
