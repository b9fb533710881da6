"""Benchmark results as a Markdown table beside their targets. Knows nothing of what was timed."""

import argparse
import importlib.metadata
import time

from interleaved import machine

import micrograd_c

HEADER = ["measured", "micrograd_c", "compared with", "ratio of minima", "ratio of medians", "target", ""]


def most(limit):
    """A target not to exceed: its text and its test."""
    return f"≤ {limit:g}", lambda figure: figure <= limit


def least(limit):
    """A target to reach."""
    return f"≥ {limit:g}", lambda figure: figure >= limit


def verdict(target, *figures):
    """The last two columns. All figures have to meet the target."""
    if target is None:
        return ["", ""]
    text, test = target
    return [text, "met" if all(map(test, figures)) else "missed"]


def timed_row(label, ours, name, other, ratios, target):
    """A row about time. Shows the medians."""
    figures = [f"{figure:.3g}" if figure < 100 else f"{figure:.0f}" for figure in ratios]
    times = [benchmark.format_value(benchmark.median()) for benchmark in (ours, other)]
    return [label, times[0], f"{name}: {times[1]}", *figures, *verdict(target, *ratios)]


def asked_for_quick(description):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="see that it runs, in seconds; the figures mean little")
    return parser.parse_args().quick


def print_table(measure_all):
    """Print the rows and the remarks that measure_all() returns, and what they were measured on."""
    wall, processor = time.perf_counter(), time.process_time()
    rows, remarks = measure_all()
    share = (time.process_time() - processor) / (time.perf_counter() - wall)
    for row in [HEADER, ["---"] * len(HEADER), *rows]:
        print("|", " | ".join(row), "|")
    for remark in remarks:
        print(f"\n{remark}")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("micrograd", "pyperf")]
    print(f"\nMeasured on: {machine()}; micrograd_c {micrograd_c.__version__}, {', '.join(versions)}; "
          f"on a processor for {share:.0%} of the time.")
