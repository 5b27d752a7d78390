"""The producer's options, checked as a whole before a run touches anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from producer.arrivals import Pattern
from producer.messages.attributes import MOST, read_option
from producer.messages.input_messages import CsvTypes, Format
from producer.messages.line_reader import STDIN
from producer.messages.template_text import TemplateText
from shared.errors import SettingsError
from shared.queue_names import is_fifo, is_queue_url, without_login

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PERIOD: Final = 60.0
"""Default period of bursts and ramps, in seconds: SQS publishes its metrics every minute."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's options, one field each; None means not given."""

    count: int | None = None
    file: str | None = None
    queue_url: str | None = None
    queue_name: str | None = None
    rate: float | None = None
    pattern: Pattern | None = None
    period: float | None = None
    in_flight: int = 8
    attempts: int = 8
    poison: int = 0
    seed: int | None = None
    skip_invalid: bool = False
    sent_log: Path | None = None
    dry_run: bool = False
    json: bool = False
    format: Format = Format.AUTO
    csv_types: CsvTypes = CsvTypes.TEXT
    schema: str | None = None
    attributes: tuple[str, ...] = ()
    attribute_columns: tuple[str, ...] = ()
    with_attributes: bool = False
    group_id: str | None = None
    deduplication_id: str | None = None
    resume: Path | None = None

    @property
    def fifo(self) -> bool:
        """Return whether the queue is a FIFO one, which its name ends with."""
        return is_fifo(self.queue_url or self.queue_name or "")

    @property
    def total(self) -> int | None:
        """Return how many messages there will be, None if only the input's end shows it."""
        return None if self.count is None else self.count + self.poison

    @property
    def shape(self) -> Pattern:
        """Return the pattern to follow."""
        return self.pattern or Pattern.CONSTANT

    def seconds_of_period(self, rate: float) -> float:
        """Return the pattern's period; a ramp rises once in a run whose length is known."""
        if self.period is not None:
            return self.period
        return self.total / rate if self.shape is Pattern.RAMP and self.total else PERIOD

    def check(self) -> None:
        """Raise SettingsError with every option that is wrong or conflicts with another."""
        if problems := [*self._problems()]:
            raise SettingsError(problems)

    def _problems(self) -> Iterator[str]:
        if self.count is None and self.file is None:
            yield "nothing to send: give --count N, or --file FILE ('-' reads standard input)"
        if self.count is not None and self.file is not None:
            yield "--count and --file exclude each other: give one of them"
        if self.queue_url and self.queue_name:
            yield "--queue-url and --queue-name exclude each other: give one of them"
        if not (self.queue_url or self.queue_name or self.dry_run):
            yield (
                "no queue: give --queue-url or --queue-name, set QUEUE_URL or QUEUE_NAME, "
                "or try --dry-run"
            )
        if self.queue_url and not is_queue_url(self.queue_url):
            yield (
                f"{without_login(self.queue_url)!r} is not a queue URL: give one like "
                "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
            )
        yield from self._problems_of_timing()
        yield from self._problems_of_surroundings()
        if self.file is None:
            yield from self._problems_without_file()
        elif self.resume:
            yield from self._problems_of_resuming()
        if self.dry_run and self.json:
            yield "--json and --dry-run both print to standard output: give one of them"
        if self.dry_run and self.sent_log:
            yield "--sent-log stays empty in a --dry-run: give one of them"

    def _problems_of_surroundings(self) -> Iterator[str]:
        names = set()
        for given in self.attributes:
            try:
                names.add(read_option(given)[0])
            except ValueError as error:
                yield f"--attribute {given}: {error}"
        if len(names | set(self.attribute_columns)) > MOST:
            yield f"SQS accepts {MOST} attributes of a message at most"
        for option, template in (
            ("--group-id", self.group_id),
            ("--deduplication-id", self.deduplication_id),
        ):
            try:
                if template is not None:
                    TemplateText(template)
            except ValueError as error:
                yield f"{option} {template}: {error}"
        if self.fifo and self.group_id is None and not self.with_attributes:
            field = "{vehicleId}" if self.file is None else "{customer}"
            yield (
                "a FIFO queue needs a group for each message: name one of their fields, such as "
                f"--group-id '{field}'"
            )
        if self.deduplication_id is not None and not (self.fifo or self.dry_run):
            yield "--deduplication-id is for FIFO queues, whose names end in .fifo"

    def _problems_without_file(self) -> Iterator[str]:
        for option, given in (
            ("--format", self.format is not Format.AUTO),
            ("--csv-types", self.csv_types is not CsvTypes.TEXT),
            ("--schema", self.schema is not None),
            ("--attribute-column", self.attribute_columns),
            ("--with-attributes", self.with_attributes),
            ("--resume", self.resume),
        ):
            if given:
                yield f"{option} is about a file: give --file as well"

    def _problems_of_resuming(self) -> Iterator[str]:
        if self.file == STDIN:
            yield "--resume needs a file: standard input cannot be read a second time"
        if self.poison:
            yield "--resume and --poison exclude each other: poison has no line to remember"
        if self.dry_run:
            yield "--resume and --dry-run exclude each other: a dry run sends nothing"

    def _problems_of_timing(self) -> Iterator[str]:
        if self.rate is not None and not 0 < self.rate < math.inf:
            yield f"--rate {self.rate:g}: give a number of messages per second above 0"
        if self.rate is None and (self.pattern or self.period is not None):
            yield "--pattern and --period shape a rate: give --rate as well"
        if self.period is not None:
            if not 0 < self.period < math.inf:
                yield f"--period {self.period:g}: give a number of seconds above 0"
            if self.rate is not None and self.shape not in {Pattern.BURST, Pattern.RAMP}:
                yield f"--period has no meaning for --pattern {self.shape}: only for burst and ramp"


def queue_from(
    url: str | None, name: str | None, environment: Mapping[str, str]
) -> tuple[str | None, str | None]:
    """Return the queue's URL and name as given, else from QUEUE_URL, else from QUEUE_NAME.

    The command line overrides the environment as a whole: a name given there overrides a URL in the
    environment. Empty counts as not given.
    """
    if url or name:
        return url, name
    if found := environment.get("QUEUE_URL", "").strip():
        return found, None
    return None, environment.get("QUEUE_NAME", "").strip() or None
