"""Deployment and push: the image that is deployed, and what is built, pushed and refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.fakes.releasing import CONSUMER, ENVIRONMENT, PRODUCER, STACK, Account, Machine

from tidemill.release.deploy import deploy
from tidemill.release.environment import read_environment
from tidemill.release.errors import ReleaseError
from tidemill.release.push import push

if TYPE_CHECKING:
    from tidemill.release.ports import Stack


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
        "sam deploy --config-env dev --no-fail-on-empty-changeset "
        "--parameter-overrides MaxInstances=2 ImageTag=abc123"
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
    assert (
        deployed(account, Machine()) == "sam deploy --config-env dev --no-fail-on-empty-changeset"
    )


@pytest.mark.parametrize(
    ("saved", "deployed_tag"),
    [
        pytest.param("none-yet", "0ld", id="saved-by-the-first-deployment"),
        pytest.param("f00", None, id="chosen-by-the-user"),
    ],
)
def test_a_saved_tag_that_means_no_image_does_not_replace_the_stacks(
    saved: str, deployed_tag: str | None
) -> None:
    """`sam deploy --guided` saves ImageTag=none-yet, and SAM prefers that to the stack's value."""
    environment = replace(ENVIRONMENT, parameters={"ImageTag": saved, "MaxInstances": "2"})
    machine = Machine()
    deploy(environment, "sam", Account(), machine, lambda _: None)
    _, run = machine.ran
    overrides = run.partition(" --parameter-overrides ")[2]
    assert overrides == (f"ImageTag={deployed_tag} MaxInstances=2" if deployed_tag else "")


def test_a_saved_tag_that_means_no_image_is_replaced_by_the_pushed_one() -> None:
    """The image of this revision comes before what is saved."""
    environment = replace(ENVIRONMENT, parameters={"ImageTag": "none-yet"})
    machine = Machine()
    deploy(environment, "sam", Account(STACK, f"{CONSUMER}:abc123"), machine, lambda _: None)
    assert machine.ran[1].endswith("--parameter-overrides ImageTag=abc123")


def test_a_stack_name_that_cannot_work_is_refused_before_anything_is_created() -> None:
    """Neither AWS nor SAM is called."""
    machine = Machine()
    with pytest.raises(ReleaseError, match="no hyphen last"):
        deploy(replace(ENVIRONMENT, stack="shop-"), "sam", Account(), machine, lambda _: None)
    assert machine.ran == []


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


@pytest.mark.parametrize("account", [Account(None), Account()], ids=["new", "deployed"])
def test_an_emulator_s_stack_is_deployed_without_advice_about_images(account: Account) -> None:
    """An emulator has no registry to push to."""
    lines: list[str] = []
    machine = Machine()
    deploy(replace(ENVIRONMENT, name="local"), "sam", account, machine, lines.append)
    assert lines == []
    assert machine.ran[-1] == "sam deploy --config-env local --no-fail-on-empty-changeset"


def builds(machine: Machine) -> tuple[str, str]:
    """Return the two commands that built the consumer's and the producer's image."""
    consumer, producer = [line for line in machine.ran if " build " in line]
    return consumer, producer


def test_both_images_are_built_and_pushed() -> None:
    """The password is on standard input, not on a command line."""
    machine = Machine()
    assert push(ENVIRONMENT, None, Account(), machine) == "abc123"
    assert f"docker push {CONSUMER}:abc123" in machine.ran
    assert f"docker push {PRODUCER}:abc123" in machine.ran
    assert "password-of-the-test" in machine.given
    assert not [line for line in machine.ran if "password-of-the-test" in line]


@pytest.mark.parametrize(
    ("architecture", "producer"),
    [
        pytest.param(None, None, id="the-engines-own"),
        pytest.param("amd64", "linux/amd64", id="asked-for"),
    ],
)
def test_the_consumers_image_is_for_the_fleet_and_the_producers_for_its_user(
    architecture: str | None, producer: str | None
) -> None:
    """The stack runs no producer, so that its image need not be for the fleet's processors."""
    machine = Machine()
    push(ENVIRONMENT, architecture, Account(), machine)
    of_consumer, of_producer = builds(machine)
    assert "--platform linux/arm64 " in of_consumer
    assert ("--platform" in of_producer) is (producer is not None)
    assert producer is None or f"--platform {producer} " in of_producer


@pytest.mark.parametrize("builder", ["emulating", "two-nodes", "silent"])
def test_an_engine_that_may_be_able_to_build_is_asked_to(builder: str) -> None:
    """It has an emulator, a machine of that kind, or does not say what it can build."""
    machine = Machine(builder=builder)
    push(ENVIRONMENT, None, Account(), machine)
    assert len(builds(machine)) == 2


@pytest.mark.parametrize(
    ("stack", "architecture", "message"),
    [
        pytest.param(
            STACK,
            None,
            "cannot build the consumer's image for arm64, only for 386, amd64: .* --install arm64.*"
            "Architecture=x86_64 InstanceTypes=t3a.small,t3a.medium,c7a.medium",
            id="fleet",
        ),
        pytest.param(
            replace(STACK, parameters={"Architecture": "x86_64"}),
            "arm64",
            "cannot build the producer's image for arm64.*leave ARCH out",
            id="producer",
        ),
    ],
)
def test_an_engine_without_an_emulator_is_refused_before_anything_is_built(
    stack: Stack, architecture: str | None, message: str
) -> None:
    """Otherwise the build would fail with `exec format error` after a long download."""
    machine = Machine(builder="native")
    with pytest.raises(ReleaseError, match=message):
        push(ENVIRONMENT, architecture, Account(stack), machine)
    assert machine.ran == []


def test_an_engine_of_the_fleets_kind_needs_no_emulator() -> None:
    """Both images are built."""
    machine = Machine(builder="native")
    push(ENVIRONMENT, None, Account(replace(STACK, parameters={"Architecture": "x86_64"})), machine)
    assert len(builds(machine)) == 2


def test_what_the_registries_hold_is_not_built_again() -> None:
    """Images that the registries hold are not built, because their tags are immutable."""
    machine = Machine()
    push(ENVIRONMENT, None, Account(STACK, f"{CONSUMER}:abc123", f"{PRODUCER}:abc123"), machine)
    assert machine.ran == []


@pytest.mark.parametrize(
    ("account", "machine", "message"),
    [
        pytest.param(Account(None), Machine(), "make deploy ENV=dev first", id="no-stack"),
        pytest.param(Account(), Machine(changed=" M x"), "not committed", id="changes"),
        pytest.param(Account(), Machine(revision=""), "commit it first", id="no-revision"),
    ],
)
def test_a_push_that_could_not_work_is_refused_before_anything_is_built(
    account: Account, machine: Machine, message: str
) -> None:
    """The error says what to do, and no command has run."""
    with pytest.raises(ReleaseError, match=message):
        push(ENVIRONMENT, None, account, machine)
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
