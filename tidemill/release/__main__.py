"""`python -m tidemill.release`: the command behind `make deploy`, `push`, `outputs`, `delete`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tidemill.release.aws import AccountAws
from tidemill.release.commands import LocalCommands
from tidemill.release.delete import delete, nobody_to_ask
from tidemill.release.deploy import deploy
from tidemill.release.environment import read_environment
from tidemill.release.errors import ReleaseError
from tidemill.release.outputs import output_lines
from tidemill.release.push import PLATFORMS, push

CONFIGURATION = Path("samconfig.toml")


def main() -> int:
    """Run the command line and return the exit code; every error becomes one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m tidemill.release", description=__doc__)
    parser.add_argument("--env", default="default", help="environment of samconfig.toml")
    verbs = parser.add_subparsers(dest="verb", required=True)
    deploying = verbs.add_parser("deploy", help="create or update the stack")
    deploying.add_argument("--sam", default="sam", help="the SAM CLI's program")
    deleting = verbs.add_parser("delete", help="delete the stack and everything in it")
    deleting.add_argument("--sam", default="sam", help="the SAM CLI's program")
    deleting.add_argument("--yes", action="store_true", help="do not ask")
    verbs.add_parser("outputs", help="print the stack's outputs, one a line")
    pushing = verbs.add_parser("push", help="build and push both images")
    pushing.add_argument(
        "--arch", choices=sorted(PLATFORMS.values()), help="the producer's processor"
    )
    options = parser.parse_args()
    try:
        environment = read_environment(CONFIGURATION.read_text(encoding="utf-8"), options.env)
        aws, commands = AccountAws(environment.region), LocalCommands()
        if options.verb == "push":
            _print(f"pushed: {push(environment, options.arch, aws, commands)}")
        elif options.verb == "outputs":
            sys.stdout.writelines(f"{line}\n" for line in output_lines(environment, aws))
        elif options.verb == "delete":
            terminal = sys.stdin is not None and sys.stdin.isatty()
            ask = None if options.yes else input if terminal else nobody_to_ask
            delete(environment, options.sam, aws, commands, ask)
        else:
            deploy(environment, options.sam, aws, commands, _print)
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}: run this in the project's folder")
    except ReleaseError as error:
        return _refuse(str(error))
    return 0


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _refuse(text: str) -> int:
    _print(f"Error: {text}")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
