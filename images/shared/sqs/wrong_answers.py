"""Wrong answers of SQS: one table of what each of them means and what is done about it.

docs/reliability.md shows the table, shared.queue_errors turns it into errors, and the tests give
every kind of it to every call over a real socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container

THROTTLING: Final = frozenset(
    {
        "KMS.ThrottlingException",  # KmsThrottled, by the code in awsQueryError, which SDKs read
        "KmsThrottled",
        "OverLimit",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
    }
)
EXPIRED: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "TokenRefreshRequired",
    }
)
CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
ABSENT: Final = frozenset({"NonExistentQueue", "QueueDoesNotExist"})
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "OptInRequired"})
KEY: Final = frozenset(
    {
        f"{prefix}{reason}"
        for prefix in ("KMS.", "Kms")
        for reason in (
            *("AccessDenied", "AccessDeniedException", "Disabled", "DisabledException"),
            *("InvalidKeyUsage", "InvalidKeyUsageException", "InvalidState"),
            *("InvalidStateException", "NotFound", "NotFoundException", "OptInRequired"),
        )
    }
)
CONTENT: Final = frozenset(
    {
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "InvalidIdFormat",
        "InvalidMessageContents",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "MessageNotInflight",
        "MissingParameter",
        "ReceiptHandleIsInvalid",
        "TooManyEntriesInBatchRequest",
    }
)
OTHER_CALL: Final = frozenset(
    {
        "InvalidAction",
        "InvalidAddress",
        "InvalidAttributeName",
        "InvalidAttributeValue",
        "PurgeQueueInProgress",
        "QueueAlreadyExists",
        "QueueDeletedRecently",
        "QueueNameExists",
        "ResourceNotFoundException",
        "UnsupportedOperation",
    }
)
SERVER_ERROR: Final = 500
"""The first of HTTP's server errors, after which a request may have been carried out."""
TIMEOUT: Final = 408
TOO_MANY: Final = 429
PASSING: Final = frozenset({TIMEOUT, TOO_MANY})
"""HTTP's "request timeout" and "too many requests", as proxies send them."""
PREFIX: Final = "AWS.SimpleQueueService."
"""Some of SQS's codes begin with it, depending on the call."""

CLOCK: Final = ("Signature expired", "Signature not yet current")
"""How the text of SignatureDoesNotMatch begins if only the machine's clock is wrong."""


class Reaction(Enum):
    """What is done about a wrong answer; the value is what the docs call it."""

    AGAIN = "try again"
    GIVE_UP = "give up this batch"
    END = "end in order"


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """A kind of wrong answer.

    Attributes:
        what: the kind, for people.
        reaction: what is done about it.
        carried_out: whether SQS may have done all the same what it was asked for.
        codes: error codes of SQS by which it is recognised, without PREFIX.
        statuses: HTTP's status codes by which it is recognised, whatever the error code.
    """

    what: str
    reaction: Reaction
    carried_out: bool = False
    codes: frozenset[str] = frozenset()
    statuses: Container[int] = frozenset()


