"""Times this package in whatever Python runs it, a browser's or Node's included, beside micrograd: see browser.mjs.

    python benchmarks/browser.py [--quick]

A training step of micrograd's demo, eagerly and by vmap, and the expression in micrograd's README, all sides in turn in
one run, micrograd also without Python's collector, which takes most of its time. Losses and gradients are compared
before anything is timed.
"""

import gc
import importlib
import math
import statistics
import sys
import time

from micrograd_c.bench import inputs, programs
from micrograd_c.demo import Training, VmapTraining, shown

ROUNDS = 3 if "--quick" in sys.argv else 15
SHORTEST = 0.02         # seconds of a timing
STEPS = 5               # whose losses are compared
ORIGINAL, UNCOLLECTED = "micrograd, as it comes", "micrograd, gc.disable()"


def expression(package):
    Value = importlib.import_module(f"{package}.engine").Value
    lines = programs.fresh_copy("micrograd_c.bench.programs").expression

    def run():
        a, b = map(Value, inputs.EXPRESSION)
        g = lines(a, b, Value.relu)
        g.backward()
        return [g.data, a.grad, b.grad]
    return run


def demo(kind, package):
    training = kind(package)
    losses = [training.step()[0] for _ in range(STEPS)]

    def step():
        training.k = 0          # the rate falls to 0 in 100 steps, and below
        training.step()
    return step, losses


def timed(run, times, collector):
    if not collector:
        gc.disable()
    start = time.perf_counter()
    for _ in range(times):
        run()
    seconds = (time.perf_counter() - start) / times
    if not collector:
        gc.enable()
        gc.collect()
    return seconds


def in_turn(sides):
    """The median seconds of each."""
    taken, times = {name: [] for name in sides}, {}
    for name, run in sides.items():
        times[name] = max(1, int(SHORTEST / min(timed(run, 1, name != UNCOLLECTED) for _ in range(2))))
    for _ in range(ROUNDS):
        for name, run in sides.items():
            taken[name].append(timed(run, times[name], name != UNCOLLECTED))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def table(title, sides):
    medians = in_turn(sides)
    print(f"\n| {title} | median | times ours |\n|---|--:|--:|")
    for name, seconds in medians.items():
        print(f"| {name} | {shown(seconds)} | {seconds / medians['micrograd_c']:,.2f} |")


def agree(results):
    """Sums of gradients may differ in their last bits: micrograd adds in the order of a set."""
    for other in results[1:]:
        assert all(math.isclose(x, y, rel_tol=1e-9) for x, y in zip(results[0], other)), results


def main():
    kinds = {"micrograd_c": (Training, "micrograd_c"), "micrograd_c, by vmap": (VmapTraining, "micrograd_c"),
             ORIGINAL: (Training, "micrograd"), UNCOLLECTED: (Training, "micrograd")}
    made = {name: demo(*kind) for name, kind in kinds.items()}
    agree([losses for _, losses in made.values()])
    table("a training step of the demo", {name: step for name, (step, _) in made.items()})
    expressions = {"micrograd_c": expression("micrograd_c"), ORIGINAL: expression("micrograd"),
                   UNCOLLECTED: expression("micrograd")}
    agree([run() for run in expressions.values()])
    table("the README's expression", expressions)
    print(f"\nPython {sys.version.split()[0]}, {sys.platform}")


main()
