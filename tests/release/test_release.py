"""Deployment and push: the image that is deployed, and what is built, pushed and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tidemill.release.deploy import deploy
from tidemill.release.environment import Environment, read_environment
from tidemill.release.errors import ReleaseError
from tidemill.release.ports import Login, Stack
from tidemill.release.push import push

if TYPE_CHECKING:
    from collections.abc import Sequence

CONSUMER, PRODUCER = (
    f"1.dkr.ecr.eu-west-1.amazonaws.com/shop/{x}" for x in ("consumer", "producer")
)
STACK = Stack(
    {"ConsumerRepositoryUri": CONSUMER, "ProducerRepositoryUri": PRODUCER},
    {"Architecture": "arm64"},
)
ENVIRONMENT = Environment("dev", "shop", None, {"MaxInstances": "2"})


class Account:
    """An account with or without the stack, and with these images."""

    def __init__(self, stack: Stack | None = STACK, *images: str, silent: bool = False) -> None:
        """Hold images as `repository:tag`; with `silent` it does not list them."""
        self._stack, self._images, self._silent = stack, images, silent

    def stack(self, name: str) -> Stack | None:
        """Return the stack."""
        assert name == "shop"
        return self._stack

    def has_image(self, repository: str, tag: str) -> bool:
        """Return whether the image exists."""
        if self._silent:
            raise ReleaseError("AccessDenied")
        return f"{repository}:{tag}" in self._images

    def login(self) -> Login:
        """Return made-up credentials."""
        return Login("AWS", "password-of-the-test")


class Machine:
    """Programs that only remember how they were run; git knows revision abc123."""

    def __init__(self, *, changed: str = "", revision: str = "abc123") -> None:
        """Prepare git's answer."""
        self._answers = {"status": changed, "log": revision}
        self.ran: list[str] = []
        self.given: list[str | None] = []

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Record the command."""
        self.ran.append(" ".join(command))
        self.given.append(given)

    def answer(self, command: Sequence[str]) -> str:
        """Return git's answer."""
        return self._answers[command[1]]


def deployed(account: Account, machine: Machine) -> str:
    """Deploy, and return how `sam deploy` was run."""
    deploy(ENVIRONMENT, "sam", account, machine, lambda _: None)
    build, run = machine.ran
    assert build == "sam build --config-env dev"
    return run


def test_a_pushed_image_is_deployed_beside_the_environments_own_parameters() -> None:
    """With one override SAM ignores those of samconfig.toml, so all are given."""
    account = Account(STACK, f"{CONSUMER}:abc123")
    assert deployed(account, Machine()) == (
        "sam deploy --config-env dev --parameter-overrides MaxInstances=2 ImageTag=abc123"
    )


@pytest.mark.parametrize(
    "account",
    [
        pytest.param(Account(None), id="new-stack"),
        pytest.param(Account(STACK), id="nothing-pushed"),
        pytest.param(Account(STACK, silent=True), id="registry-does-not-answer"),
    ],
)
def test_without_a_pushed_image_the_stack_keeps_its_tag(account: Account) -> None:
    """Without overrides SAM uses the stack's values and those of samconfig.toml."""
    assert deployed(account, Machine()) == "sam deploy --config-env dev"


@pytest.mark.parametrize(
    ("name", "target"),
    [
        pytest.param("default", "make push for", id="default"),
        pytest.param("dev", "make push ENV=dev for", id="another"),
    ],
)
def test_the_advice_for_a_new_stack_names_its_environment(name: str, target: str) -> None:
    """Without ENV the images would go to the default environment's stack."""
    lines: list[str] = []
    deploy(replace(ENVIRONMENT, name=name), "sam", Account(None), Machine(), lines.append)
    assert target in lines[0]


def test_both_images_are_built_for_the_stacks_processor_and_pushed() -> None:
    """Both images are built for the stack's processor, and the password is on standard input."""
    machine = Machine()
    assert push(ENVIRONMENT, None, Account(), machine) == "abc123"
    builds = [line for line in machine.ran if " build " in line]
    assert len(builds) == 2
    assert all("--platform linux/arm64" in line for line in builds)
    assert f"docker push {CONSUMER}:abc123" in machine.ran
    assert f"docker push {PRODUCER}:abc123" in machine.ran
    assert "password-of-the-test" in machine.given
    assert not [line for line in machine.ran if "password-of-the-test" in line]


def test_what_the_registries_hold_is_not_built_again() -> None:
    """Images that the registries hold are not built, because their tags are immutable."""
    machine = Machine()
    push(ENVIRONMENT, None, Account(STACK, f"{CONSUMER}:abc123", f"{PRODUCER}:abc123"), machine)
    assert machine.ran == []


@pytest.mark.parametrize(
    ("account", "machine", "architecture", "message"),
    [
        pytest.param(Account(None), Machine(), None, "make deploy ENV=dev first", id="no-stack"),
        pytest.param(Account(), Machine(changed=" M x"), None, "not committed", id="changes"),
        pytest.param(Account(), Machine(revision=""), None, "commit it first", id="no-revision"),
        pytest.param(Account(), Machine(), "amd64", "instances are arm64", id="other-processor"),
    ],
)
def test_a_push_that_could_not_work_is_refused_before_anything_is_built(
    account: Account, machine: Machine, architecture: str | None, message: str
) -> None:
    """The error says what to do, and no command has run."""
    with pytest.raises(ReleaseError, match=message):
        push(ENVIRONMENT, architecture, account, machine)
    assert machine.ran == []


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param('"A=1 B=\\"x y\\""', id="line"),
        pytest.param('["A=1", "B=\'x y\'"]', id="list"),
        pytest.param('{A = 1, B = "x y"}', id="table"),
    ],
)
def test_parameters_are_read_however_sam_lets_them_be_written(overrides: str) -> None:
    """Overrides can be a line as --guided saves it, a list, or a table."""
    text = f'[dev.deploy.parameters]\nstack_name = "shop"\nparameter_overrides = {overrides}'
    assert read_environment(text, "dev").parameters == {"A": "1", "B": "x y"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[", "not valid TOML", id="no-toml"),
        pytest.param("[a.deploy.parameters]", "no environment 'dev': choose one of a", id="other"),
        pytest.param("[dev.deploy.parameters]", "no stack_name", id="no-stack"),
    ],
)
def test_a_samconfig_that_says_too_little_is_refused(text: str, message: str) -> None:
    """The error is one line."""
    with pytest.raises(ReleaseError, match=message):
        read_environment(text, "dev")
