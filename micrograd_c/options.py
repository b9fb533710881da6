"""What commands check of their options before they begin: optional dependencies, and files that are to be written."""

from __future__ import annotations

import pathlib

from micrograd_c import extras
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["demand_format", "demand_writable", "import_extra"]
__dir__ = lister(__all__)


def import_extra(module: str, option: str, requirement: str) -> Any:
    """Import an optional dependency, or end the program with a sentence that says how to get it."""
    try:
        return extras.import_extra(module, option, requirement)
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise SystemExit(str(error)) from None


def demand_writable(file: str, command: str) -> None:
    """End the program now, rather than when the work is done."""
    try:
        with open(file, "ab"):
            pass
    except OSError as error:
        raise SystemExit(f"{command}: error: {file} cannot be written: {error.strerror}") from None


def demand_format(file: str, formats: Iterable[str], command: str) -> None:
    """End the program if the file's name does not end as that of a format it can be written in."""
    if pathlib.Path(file).suffix[1:].lower() not in formats:
        known = ", ".join(f".{name}" for name in sorted(formats))
        raise SystemExit(f"{command}: error: the name of {file} must end in one of {known}")
