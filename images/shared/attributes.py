"""Message attributes: between SQS's form, which names a data type, and plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs.type_defs import (
        MessageAttributeValueOutputTypeDef,
        MessageAttributeValueTypeDef,
    )


def encoded(
    attributes: Mapping[str, str | bytes], types: Mapping[str, str]
) -> dict[str, MessageAttributeValueTypeDef]:
    """Return attributes as SQS takes them; without a type, a str is String and bytes are Binary."""
    return {name: _attribute(value, types.get(name)) for name, value in attributes.items()}


def values(
    attributes: Mapping[str, MessageAttributeValueOutputTypeDef],
) -> dict[str, str | bytes]:
    """Return the values; a data type begins with String, Number or Binary.

    A value that is missing, as other servers than SQS may have it, is empty: it must not end the
    consumer.
    """
    return {
        name: attribute.get("BinaryValue", b"")
        if attribute["DataType"].startswith("Binary")
        else attribute.get("StringValue", "")
        for name, attribute in attributes.items()
    }


def special_types(attributes: Mapping[str, MessageAttributeValueOutputTypeDef]) -> dict[str, str]:
    """Return the data types of those that are not simply String or Binary."""
    return {
        name: attribute["DataType"]
        for name, attribute in attributes.items()
        if attribute["DataType"] not in {"String", "Binary"}
    }


def _attribute(value: str | bytes, data_type: str | None) -> MessageAttributeValueTypeDef:
    if isinstance(value, bytes):
        return {"DataType": data_type or "Binary", "BinaryValue": value}
    return {"DataType": data_type or "String", "StringValue": value}
