"""AWS account: reads its stack, and logs in to its registries."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
from botocore.parsers import ResponseParserError

from shared.region import chosen_region
from tidemill.release.errors import ReleaseError
from tidemill.release.ports import Login, Stack

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

NO_ANSWER = (BotoCoreError, ResponseParserError)
"""Errors of a call that AWS did not answer; the second one is another server's answer."""

HINT = "check your credentials and region: aws sts get-caller-identity"


class AccountAws:
    """The account of the credentials that the AWS tools use."""

    def __init__(self, region: str | None) -> None:
        """Connect to a region; None is the region in the settings of the AWS tools.

        SAM reads these settings in the same order: samconfig.toml, then AWS_REGION, which
        LocalCommands passes on as AWS_DEFAULT_REGION, then the profile.

        Raises:
            ReleaseError: there is no region.
        """
        chosen = region or chosen_region()
        try:
            self._cloudformation: CloudFormationClient = boto3.client(
                "cloudformation", region_name=chosen
            )
            self._ecr: Any = boto3.client("ecr", region_name=chosen)
        except NoRegionError as error:
            raise ReleaseError(
                "no AWS region: set AWS_REGION, as in AWS_REGION=eu-west-1"
            ) from error
        except BotoCoreError as error:
            raise ReleaseError(f"{error}: {HINT}") from error

    @property
    def region(self) -> str:
        """Return the region's name."""
        return self._cloudformation.meta.region_name

    def stack(self, name: str) -> Stack | None:
        """Return the stack; None if there is none, or if its creation failed."""
        found = self._described(name)
        if found is None or not found.get("Outputs"):
            return None
        return Stack(
            outputs={item["OutputKey"]: item["OutputValue"] for item in found["Outputs"]},
            parameters={
                item["ParameterKey"]: item["ParameterValue"] for item in found.get("Parameters", [])
            },
        )

    def has_stack(self, name: str) -> bool:
        """Return whether there is a stack of this name, even one whose creation failed."""
        return self._described(name) is not None

    def _described(self, name: str) -> StackTypeDef | None:
        try:
            return self._cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if error.response["Error"]["Code"] == "ValidationError":
                return None
            raise ReleaseError(f"{error}: {HINT}") from error
        except NO_ANSWER as error:
            raise ReleaseError(f"{_line(error)}: {HINT}") from error

    def has_image(self, repository: str, tag: str) -> bool:
        """Return whether the repository with this URI has an image with this tag."""
        try:
            found = self._ecr.describe_images(
                repositoryName=repository.partition("/")[2], imageIds=[{"imageTag": tag}]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ImageNotFoundException":
                return False
            raise ReleaseError(f"cannot look for image {tag}: {error}") from error
        except NO_ANSWER as error:
            raise ReleaseError(f"cannot look for image {tag}: {_line(error)}") from error
        return bool(found["imageDetails"])

    def login(self) -> Login:
        """Return user and password from ECR's token, which is `user:password` in base64."""
        try:
            data = self._ecr.get_authorization_token()["authorizationData"][0]
        except (*NO_ANSWER, ClientError) as error:
            raise ReleaseError(f"cannot log in to the registry: {_line(error)}") from error
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return Login(user, password)


def _line(error: Exception) -> str:
    """Return an error's text without the lines of an answer that is not AWS's."""
    return str(error).partition("\n")[0]
