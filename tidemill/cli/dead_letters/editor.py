"""The user's editor: VISUAL or EDITOR, with the text in a file of the user's own."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from tidemill.dead_letters.errors import DeadLetterError

USUAL = "vi"


def edited(text: str) -> str:
    """Return the text as the user has left it in the editor.

    Raises:
        DeadLetterError: there is no editor, or it ended with an error.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or USUAL
    with tempfile.TemporaryDirectory(prefix="tidemill-") as folder:
        file = Path(folder, "body.json")  # the folder is readable by its owner only
        file.write_text(text, encoding="utf-8", newline="")
        try:
            subprocess.run([*shlex.split(command), str(file)], check=True)
            found = file.read_bytes().decode()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            raise DeadLetterError(
                f"the editor {command!r} failed: set EDITOR, or use --set or --body-file"
            ) from error
    # Editors end a file with a line's end that the body did not have.
    return found if text.endswith("\n") else found.removesuffix("\n")
