"""Clients of the local AWS are independent of the user's settings for AWS."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import EndpointConnectionError
from support.builders.sessions import KEYS

from tidemill.rig.errors import RigError
from tidemill.rig.local_aws.clients import (
    LocalClients,
    aws_errors_translated,
    client_settings,
    without_aws,
)

if TYPE_CHECKING:
    from support.emulators.ministack import Ministack


def test_the_users_own_aws_settings_play_no_part(
    ministack: Ministack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing profile, proxies or FIPS would break clients of a local endpoint."""
    (tmp_path / "config").write_text("[default]\nignore_configured_endpoint_urls = true\n")
    users = {
        "AWS_PROFILE": "nowhere",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }
    for name, value in users.items():
        monkeypatch.setenv(name, value)
    clients = LocalClients(ministack.endpoint)
    url = clients.sqs.create_queue(QueueName="undisturbed")["QueueUrl"]
    assert url.startswith(ministack.endpoint)
    assert clients.dead_letter_url(url) is None
    assert {name: os.environ[name] for name in users} == users, "they are the user's again"


def test_only_what_concerns_aws_is_taken_out_of_an_environment() -> None:
    """The user's AWS files are hidden, too."""
    before = {"PATH": "/bin", "AWS_PROFILE": "p", "https_proxy": "x", "NO_PROXY": "y"}
    after = without_aws(before)
    assert after.pop("AWS_CONFIG_FILE") == os.devnull
    assert after.pop("AWS_SHARED_CREDENTIALS_FILE") == os.devnull
    assert after == {"PATH": "/bin"}


def test_what_aws_clients_raise_becomes_one_line_with_the_log() -> None:
    """Other errors are not changed."""
    with (
        pytest.raises(RigError, match=r"Could not connect.*: see a\.log"),
        aws_errors_translated(Path("a.log")),
    ):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
    with pytest.raises(ValueError, match="mine"), aws_errors_translated(Path("a.log")):
        raise ValueError("mine")


def test_a_clients_environment_leads_to_the_endpoint() -> None:
    """The instance metadata service is switched off."""
    settings = client_settings("http://127.0.0.1:4566", KEYS)
    assert settings["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert settings["AWS_ACCESS_KEY_ID"] == KEYS.access_key
    assert settings["AWS_SECRET_ACCESS_KEY"] == KEYS.secret_key
    assert settings["AWS_EC2_METADATA_DISABLED"] == "true"