NO_CONNECTION: Final = WrongAnswer("no connection: refused, no address, no route", Reaction.AGAIN)
CUT_OFF: Final = WrongAnswer(
    "no whole answer in time: silence, a cut connection, a byte a second",
    Reaction.AGAIN,
    carried_out=True,
)
UNREADABLE: Final = WrongAnswer(
    "200 with something else than SQS's answer: HTML, nothing, no JSON, `null`, a list, "
    "a field missing or of another type",
    Reaction.AGAIN,
    carried_out=True,
)
UNNAMED: Final = WrongAnswer(
    "200 that does not name an entry of the batch: this entry", Reaction.AGAIN, carried_out=True
)
DAMAGED: Final = WrongAnswer(
    "an MD5 that differs (body or attributes): this message", Reaction.AGAIN, carried_out=True
)
ENTRY_LATER: Final = WrongAnswer(
    "an entry that SQS refuses for a reason of its own (SenderFault is false), or that is "
    "throttled: this entry",
    Reaction.AGAIN,
)
ENTRY_REFUSED: Final = WrongAnswer(
    "an entry that SQS refuses for another reason, such as a receipt handle that has expired: "
    "this entry",
    Reaction.GIVE_UP,
)
NO_CREDENTIALS_NOW: Final = WrongAnswer(
    "credentials cannot be fetched or refreshed now", Reaction.AGAIN
)
CANNOT_CALL: Final = WrongAnswer(
    "no credentials, no region, or a setting of the AWS SDK that is wrong", Reaction.END
)
UNKNOWN: Final = WrongAnswer(
    "any other 3xx or 4xx: a redirect, a proxy's page, an unknown code", Reaction.AGAIN
)
BY_CODE: Final = (
    WrongAnswer(
        "throttling, by SQS or by KMS (`RequestThrottled`, `OverLimit`, `KmsThrottled`, ...)",
        Reaction.AGAIN,
        codes=THROTTLING,
    ),
    WrongAnswer(
        "expired credentials, or a machine whose clock is wrong (`ExpiredToken`, ...)",
        Reaction.AGAIN,
        codes=EXPIRED,
    ),
    WrongAnswer("500 to 599", Reaction.AGAIN, carried_out=True, statuses=range(SERVER_ERROR, 600)),
    WrongAnswer("408", Reaction.AGAIN, carried_out=True, statuses=frozenset({TIMEOUT})),
    WrongAnswer("429", Reaction.AGAIN, statuses=frozenset({TOO_MANY})),
    WrongAnswer("413", Reaction.GIVE_UP, statuses=frozenset({413})),
    WrongAnswer(
        "a refusal of what is in the batch (`InvalidMessageContents`, ...)",
        Reaction.GIVE_UP,
        codes=CONTENT,
    ),
    WrongAnswer("no such queue (`NonExistentQueue`)", Reaction.END, codes=ABSENT),
    WrongAnswer(
        "credentials that AWS does not accept (`InvalidClientTokenId`, ...)",
        Reaction.END,
        codes=CREDENTIALS,
    ),
    WrongAnswer("no permission (`AccessDenied`, ...)", Reaction.END, codes=DENIED),
    WrongAnswer(
        "a key of KMS that cannot be used (`KmsDisabled`, `KmsNotFound`, ...)",
        Reaction.END,
        codes=KEY,
    ),
    WrongAnswer(
        "a refusal of the call itself (`UnsupportedOperation`, `InvalidAddress`, ...)",
        Reaction.END,
        codes=OTHER_CALL,
    ),
)
"""Those that have a code or a status; the first that fits counts."""

TABLE: Final = (
    *(NO_CONNECTION, CUT_OFF, UNREADABLE, UNNAMED, DAMAGED, ENTRY_LATER, ENTRY_REFUSED),
    *(*BY_CODE, UNKNOWN, NO_CREDENTIALS_NOW, CANNOT_CALL),
)


def kind_of(code: str, status: int = 0, text: str = "") -> WrongAnswer:
    """Return the kind of an error that SQS, or somebody on the way to it, has answered with."""
    plain = code.removeprefix(PREFIX)
    if plain in CREDENTIALS and text.startswith(CLOCK):
        plain = "RequestExpired"
    for kind in BY_CODE:
        if plain in kind.codes or status in kind.statuses:
            return kind
    return UNKNOWN


def may_succeed_later(code: str, *, sender_fault: bool) -> bool:
    """Return whether an entry of a batch that SQS refused with this code is worth a retry.

    SQS calls throttling by KMS, and too many messages in flight, the sender's fault.
    """
    kind = kind_of(code)
    known = code.removeprefix(PREFIX) in kind.codes
    return not sender_fault or (known and kind.reaction is Reaction.AGAIN)
