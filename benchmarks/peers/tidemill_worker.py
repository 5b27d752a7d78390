"""Tidemill: the handler, and sending with boto3."""

from __future__ import annotations

import json
import os
import sys

import boto3

from benchmarks.peers.work import act, messages


def handle(message: dict[str, str | float]) -> None:
    """Handle a message."""
    act(message)


if __name__ == "__main__":
    client = boto3.client("sqs")
    for one in messages(sys.argv[1]):
        client.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(one))
