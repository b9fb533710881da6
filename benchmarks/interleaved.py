"""Times several callables A B A B ... in one process, so that whatever slows the machine down slows all of them.

Knows nothing of what it times. Clock, statistics and the facts about the machine are pyperf's; pyperf itself gives each
benchmark processes of its own, one after the other, which is why it does not do the timing.
"""

import gc
from collections import namedtuple
from dataclasses import dataclass
from typing import Callable

import pyperf

Ratio = namedtuple("Ratio", ["minima", "medians"])


@dataclass
class Candidate:
    """What to time: `run()`, which does so many `operations`, with Python's cyclic collector on or off."""

    name: str
    run: Callable[[], object]
    operations: int = 1
    collector: bool = True
    repeats: int = 1    # timings in a row in each round, so that a fast callable gets more of them than a slow one


def measure(candidates, rounds, warmups=1):
    """Run all candidates in turn, `rounds` times; returns {name: pyperf.Benchmark} in seconds per operation."""
    seconds = {candidate.name: [] for candidate in candidates}
    collector_was_on = gc.isenabled()
    try:
        for k in range(warmups + rounds):
            for candidate in candidates:
                values = timings(candidate)
                if k >= warmups:
                    seconds[candidate.name] += values
    finally:
        set_collector(collector_was_on)
    return {
        name: pyperf.Benchmark([pyperf.Run(values, metadata={"name": name}, collect_metadata=False)])
        for name, values in seconds.items()
    }


def timings(candidate):
    """One round of a candidate. What it leaves behind is freed before the next one, outside the timed region."""
    values = []
    set_collector(candidate.collector)
    for k in range(candidate.repeats):
        # with the collector off micrograd leaks tens of megabytes a run; with it on, collecting is part of the time
        if k == 0 or not candidate.collector:
            gc.collect()
        start = pyperf.perf_counter()
        candidate.run()
        values.append((pyperf.perf_counter() - start) / candidate.operations)
    gc.collect()
    return values


def set_collector(on):
    """gc.enable() or gc.disable()."""
    if on:
        gc.enable()
    else:
        gc.disable()


def minimum(benchmark):
    """The fastest value of a pyperf.Benchmark."""
    return min(benchmark.get_values())


def ratio(benchmark, other):
    """How many times as long as the other one takes."""
    return Ratio(minimum(benchmark) / minimum(other), benchmark.median() / other.median())


def machine():
    """One line on what the figures were measured on."""
    facts = pyperf.Run([1.0], metadata={"name": "machine"}).get_metadata()
    parts = [
        facts.get("cpu_model_name", "unknown CPU"),
        f"{facts.get('cpu_count', '?')} logical CPUs",
        facts.get("platform", "unknown platform"),
        f"{facts.get('python_implementation', 'python')} {facts.get('python_version', '')}",
        facts.get("python_compiler", "unknown compiler"),
        # makes Python's own floats faster, but not compiled modules
        f"Python configured with --enable-optimizations: {optimised(facts)}",
        f"load {facts.get('load_avg_1min', 'unknown')}",
    ]
    return ", ".join(parts)


def optimised(facts):
    """yes, no or unknown. Distributions that optimise in another way show as no."""
    if "python_config_args" not in facts:
        return "unknown"
    return "yes" if "--enable-optimizations" in facts["python_config_args"] else "no"
