"""Settings of the door's process, and the files with a session's keys."""

from __future__ import annotations

import configparser
import stat
from typing import TYPE_CHECKING

import pytest

from tidemill.rig.door.credentials import (
    CREDENTIALS_FILE,
    EXPORTS_FILE,
    SECRET_FILE,
    Keys,
    Session,
)
from tidemill.rig.door.settings import (
    BIND,
    FOLDER,
    HOST,
    KEYS,
    NAMES,
    PORT,
    RUN_FUNCTIONS,
    SECRET,
    UPSTREAM,
    read_settings,
)
from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_rigs_door_serves_this_machine_only_and_runs_no_function() -> None:
    """This is so unless a setting says otherwise."""
    settings = read_settings({PORT: "4566", SECRET: "s"})
    assert (settings.port, settings.bind, settings.upstream) == (4566, HOST, "")
    assert (settings.session, settings.run_functions) == (Session("s"), False)
    assert settings.names == {"127.0.0.1", "localhost"}


def test_every_setting_is_read(tmp_path: Path) -> None:
    """Compose sets all of them."""
    settings = read_settings(
        {
            PORT: "1",
            FOLDER: str(tmp_path),
            BIND: "0.0.0.0",  # noqa: S104 - only read here
            NAMES: "localstack, aws",
            KEYS: f"user={tmp_path}/u,rig={tmp_path}/r",
            UPSTREAM: "http://127.0.0.1:2",
            RUN_FUNCTIONS: "1",
        }
    )
    assert settings.names >= {"localstack", "aws", "localhost"}
    assert settings.keys == {"user": tmp_path / "u", "rig": tmp_path / "r"}
    assert (settings.upstream, settings.run_functions) == ("http://127.0.0.1:2", True)


def test_all_problems_are_reported_together() -> None:
    """One line has them."""
    with pytest.raises(RigError) as caught:
        read_settings({KEYS: "user"})
    assert str(caught.value) == (
        "GATEWAY_PORT: give a port; TIDEMILL_KEYS: give CALLER=FOLDER; set TIDEMILL_SESSION"
    )


def test_a_secret_that_is_kept_outlives_its_door(tmp_path: Path) -> None:
    """Nobody else may read it; each door without one makes another."""
    first = Session.kept(tmp_path)
    assert Session.kept(tmp_path) == first
    assert stat.S_IMODE((tmp_path / SECRET_FILE).stat().st_mode) == 0o600
    assert Session.fresh() != Session.fresh()
    assert len(first.secret) == 64


def test_a_secret_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(RigError, match=r"cannot read the session's secret: .*none: No such file"):
        Session.read(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(RigError, match=r"no session's secret in .*empty"):
        Session.read(tmp_path / "empty")


def test_each_caller_has_keys_of_its_own() -> None:
    """Nobody can compute those of another caller or session without the secret."""
    session = Session("s")
    secrets = {session.keys(caller).secret_key for caller in ("rig", "user", "i-1", "i-2")}
    assert len(secrets | {Session("t").keys("rig").secret_key}) == 5
    assert session.find("tidemill-i-1") == ("i-1", session.keys("i-1"))
    assert session.find("test") is None


def test_keys_are_written_for_aws_programs_and_for_a_shell(tmp_path: Path) -> None:
    """No text that is made of keys shows the secret by accident."""
    keys = Session("s").keys("user")
    keys.write(tmp_path)
    read = configparser.ConfigParser()
    read.read(tmp_path / CREDENTIALS_FILE)
    assert dict(read["default"]) == {
        "aws_access_key_id": keys.access_key,
        "aws_secret_access_key": keys.secret_key,
    }
    lines = (tmp_path / EXPORTS_FILE).read_text().splitlines()
    pairs = [line.removeprefix("export ").partition("=") for line in lines]
    assert Keys.read({name: value for name, _, value in pairs}) == keys
    assert keys.secret_key not in repr(keys)
    assert "secret" not in repr(Session("secret")).removeprefix("Session")
