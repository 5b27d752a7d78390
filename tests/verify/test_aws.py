"""AWS through boto3: actions by their IAM names, pages, and every error in one line."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from botocore.stub import Stubber

from tidemill.verify.aws import AccountAws, AwsClock
from tidemill.verify.ports import RefusedError, VerifyError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.impure  # every test builds AWS clients, which takes long

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the clients keys and no region of the user's."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


@contextmanager
def stubbed(service: str) -> Iterator[tuple[AccountAws, Stubber]]:
    """Provide an account and the stub of one of its clients."""
    aws = AccountAws(REGION, None)
    with Stubber(aws._client(service)) as stub:
        yield aws, stub


def test_an_action_is_called_by_its_iam_name() -> None:
    """Parameters and answer have boto3's form, without the response's metadata."""
    with stubbed("sqs") as (aws, stub):
        stub.add_response(
            "send_message",
            {"MessageId": "m-1", "ResponseMetadata": {"HTTPStatusCode": 200}},
            {"QueueUrl": "https://q", "MessageBody": "{}"},
        )
        answer = aws.call("sqs:SendMessage", QueueUrl="https://q", MessageBody="{}")
    assert answer == {"MessageId": "m-1"}


def test_a_service_has_the_name_of_its_client() -> None:
    """IAM writes servicequotas, boto3 service-quotas."""
    with stubbed("service-quotas") as (aws, stub):
        stub.add_response("get_service_quota", {"Quota": {"Value": 5.0}})
        answer = aws.call("servicequotas:GetServiceQuota", ServiceCode="ec2", QuotaCode="L-1")
    assert answer == {"Quota": {"Value": 5.0}}


def test_all_pages_are_one_answer() -> None:
    """In their order."""
    page: dict[str, Any] = {
        "LogicalResourceId": "A",
        "ResourceType": "T",
        "LastUpdatedTimestamp": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    with stubbed("cloudformation") as (aws, stub):
        first = {"StackResourceSummaries": [page], "NextToken": "more"}
        stub.add_response("list_stack_resources", first)
        second = {"StackResourceSummaries": [page | {"LogicalResourceId": "B"}]}
        stub.add_response("list_stack_resources", second)
        answer = aws.call("cloudformation:ListStackResources", StackName="s")
    found = [one["LogicalResourceId"] for one in answer["StackResourceSummaries"]]
    assert found == ["A", "B"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDenied", "autoscaling:ExecutePolicy: access denied: this permission is missing"),
        ("ValidationError", "autoscaling:ExecutePolicy: ValidationError Bad thing."),
    ],
)
def test_a_refusal_has_its_action_and_its_code(code: str, message: str) -> None:
    """The check that needs the action goes without it."""
    with stubbed("autoscaling") as (aws, stub):
        stub.add_client_error("execute_policy", code, "Bad\nthing.")
        with pytest.raises(RefusedError) as error:
            aws.call("autoscaling:ExecutePolicy", PolicyName="p")
    assert (str(error.value), error.value.code) == (message, code)


def test_credentials_that_are_not_accepted_end_the_command() -> None:
    """No other action could succeed."""
    with stubbed("sts") as (aws, stub):
        stub.add_client_error("get_caller_identity", "ExpiredToken", "The token is expired")
        with pytest.raises(VerifyError, match=r"credentials \(ExpiredToken\): sign in"):
            aws.call("sts:GetCallerIdentity")


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        (NoCredentialsError(), "no AWS credentials: sign in"),
        (EndpointConnectionError(endpoint_url="https://x"), "no answer from AWS"),
    ],
    ids=["credentials", "network"],
)
def test_without_credentials_or_an_answer_the_command_ends(
    failure: Exception, message: str
) -> None:
    """In one line with what to do."""
    aws = AccountAws(REGION, None)

    def fail(**_: object) -> None:
        raise failure

    aws._client("sts").meta.events.register("before-call", fail)
    with pytest.raises(VerifyError, match=message):
        aws.call("sts:GetCallerIdentity")


def test_wrong_parameters_are_a_refusal() -> None:
    """Such as an empty list of instance types of another template."""
    with pytest.raises(RefusedError, match="MessageBody"):
        AccountAws(REGION, None).call("sqs:SendMessage", QueueUrl="https://q")


def test_the_region_is_given_or_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS_REGION alone is enough; without any region there is one line."""
    with pytest.raises(VerifyError, match="no AWS region: set AWS_REGION, or give --region"):
        AccountAws(None, None)
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert AccountAws(None, None).region == "eu-north-1"
    assert AccountAws(REGION, None).region == REGION


def test_a_profile_that_does_not_exist_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the profile."""
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(VerifyError, match="nobody"):
        AccountAws(REGION, None)


def test_an_emulator_is_known_by_its_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the option, or from the variable that all tools read."""
    assert AccountAws(REGION, None).endpoint is None
    assert AccountAws(REGION, "http://127.0.0.1:1").endpoint == "http://127.0.0.1:1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:2")
    assert AccountAws(REGION, None).endpoint == "http://127.0.0.1:2"


def test_a_rigs_time_runs_faster_from_its_beginning() -> None:
    """A hundred seconds after it, at speed 20, two thousand have passed."""
    real = AwsClock()
    origin = real.now() - 100
    assert AwsClock(20, origin).now() - origin == pytest.approx(2000, abs=20)
    before = AwsClock(20, origin).now()
    AwsClock(20, origin).sleep(1)
    assert 1 <= AwsClock(20, origin).now() - before < 20


def test_every_client_of_a_check_exists() -> None:
    """boto3 has a service for each prefix."""
    assert "service-quotas" in boto3.Session().get_available_services()
