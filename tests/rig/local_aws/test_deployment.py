"""Deployment: the resources that are deployed, and the reasons for the others."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from support.builders.fleets import product_fleet, product_template
from support.emulators.ministack import free_port

from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import LocalClients
from tidemill.rig.local_aws.deployment import (
    RUNS_CODE,
    await_deployment,
    deploy,
    without,
)
from tidemill.rig.local_aws.template_body import template_body
from tidemill.scaling.template.document import parse_template
from tidemill.scaling.template.fleet import read_fleet
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.resolver import Resolver

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack

    from tidemill.rig.local_aws.deployment import Deployment

QUEUE = {"Type": "AWS::SQS::Queue"}


def a_template(**resources: Any) -> dict[str, Any]:  # noqa: ANN401 - resources as they come
    """Return a template with these resources."""
    return {"Resources": resources}


@pytest.mark.parametrize(
    "reference",
    [
        pytest.param({"Ref": "Gone"}, id="ref"),
        pytest.param({"Fn::GetAtt": ["Gone", "Arn"]}, id="getatt-list"),
        pytest.param({"Fn::GetAtt": "Gone.Arn"}, id="getatt-text"),
        pytest.param({"Fn::Sub": "x ${Gone} y"}, id="sub"),
        pytest.param({"Fn::Sub": "x ${Gone.Arn} y"}, id="sub-attribute"),
        pytest.param({"Fn::Sub": ["${A}", {"A": {"Fn::Sub": "${Gone.Arn}"}}]}, id="sub-map"),
    ],
)
def test_what_refers_to_something_left_out_is_left_out_too(reference: dict[str, Any]) -> None:
    """This covers resources, indirect references and outputs."""
    template = a_template(
        Gone=QUEUE,
        Near={"Type": "X", "Properties": {"P": [reference]}},
        Far={"Type": "X", "DependsOn": "Near"},
        Kept=QUEUE,
    ) | {"Outputs": {"A": {"Value": reference}, "B": {"Value": {"Ref": "Kept"}}}}
    document, left_out = without(template, {"Gone": "unknown"})
    assert list(document["Resources"]) == ["Kept"]
    assert list(document["Outputs"]) == ["B"]
    assert left_out["Near"] == "it refers to Gone, which is left out"
    assert left_out["Far"] == "it refers to Near, which is left out"


@pytest.mark.parametrize(
    "part",
    [
        pytest.param({"Fn::Sub": "x ${!Gone} y"}, id="literal"),
        pytest.param({"DependsOn": [{"ContainerName": "Gone"}]}, id="property-of-that-name"),
        pytest.param("Gone", id="text"),
    ],
)
def test_what_only_looks_like_a_reference_stays(part: object) -> None:
    """Otherwise more would be left out than necessary."""
    template = a_template(Gone=QUEUE, Kept={"Type": "X", "Properties": {"P": part}})
    assert list(without(template, {"Gone": "unknown"})[0]["Resources"]) == ["Kept"]


def test_one_of_several_dependencies_is_enough() -> None:
    """A resource cannot be created without its dependencies."""
    template = a_template(Gone=QUEUE, Kept=QUEUE, Near={"Type": "X", "DependsOn": ["Kept", "Gone"]})
    assert list(without(template, {"Gone": "unknown"})[0]["Resources"]) == ["Kept"]


def test_the_transform_is_left_out_with_the_last_serverless_resource() -> None:
    """Without one the transform has nothing to do."""
    template = {"Transform": "T", **a_template(F={"Type": "AWS::Serverless::Function"}, Q=QUEUE)}
    assert "Transform" in without(template, {})[0]
    assert "Transform" not in without(template, {"F": "unknown"})[0]


def test_the_products_template_fits_into_a_request() -> None:
    """Without the texts for people, and still describing the same fleet."""
    template = product_template()
    alarms = [name for name, one in template["Resources"].items() if "Metrics" in one["Properties"]]
    assert len(template_body(without(template, dict.fromkeys(alarms, "metric math"))[0])) < 51_200
    body = template_body(template)
    assert read_fleet(parse_template(body, "body"), {}) == product_fleet()
    assert "ConstraintDescription" not in body
    assert "AlarmDescription" in body


def test_the_products_template_is_deployed_but_for_what_the_emulator_does_not_know(
    ministack: Ministack,
) -> None:
    """The rest is listed with the reasons."""
    clients = LocalClients(ministack.endpoint)
    deployed = deploy(Resolver(product_template(), {}, Place("deployed")), clients)
    queue = deployed.physical["WorkQueue"]
    assert queue["QueueName"] == "deployed-work"
    assert clients.dead_letter_url(queue["Ref"]) == deployed.physical["WorkDeadLetterQueue"]["Ref"]
    sentences = "\n".join(deployed.left_out)
    assert "does not support AWS::Logs::QueryDefinition" in sentences
    for alarm in product_fleet().alarms:
        assert alarm.logical_id in sentences
        assert alarm.logical_id not in deployed.physical
    assert "SignalFunction" not in sentences, "its condition does not hold, so it is not left out"


def test_a_template_that_is_refused_is_an_error_with_the_reason(ministack: Ministack) -> None:
    """The error is one line."""
    with pytest.raises(RigError, match="Network is a VPC that exists, so give SubnetIds") as caught:
        deploy(
            Resolver(product_template(), {"Network": "vpc-1"}, Place("broken")),
            LocalClients(ministack.endpoint),
        )
    assert "\n" not in str(caught.value)


def test_unknown_types_and_what_needs_them_are_left_out_with_the_reason(
    ministack: Ministack,
) -> None:
    """The rest is deployed."""
    template = a_template(
        Odd={"Type": "AWS::Nowhere::Thing"},
        Odder={"Type": "AWS::Nowhere::Other"},
        Near={**QUEUE, "DependsOn": "Odd"},
        Kept=QUEUE,
    )
    deployed = deploy(Resolver(template, {}, Place("partly")), LocalClients(ministack.endpoint))
    assert list(deployed.physical) == ["Kept"]
    assert deployed.left_out == (
        "not deployed: Odd: the local AWS does not support AWS::Nowhere::Thing",
        "not deployed: Odder: the local AWS does not support AWS::Nowhere::Other",
        "not deployed: Near: it refers to Odd, which is left out",
    )


def test_a_stack_that_another_process_deployed_is_found_with_its_parameters(
    ministack: Ministack,
) -> None:
    """The values of its resources are those of the deployment."""
    clients = LocalClients(ministack.endpoint)
    deployed = deploy(Resolver(product_template(), {"MaxInstances": "3"}, Place("found")), clients)
    found, parameters = await_deployment(clients, "found", seconds=0)
    assert found.physical == deployed.physical
    assert found.left_out == ()
    assert parameters["MaxInstances"] == "3"
    assert product_fleet(**parameters).group.max_size == 3


def test_a_stack_that_is_deployed_a_little_later_is_waited_for(ministack: Ministack) -> None:
    """The controller and the stack start at the same time."""
    clients = LocalClients(ministack.endpoint)
    found: list[Deployment] = []
    waiting = Thread(target=lambda: found.append(await_deployment(clients, "late", 60)[0]))
    waiting.start()
    try:
        deploy(
            Resolver(a_template(Jobs=QUEUE), {}, Place("late")), LocalClients(ministack.endpoint)
        )
    finally:
        waiting.join(60)
    assert [list(deployment.physical) for deployment in found] == [["Jobs"]]


def test_a_stack_that_is_not_there_in_time_is_an_error(ministack: Ministack) -> None:
    """The error has the address, and says where to look."""
    with pytest.raises(RigError) as caught:
        await_deployment(LocalClients(ministack.endpoint), "nowhere", seconds=0)
    message = str(caught.value)
    assert message.startswith(
        f"the local AWS at {ministack.endpoint} has no stack nowhere: see its"
    )
    assert "docker compose logs localstack" in message
    assert "\n" not in message


def test_a_local_aws_that_does_not_answer_is_an_error() -> None:
    """The error mentions images that need an account."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    clients = LocalClients(endpoint)
    once = Config(retries={"total_max_attempts": 1})
    clients.cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret: nobody is there
        config=once,  # the clients' own patience takes ten seconds
    )
    with pytest.raises(RigError) as caught:
        await_deployment(clients, "any", seconds=0)
    message = str(caught.value)
    assert message.startswith(f"the local AWS at {endpoint} does not answer: ")
    assert "need an account's token" in message
    assert "\n" not in message


