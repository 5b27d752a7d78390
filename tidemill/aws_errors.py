"""Errors of AWS's clients after which no other call can succeed either, each as one line."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
"""Error codes of an action that the caller may not call."""

CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Error codes of credentials that AWS does not accept."""

SIGN_IN: Final = "sign in (such as with `aws sso login`) or set AWS_PROFILE"


def error_code(error: ClientError) -> str:
    """Return the code of a service's answer, empty without one."""
    return error.response.get("Error", {}).get("Code", "")


def error_message(error: ClientError) -> str:
    """Return the message of a service's answer in one line."""
    return " ".join(error.response.get("Error", {}).get("Message", "").split())


def why_no_call_succeeds(error: Exception) -> str | None:
    """Return why no call can succeed; None if this error concerns one call only.

    Args:
        error: any error of a client of botocore.
    """
    match error:
        case NoCredentialsError() | PartialCredentialsError() | TokenRetrievalError() | SSOError():
            return f"no AWS credentials: {SIGN_IN}"
        case BotoConnectionError() | HTTPClientError():
            return f"no answer from AWS: {error}"
        case ResponseParserError():
            return "the endpoint's answer is not AWS's: check AWS_ENDPOINT_URL"
        case ClientError() if error_code(error) in CREDENTIALS:
            return f"AWS does not accept the credentials ({error_code(error)}): {SIGN_IN}"
    return None
