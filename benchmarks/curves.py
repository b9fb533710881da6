"""Shows whether an op's cost grows with the number of parameters alive, or with the age of the process.

    python benchmarks/curves.py [--quick] [--plot FILE]

Prints two Markdown tables of nanoseconds per op, the fastest of many timings, beside those of Python floats at the
same moment. What is timed is always the loop `x = x*b + a` of 500 ops, without and with `x.backward()`: on new leaves;
and with the oldest parameter as b, so that all others lie between the graph and what it was computed from.
"""

import argparse
import time

from micrograd_c.bench.inputs import ADDEND, FACTOR, START
from micrograd_c.bench.programs import fresh_copy
from micrograd_c.bench.report import aligned
from micrograd_c.engine import Value
from micrograd_c.options import import_extra

TURNS = 250
COLUMNS = ["forward", "forward and backward", "forward and backward over the oldest parameter", "Python floats"]
ALIVE = [10, 100, 1_000, 10_000, 100_000, 1_000_000]
AGES = [0, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]       # ops
PARAMETERS = 1_000      # alive while the process ages


class Loops:
    """What is timed, each with bytecode of its own."""

    def __init__(self):
        self.chains = [fresh_copy("micrograd_c.bench.programs").chain for _ in COLUMNS]

    def run(self, oldest):
        """Seconds of each column's loop."""
        forward, both, over_oldest, floats = self.chains
        return [
            seconds(lambda: forward(Value(START), Value(ADDEND), Value(FACTOR), TURNS)),
            seconds(lambda: both(Value(START), Value(ADDEND), Value(FACTOR), TURNS).backward()),
            seconds(lambda: over_oldest(Value(START), Value(ADDEND), oldest, TURNS).backward()),
            seconds(lambda: floats(START, ADDEND, FACTOR, TURNS)),
        ]

    def fastest(self, oldest, times):
        """Nanoseconds per op, for each column."""
        timings = [self.run(oldest) for _ in range(times)]
        return [min(column) / (2 * TURNS) * 1e9 for column in zip(*timings)]


def seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def curve_of_parameters(sweeps, times):
    """{parameters alive: nanoseconds}, from several sweeps over all numbers."""
    loops, found = Loops(), {}
    loops.fastest(Value(FACTOR), times)
    for _ in range(sweeps):
        for count in ALIVE:
            parameters = [Value(FACTOR) for _ in range(count)]
            figures = loops.fastest(parameters[0], times)
            found[count] = list(map(min, figures, found.get(count, figures)))
            del parameters
    return found


def curve_of_age(times, ages):
    """{ops done so far: nanoseconds}. Half of the ops go through the oldest parameter, as training does."""
    loops, found, done = Loops(), {}, 0
    parameters = [Value(FACTOR) for _ in range(PARAMETERS)]
    chain = fresh_copy("micrograd_c.bench.programs").chain
    loops.run(parameters[0])
    for age in ages:
        while done < age:
            chain(Value(START), Value(ADDEND), Value(FACTOR), TURNS).backward()
            chain(Value(START), Value(ADDEND), parameters[0], TURNS).backward()
            done += 4 * TURNS
        found[age] = loops.fastest(parameters[0], times)
    return found


def table(heading, curve):
    """Markdown."""
    lines = [[f"{x:,}", *(f"{figure:.1f}" for figure in figures)] for x, figures in curve.items()]
    return "\n".join(aligned([[heading, *COLUMNS], *lines]))


def draw(pyplot, file, curves):
    """Both tables as a picture."""
    figure, grid = pyplot.subplots(1, len(curves), figsize=(12, 4), sharey=True, layout="constrained")
    for axes, (heading, curve) in zip(grid, curves.items()):
        for name, figures in zip(COLUMNS, zip(*curve.values())):
            axes.plot(list(curve), figures, marker="o", label=name)
        axes.set_xscale("symlog")
        axes.set_yscale("log")
        axes.set_xlabel(heading)
    grid[0].set_ylabel("nanoseconds per op")
    grid[0].legend()
    figure.savefig(file)


def main():
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs, in seconds; the figures mean little")
    parser.add_argument("--plot", metavar="FILE", help="draw the curves (needs the extra `plot`)")
    options = parser.parse_args()
    if options.plot:
        import_extra("matplotlib", "--plot", "'micrograd_c[plot]'").use("Agg")     # no window
        pyplot = import_extra("matplotlib.pyplot", "--plot", "'micrograd_c[plot]'")
    sweeps, times, ages = (1, 5, AGES[:-1]) if options.quick else (5, 50, AGES)
    curves = {
        "parameters alive": curve_of_parameters(sweeps, times),
        "ops done by the process": curve_of_age(5 * times, ages),
    }
    print("\n\n".join(table(heading, curve) for heading, curve in curves.items()))
    if options.plot:
        draw(pyplot, options.plot, curves)


if __name__ == "__main__":
    main()
