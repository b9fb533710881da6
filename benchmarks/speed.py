"""Measures speed and memory, and prints them as a Markdown table beside their targets.

Knows nothing of how micrograd_c works: it uses what anybody can import. Holds targets, never results. The exit status
says whether the values were equal; how fast they came is for the reader.
"""

import importlib
import importlib.util
import json
import math
import pathlib
import subprocess
import sys

from interleaved import Candidate, measure, ratio
from programs import fresh_copy
from table import asked_for_quick, least, most, print_table, timed_row, verdict

from micrograd_c.engine import Value

OURS, AS_IT_COMES, UNCOLLECTED = "micrograd_c", "micrograd as it comes", "micrograd, gc.disable()"
CLEANED = "micrograd, gc.collect() before each step, untimed"
TOLERANCE = 1e-9


def demand_equal(what, ours, theirs):
    """End the program with status 1 unless two sequences of numbers are equal."""
    for a, b in zip(ours, theirs):
        if not math.isclose(a, b, rel_tol=TOLERANCE):
            raise SystemExit(f"{what}: {a!r} is not {b!r}; nothing was timed")


def loop_rows(turns, rounds):
    """`x = x*b + a` on floats and on Values."""
    float_chain, value_chain = fresh_copy("programs").chain, fresh_copy("programs").chain
    numbers = 1.0, 0.001, 0.999

    def forward():
        return value_chain(*map(Value, numbers), turns)

    def forward_and_backward():
        forward().backward()

    start = Value(numbers[0])
    end = value_chain(start, *map(Value, numbers[1:]), turns)
    end.backward()
    demand_equal("the loop", [end.data, start.grad], [float_chain(*numbers, turns), numbers[2] ** turns])
    # the graph would stay on the tape under everything that is timed
    del start, end
    results = measure([
        Candidate("floats", lambda: float_chain(*numbers, turns), 2 * turns),
        Candidate("forward", forward, 2 * turns),
        Candidate("both", forward_and_backward, 2 * turns),
    ], rounds)
    floats = results["floats"]
    return [
        timed_row(label, results[name], "Python floats", floats, ratio(results[name], floats), most(limit))
        for label, name, limit in [
            ("one op of `x = x*b + a`, forward", "forward", 3),
            ("the same, forward and `x.backward()` together", "both", 3.5),
        ]
    ]


def memory_rows():
    """What a chain of a million operations takes."""
    program = pathlib.Path(__file__).with_name("memory.py")
    output = subprocess.run([sys.executable, str(program)], check=True, stdout=subprocess.PIPE).stdout
    figures = json.loads(output)
    rows = []
    for label, key, target in [
        ("bytes of arena in use", "used", most(40)),
        ("bytes of arena reserved", "reserved", None),
        ("growth of resident memory in bytes", "resident", None),
    ]:
        figure = figures[key]
        shown = "not known here" if figure is None else f"{figure:.1f}"
        rows.append([f"{label}, per node of {figures['nodes']:,}", shown, "", "", "", *verdict(target, figure)])
    return rows


def versus_rows(label, results, targets):
    """A row for each contender in `targets`, against micrograd_c."""
    return [
        timed_row(label, results[OURS], name, results[name], ratio(results[name], results[OURS]), target)
        for name, target in targets.items()
    ]


def demo_training(package):
    """The demo's training, with bytecode of its own."""
    return fresh_copy("micrograd_c.demo").Training(package)


def first_losses(training, steps):
    """The losses that must be the same everywhere."""
    return [training.step()[0] for _ in range(steps)]


def demo_rows(rounds, warmups, steps):
    """One step of the demo's training.

    As it comes, a step also pays for collecting the graph of the step before. That takes several steps in a row with
    nothing in between: a collection before each, outside of the timing, spares micrograd up to half of its time.
    """
    demand_equal("the demo", *(first_losses(demo_training(name), steps) for name in ("micrograd_c", "micrograd")))
    ours, theirs = demo_training("micrograd_c"), demo_training("micrograd")
    results = measure([
        Candidate(OURS, lambda: first_losses(ours, steps), steps, repeats=5),
        Candidate(AS_IT_COMES, lambda: first_losses(theirs, steps), steps),
        Candidate(CLEANED, theirs.step),
        Candidate(UNCOLLECTED, theirs.step, collector=False),
    ], rounds, warmups)
    targets = {AS_IT_COMES: least(1500), CLEANED: None, UNCOLLECTED: least(200)}
    return versus_rows("one step of the demo", results, targets)


def expression_rows(rounds, times):
    """The example in micrograd's README."""
    def contender(package):
        return fresh_copy("programs"), importlib.import_module(f"{package}.engine").Value

    def values(package):
        programs, kind = contender(package)
        g, a, b = programs.expression(kind)
        return [g.data, a.grad, b.grad]

    def make(package):
        programs, kind = contender(package)
        return lambda: programs.expressions(kind, times)

    demand_equal("micrograd's README expression", values("micrograd_c"), values("micrograd"))

    theirs = make("micrograd")
    results = measure([
        Candidate(OURS, make("micrograd_c"), times, repeats=5),
        Candidate(AS_IT_COMES, theirs, times),
        Candidate(UNCOLLECTED, theirs, times, collector=False),
    ], rounds)
    return versus_rows("micrograd's README expression", results, {AS_IT_COMES: None, UNCOLLECTED: least(40)})


def torch_rows(rounds, steps):
    """The demo's step in PyTorch, for context. Comes last: importing it gives Python's collector more to do."""
    if importlib.util.find_spec("torch") is None:
        return []
    from torch_demo import TorchTraining

    training = demo_training("micrograd_c")
    torch_training = TorchTraining(training)
    demand_equal("the demo in PyTorch", first_losses(training, steps), first_losses(torch_training, steps))
    name = "PyTorch, batched, float64, 1 thread"
    results = measure([
        Candidate(OURS, training.step, repeats=20),
        Candidate(name, torch_training.step, repeats=20),
    ], rounds)
    return versus_rows("one step of the demo", results, {name: None})


def main():
    """Measure, print."""
    quick = asked_for_quick(__doc__)
    print_table(lambda: ([
        *loop_rows(turns=2_000 if quick else 100_000, rounds=5 if quick else 60),
        *memory_rows(),
        *demo_rows(rounds=1 if quick else 7, warmups=0 if quick else 1, steps=2 if quick else 5),
        *expression_rows(rounds=3 if quick else 60, times=20 if quick else 200),
        *torch_rows(rounds=2 if quick else 10, steps=2 if quick else 5),
    ], []))


if __name__ == "__main__":
    main()