RUN = {"Code": {"ZipFile": "def handler(*_): pass"}, "Handler": "index.handler"}
CODE = {
    "Function": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "python3.11", **RUN}},
    "Alias": {"Type": "AWS::Lambda::Alias", "Properties": {"Name": "live"}},
    "Own": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn"}},
    "Older": {"Type": "AWS::CloudFormation::CustomResource", "Properties": {"ServiceToken": "arn"}},
}


def test_what_would_run_code_of_the_template_is_left_out_with_the_reason(
    ministack: Ministack,
) -> None:
    """What needs it is left out too; the rest of the stack is deployed."""
    template = a_template(**CODE, Needy=QUEUE | {"DependsOn": "Own"}, Jobs=QUEUE)
    clients = LocalClients(ministack.endpoint)
    deployed = deploy(Resolver(template, {}, Place("codeless")), clients)
    assert set(deployed.physical) == {"Jobs"}
    assert deployed.left_out == (
        f"not deployed: Function, Alias, Own, Older: {RUNS_CODE}",
        "not deployed: Needy: it refers to Own, which is left out",
    )


def test_functions_are_deployed_where_the_user_allows_them(ministack: Ministack) -> None:
    """Nothing is left out then."""
    template = a_template(Jobs=QUEUE, Function=CODE["Function"])
    clients = LocalClients(ministack.endpoint)
    deployed = deploy(Resolver(template, {}, Place("coded")), clients, run_functions=True)
    assert (set(deployed.physical), deployed.left_out) == ({"Jobs", "Function"}, ())
