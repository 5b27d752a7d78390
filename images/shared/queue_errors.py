"""Errors of calls to SQS: botocore's are translated into ours, with advice for people.

Which of them it is says the table in shared.sqs.wrong_answers. Every call of shared.queue goes
through `translated`, so no other error leaves it.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from shared.errors import BatchRefusedError, QueueRefusedError, QueueUnavailableError
from shared.queue_names import without_login
from shared.sqs.answers import UnreadableAnswerError
from shared.sqs.wrong_answers import (
    ABSENT,
    CANNOT_CALL,
    CREDENTIALS,
    CUT_OFF,
    DENIED,
    EXPIRED,
    NO_CONNECTION,
    NO_CREDENTIALS_NOW,
    UNKNOWN,
    UNREADABLE,
    Reaction,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.errors import QueueError
    from shared.sqs.wrong_answers import WrongAnswer


@contextmanager
def translated(queue: str) -> Iterator[None]:
    """Translate botocore's errors inside the block into ours; their texts name the queue.

    Raises:
        QueueUnavailableError: the call may succeed later.
        BatchRefusedError: other calls may succeed, with other messages.
        QueueRefusedError: no call will succeed.
    """
    queue = without_login(queue)
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, queue) from error
    except UnreadableAnswerError as error:
        raise _error(UNREADABLE, f"the endpoint's answer is none of SQS: {error}") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise _error(
            CANNOT_CALL,
            "no AWS credentials found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where a role is attached",
        ) from error
    except NoRegionError as error:
        raise _error(
            CANNOT_CALL, "no AWS region: set AWS_REGION, as in AWS_REGION=eu-west-1"
        ) from error
    except (CredentialRetrievalError, MetadataRetrievalError, RuntimeError) as error:
        # RuntimeError: botocore has refreshed credentials, and the new ones are expired, too.
        raise _error(
            NO_CREDENTIALS_NOW, f"no AWS credentials now, they cannot be refreshed: {error}"
        ) from error
    except (HTTPClientError, ResponseParserError, SSLError) as error:
        raise _error(CUT_OFF, f"no answer from the endpoint: {error}") from error
    except BotoConnectionError as error:
        raise _error(NO_CONNECTION, f"no answer from the endpoint: {error}") from error
    except (BotoCoreError, ParamValidationError, ValueError) as error:
        raise _error(CANNOT_CALL, f"cannot call SQS for queue {queue}: {error}") from error


def _from_answer(error: ClientError, queue: str) -> QueueError:
    details = error.response["Error"]
    code, text = details.get("Code", "?"), details.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = kind_of(code, status, text)
    said = f"{code} {text}".rstrip()
    if kind.codes == ABSENT:
        return _error(kind, f"queue {queue} does not exist: check name or URL, region and account")
    if kind.codes in (CREDENTIALS, EXPIRED):
        return _error(kind, f"AWS does not accept these credentials: {said}")
    if kind.codes == DENIED:
        return _error(kind, f"not allowed on queue {queue}: {text or code}")
    if kind.reaction is Reaction.AGAIN and kind is not UNKNOWN:
        return _error(kind, f"SQS asks to try later: {said}")
    return _error(kind, f"SQS refused the call on queue {queue}: {said}")


def _error(kind: WrongAnswer, text: str) -> QueueError:
    text = without_login(text)
    match kind.reaction:
        case Reaction.AGAIN:
            return QueueUnavailableError(text, answer_lost=kind.carried_out)
        case Reaction.GIVE_UP:
            return BatchRefusedError(text)
        case Reaction.END:
            return QueueRefusedError(text)
