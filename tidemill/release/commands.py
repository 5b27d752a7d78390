"""Programs of this machine that a release runs."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from shared.region import chosen_region
from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Sequence


class LocalCommands:
    """Programs of this machine, run in the current folder; commands are printed before they run.

    They get AWS_REGION as AWS_DEFAULT_REGION as well, the only one of the two that SAM reads.
    """

    def run(self, command: Sequence[str], given: str | None = None) -> None:
        """Run a command in the user's terminal, or with `given` on its standard input."""
        sys.stderr.write(f"+ {shlex.join(command)}\n")
        sys.stderr.flush()
        code = self._result(command, given, capture=False).returncode
        if code:
            raise ReleaseError(f"{shlex.join(command[:2])} failed with exit code {code}, see above")

    def answer(self, command: Sequence[str]) -> str:
        """Run a command and return what it prints, without white space around it."""
        done = self._result(command, None, capture=True)
        if done.returncode:
            raise ReleaseError(f"{shlex.join(command[:2])}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _result(
        self, command: Sequence[str], given: str | None, *, capture: bool
    ) -> subprocess.CompletedProcess[str]:
        region = chosen_region()
        default = {"AWS_DEFAULT_REGION": region} if region else {}
        try:
            return subprocess.run(
                command,
                input=given,
                capture_output=capture,
                text=True,
                check=False,
                env={**os.environ, **default},
            )
        except OSError as error:
            raise ReleaseError(f"{command[0]} cannot be run: {error.strerror}") from error
