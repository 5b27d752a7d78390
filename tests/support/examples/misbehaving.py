"""Handlers that misbehave: `act` does what the message's body says, as code of users might."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import logging.config
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from consumer.handlers.api import Message, Reject, Retry

if TYPE_CHECKING:
    from collections.abc import Callable

CONTAINER_OF_MEMORY: Final = 256 << 20
"""Bytes of address space that `uses_too_much_memory` leaves itself."""


def act(body: dict[str, Any], message: Message) -> None:
    """Call the function that the body names, with the body's argument if there is one."""
    function: Callable[..., None] = globals()[body["do"]]
    if function is extends:
        message.extend(body["with"])
        time.sleep(body["with"] - 0.2)
    else:
        function(*([body["with"]] if "with" in body else []))


def answer_for_all(bodies: list[dict[str, Any]]) -> list[Exception | None]:
    """Say of each message what its body says, whatever came before it."""
    return [ValueError("no") if body["do"] == "fails" else None for body in bodies]


def act_on_all(bodies: list[dict[str, Any]]) -> None:
    """Do for a batch what each of its messages says."""
    for body in bodies:
        function: Callable[..., None] = globals()[body["do"]]
        function(*([body["with"]] if "with" in body else []))


def nothing() -> None:
    """Do nothing."""


def sleeps(seconds: float) -> None:
    """Take this long."""
    time.sleep(seconds)


def extends(_seconds: float) -> None:
    """Ask for so much time and use nearly all of it; `act` does it."""


def raises() -> None:
    """Fail."""
    raise ValueError("no luck today")


def rejects() -> None:
    """Refuse the message."""
    raise Reject("not ours")


def retries() -> None:
    """Ask for another try."""
    raise Retry(after=7)


def exits_at_once(code: int) -> None:
    """End the process."""
    os._exit(code)


def calls_sys_exit() -> None:
    """End as a script would."""
    sys.exit("bye")


def kills_itself(number: int) -> None:
    """Send itself a signal, as the kernel would when memory runs out."""
    os.kill(os.getpid(), number)
    time.sleep(10)


def crashes_the_interpreter() -> None:
    """Read from address 0."""
    ctypes.string_at(0)


def aborts() -> None:
    """Abort, as an assertion in C does."""
    os.abort()


def uses_too_much_memory() -> None:
    """Reach a limit of its address space."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    size = pages * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + CONTAINER_OF_MEMORY, before[1]))
    try:
        bytearray(CONTAINER_OF_MEMORY * 2)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def fills_memory_and_is_killed(mib: int) -> None:
    """Use memory until the kernel kills it."""
    kept = bytearray(mib << 20)
    kept[:: resource.getpagesize()] = b"x" * len(kept[:: resource.getpagesize()])
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(10)


def uses_all_memory() -> None:
    """Use memory until the kernel has none left."""
    kept = []
    while True:
        kept.append(b"x" * (8 << 20))


def leaves_orphans() -> None:
    """Start programs whose parent ends before them, and that end soon."""
    for _ in range(3):
        subprocess.run(["/bin/sh", "-c", "sleep 0.2 &"], check=True)


def hangs() -> None:
    """Never return."""
    while True:
        time.sleep(1)


def holds_the_interpreter() -> None:
    """Run in C for hours without letting another thread of Python run."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def ignores_signals_and_hangs() -> None:
    """Ignore every signal that can be ignored, and never return."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    hangs()


def changes_signals() -> None:
    """Leave another handling of signals behind."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


def starts_a_thread() -> None:
    """Leave a thread behind that prints and never ends."""

    def run() -> None:
        print("from a thread")  # noqa: T201 - handlers print
        while True:
            time.sleep(0.01)

    threading.Thread(target=run).start()
    time.sleep(0.1)


def forks_and_returns() -> None:
    """Let two processes return from here."""
    os.fork()


def terminates_a_child() -> None:
    """End a process of its own with SIGTERM."""
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
    child.start()
    time.sleep(0.3)
    child.terminate()
    child.join(4)
    if child.is_alive():
        child.kill()
        raise RuntimeError("the child survived terminate()")


def leaves_a_program_and_dies(file: str) -> None:
    """Start a program that writes its id to the file, and end."""
    _start_program(file)
    os._exit(1)


def leaves_a_program_and_hangs(file: str) -> None:
    """Start a program that writes its id to the file, and never return."""
    _start_program(file)
    hangs()


def _start_program(file: str) -> None:
    subprocess.Popen(["/bin/sh", "-c", f"echo $$ > {file}.new && mv {file}.new {file} && sleep 60"])
    while not Path(file).exists():
        time.sleep(0.01)


def prints(text: str) -> None:
    """Print without ending the line."""
    print(text, end="")  # noqa: T201 - handlers print


def prints_in_every_way(text: str) -> None:
    """Print through Python, its binary stream, a descriptor, C and a program."""
    print(f"{text} by print")  # noqa: T201 - handlers print
    sys.stdout.buffer.write(f"{text} by bytes\n".encode())
    sys.stderr.write(f"{text} to stderr\n")
    os.write(1, f"{text} by descriptor\n".encode())
    ctypes.CDLL(None).puts(f"{text} by C".encode())
    subprocess.run(["/bin/echo", f"{text} by a program"], check=True)


def prints_and_dies(text: str) -> None:
    """Print and end the process before anything is flushed."""
    print(text, end="")  # noqa: T201 - handlers print
    logging.getLogger("mine").warning("%s, logged", text)
    os._exit(1)


def logs_a_bad_format() -> None:
    """Log with arguments that do not fit."""
    logging.getLogger("mine").warning("%d", "no number")


def logs(text: str) -> None:
    """Log with fields and an error."""
    try:
        raises()
    except ValueError:
        logging.getLogger("mine").exception(text, extra={"order": 7, "shop": "north"})


def takes_logging_over() -> None:
    """Configure logging anew, and silence what there was."""
    logging.config.dictConfig({"version": 1})
    logging.disable(logging.CRITICAL)


def closes_its_streams() -> None:
    """Close everything that prints, and put something else there."""
    sys.stdout.close()
    sys.stdout = None
    for file in (0, 1, 2):
        os.close(file)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def closes_all_descriptors() -> None:
    """Close all files from 3 on, as a program does that becomes a daemon."""
    with contextlib.suppress(OSError):
        os.closerange(3, 1024)


def writes_to_all_pipes(data: str) -> None:
    """Write to every file that is open and not standard output, as an error with numbers does."""
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not paths
        if int(name) > 2:
            with contextlib.suppress(OSError):
                os.write(int(name), data.encode("latin-1"))
    time.sleep(10)


def writes_without_end(text: str) -> None:
    """Write to standard output around Python, and do not end the line."""
    os.write(1, text.encode())
