"""Credentials of a session: one random secret, from which each caller's own keys are derived."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX: Final = "tidemill-"
"""The start of every access key id; the caller's name follows."""

RIG: Final = "rig"
"""The caller that is the rig itself: it deploys, reads counts and publishes metrics."""
USER: Final = "user"
"""The caller that is the user at the terminal: the AWS CLI, boto3."""
PRODUCER: Final = "producer"
"""The caller that is the producer, in Compose its container."""
FUNCTION: Final = "function"
"""The caller that is a function of the template, where the user has allowed functions."""
FUNCTION_KEY: Final = "000000000000"
"""The access key id that MiniStack gives to functions: its account's number."""
SECRET_FILE: Final = "secret"  # noqa: S105 - a file's name
"""The file with a session's secret, in the folder that keeps it."""
CREDENTIALS_FILE: Final = "credentials"
"""The file with a caller's keys, in the form of AWS_SHARED_CREDENTIALS_FILE."""
EXPORTS_FILE: Final = "exports"
"""The file with a caller's keys, as lines for a shell."""
CONTROLLERS: Final = frozenset({RIG, USER})
"""Callers that may inject faults; every other caller is what faults happen to."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one caller, as clients of AWS take them."""

    access_key: str
    secret_key: str = field(repr=False)

    @staticmethod
    def read(environment: Mapping[str, str]) -> Keys | None:
        """Return the keys in the variables that every client of AWS reads; None if one is unset."""
        found = [environment.get(name) for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
        return Keys(found[0], found[1]) if found[0] and found[1] else None

    def write(self, folder: Path) -> None:
        """Write the keys into a folder: for AWS's programs, and as lines for a shell."""
        names = {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}
        lines = "".join(f"{name} = {value}\n" for name, value in names.items())
        (folder / CREDENTIALS_FILE).write_text(f"[default]\n{lines}")
        exports = "".join(f"export {name}={value}\n" for name, value in self.environment().items())
        (folder / EXPORTS_FILE).write_text(exports)

    def environment(self) -> dict[str, str]:
        """Return the variables from which every client of AWS reads these keys."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a rig: whoever knows its secret can derive the keys of every caller.

    Example with the caller `i-1`: the access key id is `tidemill-i-1`, the secret access key is
    HMAC-SHA256 of the id with the session's secret, in hexadecimal.
    """

    secret: str = field(repr=False)

    @staticmethod
    def fresh() -> Session:
        """Return a session with a new random secret of 256 bits."""
        return Session(secrets.token_hex(32))

    @staticmethod
    def read(file: Path) -> Session:
        """Return the session whose secret is in a file.

        Raises:
            RigError: the file cannot be read, or has no secret.
        """
        try:
            secret = file.read_text().strip()
        except OSError as error:
            raise RigError(f"cannot read the session's secret: {file}: {error.strerror}") from error
        if not secret:
            raise RigError(f"there is no session's secret in {file}")
        return Session(secret)

    @staticmethod
    def kept(folder: Path) -> Session:
        """Return the session whose secret is in a folder; if there is none, begin a new one."""
        file = folder / SECRET_FILE
        if not file.exists():
            fresh = file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(Session.fresh().secret)
            fresh.replace(file)
        return Session.read(file)

    def keys(self, caller: str) -> Keys:
        """Return the keys of a caller, such as an instance's id."""
        return self._keys(PREFIX + caller)

    def function_keys(self) -> Keys:
        """Return the keys of the template's functions."""
        return self._keys(FUNCTION_KEY)

    def find(self, access_key: str) -> tuple[str, Keys] | None:
        """Return the caller with this access key id and its keys, None if no session has it."""
        if access_key == FUNCTION_KEY:
            return FUNCTION, self.function_keys()
        if access_key.startswith(PREFIX):
            return access_key.removeprefix(PREFIX), self._keys(access_key)
        return None

    def _keys(self, access_key: str) -> Keys:
        digest = hmac.new(self.secret.encode(), access_key.encode(), sha256)
        return Keys(access_key, digest.hexdigest())
