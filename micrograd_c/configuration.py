"""What this build and this machine are: the compiler, and the kernels of vmap. For reports of bugs and of speed."""

from __future__ import annotations

import os
import platform
import sys
import sysconfig

from micrograd_c import __version__
from micrograd_c._core.mapped.executor import compiler, instruction_sets
from micrograd_c._listing import lister

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["show_config"]
__dir__ = lister(__all__)


def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print the version, the compiler, and the instruction sets of vmap; or return them, with mode='dicts'.

    >>> import micrograd_c
    >>> sorted(micrograd_c.show_config(mode='dicts'))
    ['compiler', 'instruction_set', 'instruction_sets', 'platform', 'python', 'version']

    `instruction_set` is the one that vmap uses: the first of `instruction_sets`, which this processor has, or what
    the environment variable MICROGRAD_C_KERNELS asks for. The modes are called as NumPy's are.

    Raises ValueError for another mode.
    """
    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', not {mode!r}")
    found = configuration()
    if mode == "dicts":
        return found
    print(lines(found))
    return None


def configuration() -> dict[str, Any]:
    available = instruction_sets()
    return {
        "version": __version__,
        "compiler": compiler(),
        "instruction_set": os.environ.get("MICROGRAD_C_KERNELS", available[0]),
        "instruction_sets": available,
        "python": f"{platform.python_implementation()} {platform.python_version()}{threading()}",
        "platform": f"{sys.platform}, {platform.machine()}",
    }


def threading() -> str:
    """Of a free-threaded build of Python, that it is one."""
    return " free-threaded, with its lock (GIL) on" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""


def lines(found: dict[str, Any]) -> str:
    used, available = found["instruction_set"], found["instruction_sets"]
    note = "" if used in available else ", which is not there: vmap refuses it"
    return "\n".join([
        f"micrograd_c {found['version']}",
        f"compiled by: {found['compiler']}",
        f"instruction set in use by vmap: {used}{note}",
        f"kernels available here: {', '.join(available)}",
        f"Python: {found['python']}, {found['platform']}",
    ])
