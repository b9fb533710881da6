"""What the figures were measured on. Knows nothing of what was measured."""

from __future__ import annotations

import os
import pathlib
import platform
import re
import sysconfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["described", "facts"]


def facts() -> dict[str, Any]:
    """The machine and its Python, for JSON."""
    return {
        "processor": processor(),
        "logical_processors": os.cpu_count(),
        "platform": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
        # makes Python's own floats faster, but not compiled modules
        "python_optimized": "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or ""),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def processor() -> str:
    """The model's name."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found.group(1)
    return platform.processor() or platform.machine()


def described(facts: dict[str, Any]) -> str:
    """The facts in one line."""
    optimized = "yes" if facts["python_optimized"] else "no"
    load = "unknown" if facts["load"] is None else f"{facts['load']:.2f}"
    return (
        f"{facts['processor']}, {facts['logical_processors']} logical CPUs, {facts['platform']}, {facts['python']}, "
        f"{facts['compiler']}, Python configured with --enable-optimizations: {optimized}, load {load}"
    )
