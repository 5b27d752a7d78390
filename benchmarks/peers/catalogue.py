"""The workers to compare: how each is started, and how its messages are sent."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.peers.work import TIME_LIMIT, VISIBILITY
from tidemill.rig.door.credentials import USER, Session

SESSION: Final = Session.fresh()
"""Whose keys the local SQS accepts, from all workers alike."""

ROOT: Final = Path(__file__).parents[2]
BUILD: Final = ROOT / "build/benchmarks"
VENV: Final = BUILD / "venv"
NODE: Final = BUILD / "js"
MODULES: Final = "benchmarks.peers"


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker under test: the commands that start it and that send its messages."""

    name: str
    start: tuple[str, ...]
    send: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def _python(venv: Path | None, module: str) -> tuple[str, ...]:
    return (str(venv / "bin/python") if venv else sys.executable, "-m", f"{MODULES}.{module}")


def _in_venv(command: str, *arguments: str) -> tuple[str, ...]:
    return (str(VENV / "bin" / command), *arguments)


CELERY: Final = (
    *_in_venv("celery", "-A", f"{MODULES}.celery_worker", "worker", "-P", "prefork", "-c", "2"),
    *("-l", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
SEND_BODIES: Final = _python(None, "tidemill_worker")

WORKERS: Final = (
    Worker(
        "Tidemill",
        (sys.executable, "-m", "consumer"),
        SEND_BODIES,
        {
            "HANDLER": f"{MODULES}.tidemill_worker:handle",
            "WORKERS": "2",
            "MESSAGE_SECONDS": str(TIME_LIMIT),
            "VISIBILITY_TIMEOUT_SECONDS": str(VISIBILITY),
            "POLL_WAIT_SECONDS": "0",
            "RECEIVE_WAIT_SECONDS": "5",
            "RETRY_DELAY_SECONDS": "1",
            "DRAIN_SECONDS": "9",
        },
    ),
    Worker(
        "dramatiq",
        _in_venv("dramatiq", f"{MODULES}.dramatiq_worker", "-p", "2", "-t", "1"),
        _python(VENV, "dramatiq_worker"),
    ),
    Worker("Celery", CELERY, _python(VENV, "celery_worker")),
    Worker("Celery, late", CELERY, _python(VENV, "celery_worker"), {"BENCH_LATE": "1"}),
    Worker(
        "taskiq",
        (
            *_in_venv("taskiq", "worker", f"{MODULES}.taskiq_worker:broker", "--workers", "2"),
            *("--max-async-tasks", "1", "--log-level", "WARNING"),
        ),
        _python(VENV, "taskiq_worker"),
    ),
    Worker("sqs-consumer", ("node", str(NODE / "sqs_consumer.mjs")), SEND_BODIES),
)


def install() -> dict[str, str]:
    """Install the peers where they are missing; return why a worker cannot run, by its name."""
    here = ROOT / "benchmarks/peers"
    BUILD.mkdir(parents=True, exist_ok=True)
    missing: dict[str, str] = {}
    if not (VENV / "bin/taskiq").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps"]
        pinned = ["--require-hashes", "-r", str(here / "requirements.txt")]
        if subprocess.run([*pip, *pinned], check=False).returncode:
            missing |= dict.fromkeys(
                ("dramatiq", "Celery", "Celery, late", "taskiq"), "pip could not install it"
            )
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        return {**missing, "sqs-consumer": "Node.js is not installed"}
    NODE.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", "sqs_consumer.mjs"):
        shutil.copy(here / name, NODE / name)
    if not (NODE / "node_modules/sqs-consumer").exists():
        installed = subprocess.run([npm, "ci", "--silent"], cwd=NODE, check=False)
        if installed.returncode:
            missing["sqs-consumer"] = "npm could not install it"
    return missing


def environment(worker: Worker, endpoint: str, queue_url: str, notes: Path) -> dict[str, str]:
    """Return the environment of a worker, and of the program that sends its messages."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **own,
        **SESSION.keys(USER).environment(),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": endpoint,
        "QUEUE_URL": queue_url,
        "QUEUE_NAME": queue_url.rpartition("/")[2],
        "BENCH_NOTES": str(notes),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'images'}",
        "PYTHONUNBUFFERED": "1",
        **worker.environment,
    }
