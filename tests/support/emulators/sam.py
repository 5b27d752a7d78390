"""Emulators of AWS that the SAM CLI deploys to, and the SAM CLI itself."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from support.builders.fleets import PRODUCT_TEMPLATE
from support.emulators import ministack
from support.emulators.ministack import CREDENTIALS, free_port, local_client, without_aws

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT: Final = PRODUCT_TEMPLATE.parent
SAM: Final = ROOT / ".venv-deploy/bin/sam"
LOCALSTACK: Final = ROOT / ".venv-localstack/bin/python"
CONFIGURATION: Final = ("--config-file", str(ROOT / "samconfig.toml"), "--config-env", "local")
STACK: Final = "tidemill-local"
START_SECONDS: Final = 90.0


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running emulator; `home` has the files that its programs write."""

    name: str
    endpoint: str
    home: Path

    def client(self, service: str) -> Any:  # noqa: ANN401 - any service's client
        """Return a client of the emulator."""
        return local_client(service, self.endpoint)

    def sam(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the SAM CLI in this folder with the project's samconfig.toml, environment local."""
        return subprocess.run(
            [SAM, *arguments, *CONFIGURATION],
            cwd=folder,
            env={
                **without_aws(os.environ),
                **CREDENTIALS,
                "AWS_ENDPOINT_URL": self.endpoint,
                "SAM_CLI_TELEMETRY": "0",
                "HOME": str(self.home),
            },
            capture_output=True,
            text=True,
            check=False,
        )


def require(program: Path, verb: str) -> None:
    """Skip the test if the program is not installed; in CI fail, because no test may be skipped."""
    if not program.exists():
        text = f"{program.relative_to(ROOT)} is missing: {verb} installs it"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


@contextmanager
def ministack_emulator(home: Path) -> Iterator[Emulator]:
    """Run MiniStack of the project's own environment."""
    with ministack.running() as server:
        yield Emulator("ministack", server.endpoint, home)


@contextmanager
def localstack_emulator(home: Path) -> Iterator[Emulator]:
    """Run LocalStack from PyPI without Docker, so that it has no Lambda functions."""
    require(LOCALSTACK, "make test")
    port = free_port()
    with (home / "localstack.log").open("wb") as log:
        process = subprocess.Popen(
            [LOCALSTACK, "-m", "localstack.runtime.main"],
            env={
                **without_aws(os.environ),
                "DISABLE_EVENTS": "1",
                "GATEWAY_LISTEN": f"127.0.0.1:{port}",
                "HOME": str(home),
                "LOCALSTACK_HOST": f"127.0.0.1:{port}",
                "SKIP_SSL_CERT_DOWNLOAD": "1",
                "TMPDIR": str(home),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            _await(process, f"http://127.0.0.1:{port}/_localstack/health", home)
            yield Emulator("localstack", f"http://127.0.0.1:{port}", home)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(process: subprocess.Popen[bytes], url: str, home: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - http:// as built above
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"LocalStack does not start:\n{(home / 'localstack.log').read_text()}")
