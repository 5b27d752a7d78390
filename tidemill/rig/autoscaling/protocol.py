"""AWS query protocol: parses requests and writes answers, with botocore's model and moto's code."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.loaders import Loader
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import QueryParser
from moto.core.serialize import QuerySerializer, SerializationContext

from tidemill.scaling.errors import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMON_ERRORS = {"InternalFailure": 500, "InvalidAction": 400, "ValidationError": 400}
"""HTTP status by error code, for errors that every action may return and that botocore's model does
not have (API reference, "Common error types")."""

Answer = tuple[int, bytes]
"""An HTTP status and a body in XML."""


@cache
def service() -> ServiceModel:
    """Return botocore's model of Auto Scaling, with the common errors added."""
    model = copy.deepcopy(Loader().load_service_model("autoscaling", "service-2"))
    for code, status in COMMON_ERRORS.items():
        model["shapes"][code] = {
            "type": "structure",
            "members": {},
            "exception": True,
            "fault": code == "InternalFailure",
            "error": {"code": code, "httpStatusCode": status},
        }
    return ServiceModel(model, "autoscaling")


def operation(action: str) -> OperationModel:
    """Return the model of an action.

    Raises:
        RequestError: Auto Scaling has no such action.
    """
    if action not in service().operation_names:
        raise unknown_action(action)
    model: OperationModel = service().operation_model(action)
    return model


def unknown_action(action: str) -> RequestError:
    """Return the error for an action that does not exist."""
    version = service().api_version
    return RequestError("InvalidAction", f"Could not find operation {action} for version {version}")


def read_request(model: OperationModel, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return an action's parameters, parsed from the fields of a form.

    Raises:
        RequestError: one is missing or cannot be read.
    """
    try:
        # In this protocol a request consists of fields only; moto reads only these.
        request = QueryParser(model).parse({"values": fields})  # type: ignore[typeddict-item]
    except (TypeError, ValueError) as error:
        raise invalid(f"A parameter of {model.name} cannot be read: {error}") from error
    _check(model, request)
    return request


def write_result(model: OperationModel, result: Mapping[str, Any]) -> Answer:
    """Return the answer with an action's result."""
    return _answer(model, dict(result))


def write_error(error: RequestError) -> Answer:
    """Return the answer with an error, which has the same form for every action."""
    return _answer(service().operation_model("DescribeAutoScalingGroups"), error)


def _answer(model: OperationModel, result: dict[str, Any] | RequestError) -> Answer:
    context = SerializationContext(request_id=str(uuid4()))
    response = QuerySerializer(model, context).serialize(result)
    body = response["body"]
    return response["status_code"], body if isinstance(body, bytes) else body.encode()


def _check(model: OperationModel, request: Mapping[str, Any]) -> None:
    """Refuse, in AWS's words, a request whose required members are missing or empty."""
    problems = []
    shape = model.input_shape
    if shape is None:
        return
    for name, member in shape.members.items():
        label = name[0].lower() + name[1:]
        least = member.metadata.get("min", 0)
        if name not in request and name in shape.required_members:
            problems.append(
                f"Value null at '{label}' failed to satisfy constraint: Member must not be null"
            )
        elif member.type_name == "string" and len(request.get(name, "x" * least)) < least:
            problems.append(
                f"Value '{request[name]}' at '{label}' failed to satisfy constraint: Member must "
                f"have length greater than or equal to {least}"
            )
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise invalid(f"{count}: {'; '.join(problems)}")
