"""All targets of the fuzzer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from support.fuzz import inputs, messages, pages, servers, sqs_answers, templates

if TYPE_CHECKING:
    from support.fuzz.target import Target

TARGETS: Final[tuple[Target, ...]] = (
    *messages.TARGETS,
    *inputs.TARGETS,
    *templates.TARGETS,
    *pages.TARGETS,
    *servers.TARGETS,
    *sqs_answers.TARGETS,
)
