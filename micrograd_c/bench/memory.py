"""Prints, as JSON, by how many bytes one side's memory grows: python -m micrograd_c.bench.memory SIDE WORKLOAD SIZES.

A program of its own, because memory only tells something in a process that has done nothing else.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import pathlib
import subprocess
import sys

from micrograd_c import tape
from micrograd_c.bench.inputs import Sizes
from micrograd_c.bench.peers import OURS, SIDES, Cannot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from micrograd_c.bench.peers import Side

__all__ = ["grown"]

INSTALLED = pathlib.Path(tape.__file__).parents[1]
STATUS, CLEAR = pathlib.Path("/proc/self/status"), pathlib.Path("/proc/self/clear_refs")


def grown(side: Side, workload: str, sizes: Sizes) -> dict[str, Any]:
    """What a process of its own says of this side: {"bytes", "operations", "note"} or {"reason"}, or {"failure"}."""
    command = [sys.executable, "-m", "micrograd_c.bench.memory", side.name, workload, json.dumps(vars(sizes))]
    # -m looks into the current folder first, which may be the sources'
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=INSTALLED)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return {"failure": lines[-1] if lines else f"the process ended with status {done.returncode}"}
    return json.loads(done.stdout.splitlines()[-1])


def resident_bytes() -> tuple[int, int]:
    """Resident memory now, and its peak. Raises Cannot where the system does not tell."""
    if STATUS.exists():
        sizes = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
        if "VmHWM" in sizes:
            now, peak = (int(sizes[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
            return now, peak
    try:
        import resource
    except ImportError:
        raise Cannot("this system does not tell how much memory a process has") from None
    # only a peak, in bytes on macOS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak, peak


def forget_peak() -> None:
    """Let the peak start anew from what is resident now, where the system can."""
    with contextlib.suppress(OSError):
        CLEAR.write_text("5")


def measure(side: Side, workload: str, sizes: Sizes) -> tuple[dict[str, Any], object]:
    """Bytes from just before the run to its peak; and what the run returned, to be kept alive as it is."""
    try:
        resident_bytes()
        program = side.create(sizes).program(workload)
    except Cannot as error:
        return {"reason": str(error)}, None
    if program.prepare:
        program.prepare()
    gc.collect()
    if not side.collector:
        gc.disable()
    forget_peak()
    nodes, used = (tape.stats()[name] for name in ("nodes", "bytes_used"))
    before, _ = resident_bytes()
    kept = program.run()
    _, peak = resident_bytes()
    result = {"bytes": peak - before, "operations": program.operations, "note": program.note}
    if side.name == OURS and workload == "node":
        after = tape.stats()
        result["arena"] = (after["bytes_used"] - used) / (after["nodes"] - nodes)
    return result, kept


def main(name: str, workload: str, sizes: str) -> None:
    """Print, and leave without freeing: a long chain of objects is freed recursively by some."""
    (side,) = (side for side in SIDES if side.name == name)
    result, _kept = measure(side, workload, Sizes(**json.loads(sizes)))
    print(json.dumps(result), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
