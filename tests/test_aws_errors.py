"""Errors of AWS's clients: which of them end a program, and in which words."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.parsers import ResponseParserError

from tidemill.aws_errors import why_no_call_succeeds


def refused(code: str) -> ClientError:
    """Return the error of an action that a service refuses."""
    return ClientError({"Error": {"Code": code, "Message": "No."}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "start"),
    [
        pytest.param(NoCredentialsError(), "no AWS credentials: sign in", id="no-credentials"),
        pytest.param(
            EndpointConnectionError(endpoint_url="http://nowhere"),
            "no answer from AWS: ",
            id="no-answer",
        ),
        pytest.param(
            ResponseParserError("<html>"), "the endpoint's answer is not AWS's", id="foreign-answer"
        ),
        pytest.param(
            refused("ExpiredToken"),
            "AWS does not accept the credentials (ExpiredToken): sign in",
            id="expired",
        ),
    ],
)
def test_an_error_that_ends_a_program_is_one_line(error: Exception, start: str) -> None:
    """It says what to do."""
    line = why_no_call_succeeds(error)
    assert line is not None
    assert line.startswith(start)
    assert "\n" not in line


def test_an_error_of_one_call_says_nothing_about_others() -> None:
    """A missing permission, for example."""
    assert why_no_call_succeeds(refused("AccessDenied")) is None
