"""Code of others tried in a process of its own, from which nothing comes back but plain data.

The process is a fork of this one, so the code finds everything as it is here, and what it changes there (counters,
random numbers, what is printed) is gone with it. What would outlast it (files, other processes, connections) is refused
by an audit hook. Knows processes. Knows nothing of Values.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["CannotTry", "Refused", "refusals", "run_apart"]

SECONDS = 10.0      # nothing that is tried takes a tenth of it
LOOKING = {"os.listdir", "os.scandir", "os.walk", "os.fwalk", "os.getxattr", "os.listxattr"}    # as imports do
REFUSED = (
    "builtins.breakpoint", "builtins.input", "ftplib.", "http.", "imaplib.", "mmap.", "msvcrt.", "nntplib.", "os.",
    "poplib.", "pty.", "shutil.", "signal.", "smtplib.", "socket.", "sqlite3.", "subprocess.", "syslog.", "telnetlib.",
    "tempfile.", "time.sleep", "urllib.", "webbrowser.", "winreg.",
)


class CannotTry(Exception):
    """There is no process to be had in which to try, or it did not come to an end."""


class Refused(BaseException):
    """What was tried wants to do something that would be seen outside."""


refusals: list[str] = []        # the events that were refused in this process


def run_apart(action: Callable[[], Any]) -> Any:
    """What action() returns in another process: anything that JSON can hold. Raises CannotTry."""
    if not hasattr(os, "fork"):
        raise CannotTry("it cannot be tried without being seen: there is no os.fork on this system")
    here, there = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # of other threads: they are not there, and nothing of theirs is asked for
        try:
            child = os.fork()
        except BaseException as error:
            os.close(here)
            os.close(there)
            if not isinstance(error, OSError):
                raise
            raise CannotTry(f"it could not be tried in a process of its own: {error}") from None
    if not child:
        work(action, there)
    os.close(there)
    try:
        answer = read_all(here)
    finally:
        os.close(here)
        end(child)
    if not answer:
        raise CannotTry(f"trying it took more than {SECONDS:.0f} s, or ended the process in which it was tried")
    answer = json.loads(answer)
    if "error" in answer:
        raise CannotTry(answer["error"])
    return answer["result"]


def read_all(pipe: int) -> bytes:
    """What is written to the pipe until its end; nothing if that does not come in time."""
    text = b""
    end_of_time = time.monotonic() + SECONDS
    while True:
        left = end_of_time - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return b""
        part = os.read(pipe, 65536)
        if not part:
            return text
        text += part


def end(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)      # which has written all it had to, or is late
    with contextlib.suppress(ChildProcessError):        # the program ignores SIGCHLD
        os.waitpid(child, 0)


def work(action: Callable[[], Any], pipe: int) -> None:
    """The child's whole life."""
    answer = {"error": "trying it failed"}
    try:
        guard(pipe)
        answer = {"result": action()}
    except BaseException as error:
        answer = {"error": f"trying it failed with {type(error).__name__}: {error}"}
    finally:
        try:
            text = json.dumps(answer).encode()
            while text:
                text = text[os.write(pipe, text):]
        finally:
            os._exit(0)


def guard(pipe: int) -> None:
    """Nothing that is done from here on is seen outside."""
    gc.disable()
    sys.settrace(None)
    sys.setprofile(None)
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    first = min(pipe, nothing)
    for begin, stop in ((3, first), (first + 1, max(pipe, nothing)), (max(pipe, nothing) + 1, 4096)):
        os.closerange(begin, max(begin, stop))
    sys.addaudithook(refuse)


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
        if not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
            return
    elif not event.startswith(REFUSED) or event in LOOKING:
        return
    refusals.append(event)
    raise Refused(event)
