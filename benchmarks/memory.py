"""Prints, as JSON, what a long chain of recorded operations takes: in the arena, and in resident memory.

A program of its own because resident memory only tells something in a process that has done nothing else. Knows nothing
of targets.
"""

import argparse
import json
import os
import pathlib

from programs import chain

from micrograd_c import tape
from micrograd_c.engine import Value

STATM = pathlib.Path("/proc/self/statm")


def resident_bytes():
    """Resident memory now, or None where the system does not tell. (`resource` knows the peak only.)"""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") if STATM.exists() else None


def measure(operations):
    """Growth over the chain, divided by the nodes it recorded."""
    numbers = 1.0, 0.001, 0.999
    # a rehearsal, so that what is only taken once is taken already
    chain(*map(Value, numbers), 100)
    resident_bytes()
    x, a, b = map(Value, numbers)
    before, resident_before = tape.stats(), resident_bytes()
    x = chain(x, a, b, operations // 2)
    after, resident_after = tape.stats(), resident_bytes()
    nodes = after["nodes"] - before["nodes"]
    return {
        "nodes": nodes,
        "used": (after["bytes_used"] - before["bytes_used"]) / nodes,
        "reserved": after["bytes_reserved"] / nodes,
        "resident": None if resident_after is None else (resident_after - resident_before) / nodes,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=1_000_000)
    print(json.dumps(measure(parser.parse_args().operations)))
