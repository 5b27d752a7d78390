"""The account as a release sees it, against MiniStack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.emulators.ministack import CREDENTIALS, REGION, local_client

from tidemill.release.aws import AccountAws
from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.emulators.ministack import Ministack

pytestmark = pytest.mark.impure

SOON: Final = {"Delay": 1, "MaxAttempts": 60}
TEMPLATE: Final = {
    "Parameters": {"ImageTag": {"Type": "String", "Default": "none-yet"}},
    "Resources": {
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {"EmptyOnDelete": True}}
    },
    "Outputs": {"ConsumerRepositoryUri": {"Value": {"Fn::GetAtt": ["Images", "RepositoryUri"]}}},
}
MANIFEST: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {"digest": "sha256:0"},
    "layers": [],
}


@pytest.fixture(autouse=True)
def client(ministack: Ministack, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Create the stack Shop in MiniStack, and return what makes clients of it."""
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": ministack.endpoint}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    clouds = local_client("cloudformation", ministack.endpoint)
    silent = {"Resources": TEMPLATE["Resources"]}
    for stack, template in {"Shop": TEMPLATE, "Silent": silent}.items():
        clouds.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        clouds.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=SOON)
    yield lambda service: local_client(service, ministack.endpoint)
    for stack in ("Shop", "Silent"):
        clouds.delete_stack(StackName=stack)
        clouds.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=SOON)


def test_a_stack_has_its_outputs_and_parameters(client: Callable[[str], Any]) -> None:
    """Push and deploy need the repository's URI and the present tag."""
    stack = AccountAws(REGION).stack("Shop")
    assert stack is not None
    assert stack.parameters == {"ImageTag": "none-yet"}
    found = client("ecr").describe_repositories()["repositories"]
    (uri,) = stack.outputs.values()
    assert uri in {repository["repositoryUri"] for repository in found}


def test_a_stack_that_does_not_exist_is_none() -> None:
    """Neither to deploy nor to delete."""
    account = AccountAws(REGION)
    assert account.stack("Nowhere") is None
    assert not account.has_stack("Nowhere")


def test_a_stack_without_outputs_can_only_be_deleted() -> None:
    """A failed creation leaves such a stack, which has no registry to push to."""
    account = AccountAws(REGION)
    assert account.stack("Silent") is None
    assert account.has_stack("Silent")


def test_the_region_is_the_given_one_or_aws_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """The region in samconfig.toml comes first, as for SAM."""
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert AccountAws(None).region == "eu-north-1"
    assert AccountAws(REGION).region == REGION


def test_an_image_is_found_by_its_tag_in_a_repository_that_aws_named(
    client: Callable[[str], Any],
) -> None:
    """Another tag is not there; a repository that does not exist is an error."""
    account = AccountAws(REGION)
    stack = account.stack("Shop")
    assert stack is not None
    uri = stack.outputs["ConsumerRepositoryUri"]
    name = uri.partition("/")[2]
    client("ecr").put_image(
        repositoryName=name, imageTag="abc123", imageManifest=json.dumps(MANIFEST)
    )
    assert account.has_image(uri, "abc123")
    assert not account.has_image(uri, "def456")
    with pytest.raises(ReleaseError, match="cannot look for image abc123"):
        account.has_image(f"{uri}-other", "abc123")


def test_the_login_is_the_registrys_token_in_two_parts() -> None:
    """The password does not show when the login is printed."""
    login = AccountAws(REGION).login()
    assert login.user == "AWS"
    assert login.password
    assert login.password not in repr(login)
