"""A checkpoint as a file: a header of JSON and doubles, with checksums, written so that no half of one is ever seen.

Knows files. Knows nothing of models. The layout, of which the first three lines stay as they are in later versions:

    micrograd_c checkpoint
    {"version": 1, "bytes": 16, "sha256": "...", ...}           the bytes that follow, and their checksum
    9f86d0...                                                   the checksum of the two lines above
    doubles, little-endian, one after the other
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import sys
from array import array

try:
    import fcntl
except ImportError:     # not on Windows
    fcntl = None  # type: ignore[assignment]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["CheckpointError", "read_file", "write_file"]

MAGIC = b"micrograd_c checkpoint\n"
VERSION = 1


class CheckpointError(ValueError):
    """A file that is no whole checkpoint, or one that this version cannot read; or that cannot be written now."""

    __module__ = "micrograd_c"      # where people find it


def write_file(path: str, header: dict[str, Any], numbers: array[float]) -> None:
    """Write beside the path, to its name with '.part', and put that in its place once it is on the disk."""
    data = little_endian(numbers)
    whole = {"version": VERSION, "bytes": len(data), "sha256": checksum(data), **header}
    head = MAGIC + json.dumps(whole).encode() + b"\n"
    given, path = path, os.path.realpath(path)      # of a link, what it leads to is replaced
    mode = mode_of(path, given)
    part = path + ".part"
    file = open_part(part)
    try:
        if mode is not None and os.name == "posix":
            os.fchmod(file, mode)
        with open(file, "wb", closefd=False) as out:
            out.write(head + checksum(head).encode() + b"\n")
            out.write(data)
            out.flush()
            os.fsync(file)
        if fcntl is None:
            os.close(file)      # Windows moves no file that is open
            file = -1
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise
    finally:
        if file != -1:
            os.close(file)
    sync_folder(os.path.dirname(path))


def mode_of(path: str, given: str) -> int | None:
    """The permissions of the file that is to be replaced, if there is one. Raises OSError if it must not be."""
    if not given:
        raise FileNotFoundError(errno.ENOENT, "save wants the path of a file", given)
    try:
        found = os.stat(path).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), given)
    if not stat.S_ISREG(found):
        raise OSError(errno.EINVAL, "save replaces files, and this is none", given)
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), given)
    return stat.S_IMODE(found)


def open_part(part: str) -> int:
    """The file to write to, empty, and locked where there are locks. One that a process has left that died is reused.

    A process that has waited for it may have opened what is the checkpoint by now, so the name is looked up again.
    """
    while True:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not is_named(file, part):
                    os.close(file)
                    continue
            os.ftruncate(file, 0)
        except BlockingIOError:
            os.close(file)
            raise CheckpointError(f"{part} is being written by another process or thread: one at a time may save to a "
                                  "path") from None
        return file


def is_named(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False


def sync_folder(folder: str) -> None:
    """So that the new name outlives a loss of power."""
    if os.name == "posix":
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def read_file(path: str) -> tuple[dict[str, Any], array[float]]:
    """The header and the doubles. Raises CheckpointError, or OSError if there is no such file."""
    with open(path, "rb") as file:
        content = file.read()
    if not content.startswith(MAGIC):
        if MAGIC.startswith(content):
            raise CheckpointError(f"{path} is cut off: it has {len(content)} bytes, not even its first line")
        raise CheckpointError(f"{path} is no checkpoint of micrograd_c, which begins with {MAGIC!r}: it begins with "
                              f"{content[: len(MAGIC)]!r}")
    end = content.find(b"\n", len(MAGIC)) + 1
    start = content.find(b"\n", end) + 1
    if not end or not start:
        raise CheckpointError(f"{path} is cut off: it has {len(content)} bytes, and its header does not end")
    if content[end : start - 1] != checksum(content[:end]).encode():
        raise CheckpointError(f"{path} is damaged: its header's checksum should be {checksum(content[:end])}, and is "
                              f"{content[end : start - 1][:80]!r}")
    header, data = json.loads(content[len(MAGIC) : end]), content[start:]
    if header["version"] != VERSION:
        raise CheckpointError(f"{path} is a checkpoint of version {header['version']}, and this micrograd_c reads "
                              f"version {VERSION}: install a newer one")
    if len(data) != header["bytes"]:
        problem = "cut off" if len(data) < header["bytes"] else "too long"
        raise CheckpointError(f"{path} is {problem}: it has {len(data)} bytes of numbers, and its header says "
                              f"{header['bytes']}")
    if checksum(data) != header["sha256"]:
        raise CheckpointError(f"{path} is damaged: its numbers' checksum should be {header['sha256']}, and is "
                              f"{checksum(data)}")
    numbers = array("d", data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return header, numbers


def little_endian(numbers: array[float]) -> bytes:
    if sys.byteorder == "big":
        numbers = array("d", numbers)
        numbers.byteswap()
    return numbers.tobytes()


def checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
