"""Errors of calls to SQS: botocore's are translated into ours, with advice for people."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)
from botocore.parsers import ResponseParserError

from shared.errors import QueueRefusedError, QueueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "MissingAuthenticationToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
SERVER_ERROR: Final = 500
"""The first of HTTP's server errors, after which a request may have been carried out."""
PASSING: Final = frozenset({408, 429})
"""HTTP's "request timeout" and "too many requests", as proxies send them."""
ABSENT: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})


@contextmanager
def translated(queue: str) -> Iterator[None]:
    """Translate botocore's errors inside the block into ours; their texts name the queue.

    Raises:
        QueueUnavailableError: the call may succeed later.
        QueueRefusedError: the call will not succeed later either.
    """
    try:
        yield
    except ClientError as error:
        raise _from_answer(error, queue) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise QueueRefusedError(
            "no AWS credentials found: set AWS_PROFILE or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or run where a role is attached"
        ) from error
    except NoRegionError as error:
        raise QueueRefusedError("no AWS region: set AWS_REGION, as in AWS_REGION=eu-west-1") from (
            error
        )
    except BotoConnectionError as error:  # no connection, so that no request was sent
        raise QueueUnavailableError(f"no answer from the endpoint: {error}") from error
    except (HTTPClientError, ResponseParserError) as error:
        raise QueueUnavailableError(
            f"no answer from the endpoint: {error}", answer_lost=True
        ) from error
    except (BotoCoreError, ParamValidationError, ValueError) as error:
        raise QueueRefusedError(f"cannot call SQS for queue {queue}: {error}") from error


def _from_answer(error: ClientError, queue: str) -> QueueRefusedError | QueueUnavailableError:
    details = error.response["Error"]
    code, text = details.get("Code", "?"), details.get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in THROTTLING or status >= SERVER_ERROR or status in PASSING:
        return QueueUnavailableError(
            f"SQS asks to try later: {code} {text}".rstrip(),
            answer_lost=code not in THROTTLING and status not in PASSING,
        )
    if code in ABSENT:
        return QueueRefusedError(
            f"queue {queue} does not exist: check name or URL, region and account"
        )
    if code in CREDENTIALS:
        return QueueRefusedError(f"AWS does not accept these credentials: {code} {text}".rstrip())
    if code in DENIED:
        return QueueRefusedError(f"not allowed on queue {queue}: {text or code}")
    return QueueRefusedError(f"SQS refused the call on queue {queue}: {code} {text}".rstrip())
