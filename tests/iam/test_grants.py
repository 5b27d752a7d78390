"""Grants of a template: nothing that a policy says is left out."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.stack.policies import statements_in

from tidemill.iam.grants import Grant, grants
from tidemill.scaling.errors import TemplateError
from tidemill.scaling.template.document import parse_template

ACCOUNT = '{"SourceAccount": {"Ref": "AWS::AccountId"}}'


def sentences(**resources: Any) -> list[str]:  # noqa: ANN401 - any part of a template
    """Return the grants of a template with these resources, as lines."""
    return sorted(grant.sentence() for grant in grants({"Resources": resources}))


def a_role(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any property
    """Return a role with one policy."""
    policies = [{"PolicyName": "own", "PolicyDocument": {"Statement": list(statements)}}]
    return {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies, **more}}


def allow(**elements: Any) -> dict[str, Any]:  # noqa: ANN401 - any element
    """Return a statement that allows something."""
    return {"Effect": "Allow", **elements}


def test_every_action_of_every_statement_is_a_grant() -> None:
    """Of the project's own template, in which policies have all forms that it uses."""
    text = PRODUCT_TEMPLATE.read_text(encoding="utf-8")
    template = parse_template(text, "template.yaml")
    found = {(grant.subject, grant.action) for grant in grants(template)}
    stated = {
        (name, action)
        for name, resource in template["Resources"].items()
        for statement in statements_in(resource)
        for action in (
            statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        )
        if isinstance(action, str)
    }
    assert len(stated) > 40
    assert stated <= found


def test_each_action_stands_with_each_resource() -> None:
    """Functions of templates are written as in Fn::Sub."""
    statement = allow(
        Action=["sqs:ReceiveMessage", "sqs:DeleteMessage"],
        Resource=[{"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::Sub": "arn:${AWS::Partition}:sqs:x"}],
        Condition={"Bool": {"aws:SecureTransport": "true"}},
    )
    condition = 'when {"Bool": {"aws:SecureTransport": "true"}}'
    assert sentences(Role=a_role(statement)) == [
        f"Role: Allow {action} on {resource} {condition}"
        for action in ("sqs:DeleteMessage", "sqs:ReceiveMessage")
        for resource in ("${Queue.Arn}", "arn:${AWS::Partition}:sqs:x")
    ]


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"Fn::If": ["Own", ["kms:Decrypt"], {"Ref": "AWS::NoValue"}]}, ["kms:Decrypt [if Own]"]),
        (["a:B", {"Fn::If": ["Own", "a:C", "a:D"]}], ["a:B", "a:C [if Own]", "a:D [unless Own]"]),
        (
            {"Fn::If": ["A", {"Fn::If": ["B", "a:B", "a:C"]}, {"Fn::If": ["A", "x:Y", "a:D"]}]},
            ["a:B [if A and if B]", "a:C [if A and unless B]", "a:D [unless A]"],
        ),
    ],
    ids=["one arm", "in a list", "nested"],
)
def test_each_arm_of_a_condition_is_a_grant(value: object, lines: list[str]) -> None:
    """What can never be is left out."""
    found = sentences(Role=a_role(allow(Action=value, Resource="*")))
    assert found == [
        f"Role: Allow {line.replace(' [', ' on * [', 1)}"
        if "[" in line
        else f"Role: Allow {line} on *"
        for line in lines
    ]


def test_other_ways_to_permission_are_grants_as_well() -> None:
    """Managed policies, boundaries, trust, functions, instance profiles, policies of resources."""
    trust = {
        "Statement": allow(Principal={"Service": ["ec2.amazonaws.com"]}, Action="sts:AssumeRole")
    }
    role = a_role(
        AssumeRolePolicyDocument=trust,
        ManagedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        PermissionsBoundary={"Ref": "Boundary"},
    )
    queue_policy = {
        "Type": "AWS::SQS::QueuePolicy",
        "Condition": "Open",
        "Properties": {
            "PolicyDocument": {
                "Statement": [
                    {"Effect": "Deny", "Principal": "*", "NotAction": ["sqs:a", "sqs:b"]},
                ]
            }
        },
    }
    call = {
        "Type": "AWS::Lambda::Permission",
        "Properties": {
            "FunctionName": {"Ref": "Function"},
            "Action": "lambda:InvokeFunction",
            "Principal": "s3.amazonaws.com",
            "SourceAccount": {"Ref": "AWS::AccountId"},
        },
    }
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {"Policies": ["AWSLambdaExecute", {"SQSPollerPolicy": {"QueueName": "x"}}]},
    }
    profile = {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [{"Ref": "Role"}]}}
    assert sentences(Role=role, Policy=queue_policy, Call=call, F=function, Profile=profile) == [
        f"${{Function}}: s3.amazonaws.com: Allow lambda:InvokeFunction when {ACCOUNT}",
        "F: Allow (all of the managed policy) on AWSLambdaExecute",
        'F: Allow (all of the managed policy) on {"SQSPollerPolicy": {"QueueName": "x"}}',
        "Policy: *: Deny not sqs:a, sqs:b [if Open]",
        "Profile: Allow (act as the role) on ${Role}",
        "Role: Allow (all of the managed policy) on arn:aws:iam::aws:policy/ReadOnlyAccess",
        "Role: Limit (no more than the boundary) on ${Boundary}",
        "Role: Service ec2.amazonaws.com: Allow sts:AssumeRole",
    ]


def test_a_statement_without_an_action_is_refused() -> None:
    """CloudFormation would refuse it later."""
    with pytest.raises(TemplateError, match="Role: a statement has no Action"):
        grants({"Resources": {"Role": a_role(allow(Resource="*"))}})


def test_a_statement_that_is_too_large_is_refused() -> None:
    """Rather than filling the memory."""
    many = [f"a:B{number}" for number in range(400)]
    with pytest.raises(TemplateError, match="more than 100,000 grants"):
        grants({"Resources": {"Role": a_role(allow(Action=many, Resource=many))}})


def test_a_grant_is_a_value() -> None:
    """Two that say the same are one."""
    one = Grant("Role", "Allow", "", "a:B", "*", "", "")
    assert {one, Grant("Role", "Allow", "", "a:B", "*", "", "")} == {one}
