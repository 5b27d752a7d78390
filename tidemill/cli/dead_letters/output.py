"""Dead letters as text for people; what senders wrote cannot command the terminal."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from tidemill.dead_letters.letter import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.cli.dead_letters.session import Found
    from tidemill.dead_letters.history import Histories
    from tidemill.dead_letters.letter import Letter
    from tidemill.dead_letters.place import Counts

BODY: Final = 100
"""Characters of a body in a list."""

REASON: Final = 200
REASONS: Final = 20
"""Characters of a reason, and reasons, in a list."""


def plain(text: str, limit: int | None = None) -> str:
    """Return a text in which everything is a visible character; cut to a length."""
    short = text if limit is None or len(text) <= limit else text[:limit] + "..."
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in short
    )


def age(seconds: float) -> str:
    """Return an age in its largest unit: 42s, 5m, 3h, 2d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def counted(count: int) -> str:
    """Return a number of dead letters in words."""
    return "1 dead letter" if count == 1 else f"{count} dead letters"


def list_lines(found: Found, counts: Counts, name: str, now: float) -> Iterator[str]:
    """Yield the list: each letter, then how many there are of each reason."""
    for letter in found.letters:
        yield _headline(letter, found.histories, now)
        yield f"  {plain(found.histories.reason_of(letter), REASON)}"
        yield f"  {plain(letter.received.body, BODY)}"
    if found.letters:
        yield ""
    yield (
        f"{counted(len(found.letters))} of {len(found.look.letters)} looked at in {name} "
        f"(SQS counts about {counts.visible}, and {counts.hidden} hidden by readers)"
    )
    reasons = Counter(found.histories.reason_of(letter) for letter in found.letters)
    for reason, count in reasons.most_common(REASONS):
        yield f"{count:6}  {plain(reason, REASON)}"
    if len(reasons) > REASONS:
        yield f"        and {len(reasons) - REASONS} other reasons"
    if found.look.complete and counts.visible > len(found.look.letters):
        yield (
            "SQS did not show all: behind ten letters of a message group, others stay unseen, and "
            "its counts may be a minute old"
        )
    if not found.look.complete:
        yield "there may be more: raise --limit to look at them"


def letter_lines(letter: Letter, histories: Histories, now: float) -> Iterator[str]:
    """Yield all that is known of a letter."""
    yield _headline(letter, histories, now)
    known = record(letter)
    for name in ("originalMessageId", "sentAt", "source", "deduplicationId", "senderId"):
        if known[name] is not None and known[name] != letter.id:
            yield f"  {name}: {plain(str(known[name]))}"
    for name, attribute in known["attributes"].items():
        value = attribute.get("value", attribute.get("base64"))
        yield f"  attribute {plain(name)} ({attribute['type']}): {plain(value)}"
    yield f"  reason: {plain(histories.reason_of(letter))}"
    for one in histories.of(letter):
        why = f": {plain(one.reason)}" if one.reason else ""
        yield (
            f"  {one.time} receive {one.receive_count}, {one.instance_id}, "
            f"{one.duration_seconds:g} s: {one.outcome}{why}"
        )
    yield "  body:"
    for line in letter.received.body.splitlines() or [""]:
        yield f"    {plain(line)}"


def letter_record(letter: Letter, histories: Histories) -> dict[str, Any]:
    """Return a letter and the attempts at it, for machines."""
    return {
        **record(letter),
        "reason": histories.reason_of(letter),
        "attempts": [
            {
                "time": one.time,
                "receiveCount": one.receive_count,
                "instanceId": one.instance_id,
                "durationSeconds": one.duration_seconds,
                "outcome": one.outcome,
                "reason": one.reason,
            }
            for one in histories.of(letter)
        ],
    }


def _headline(letter: Letter, histories: Histories, now: float) -> str:
    parts = [
        f"{age(now - letter.received.sent_at)} old",
        f"receive {letter.received.receive_count}",
    ]
    if letter.group_id is not None:
        parts.append(f"group {plain(letter.group_id)}")
    if outcomes := histories.outcomes_of(letter):
        parts.append(outcomes)
    return f"{letter.id}  {', '.join(parts)}"
