"""What calls of networks cost, with Values and with numbers, and steps of a mapped GPT; of one installation, or of two.

    python benchmarks/calls.py [--quick] [--beside PYTHON]

PYTHON is that of another environment with micrograd_c, say one with the version before a change: both are measured in
turn, ten times each. Prints the minimum of all, in microseconds. Losses and gradients are compared before that.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import time

EXAMPLES = pathlib.Path(__file__).resolve().parents[1] / "examples"
SEED = 1
NAME = [0, 9, 19, 1, 2, 5, 12, 12, 1, 0]        # of eight letters, as numbers
TURNS = 10


def programs():
    """By name: a function to time, and how often it is called at a time."""
    from micrograd_c.engine import Value
    from micrograd_c.nn import MLP

    random.seed(1337)
    small, large = MLP(2, [16, 16, 1]), MLP(784, [128, 10])
    pair, row = [0.5, -0.3], [random.random() for _ in range(784)]
    small_values, large_values = list(map(Value, pair)), list(map(Value, row))
    return {
        "MLP(2, [16, 16, 1]), Values": (lambda: small(small_values), 200),
        "MLP(2, [16, 16, 1]), numbers": (lambda: small(pair), 200),
        "MLP(784, [128, 10]), Values": (lambda: large(large_values), 2),
        "the same and backward()": (lambda: sum(large(large_values)).backward(), 2),
        "MLP(784, [128, 10]), numbers": (lambda: large(row), 2),
        "numbers, and backward()": (lambda: sum(large(row)).backward(), 2),
        **compiled(),
        **gpts(),
    }


def mapped_gpt():
    """The model of examples/gpt_vmap.py, with weights drawn at random."""
    if str(EXAMPLES) not in sys.path:
        sys.path.insert(0, str(EXAMPLES))
    import gpt_vmap

    return gpt_vmap.GPT(SEED)


def compiled():
    from micrograd_c import jit
    from micrograd_c.engine import Value

    line = jit(lambda x: x * 2.0 + 1.0)
    total = jit(lambda xs: sum(xs))
    values = [Value(1.0) for _ in range(16)]
    return {
        "jit, a number": (lambda: line(0.5), 200), "jit, a list of 16 Values": (lambda: total(values), 100),
    }


def gpts():
    model, found = mapped_gpt(), {}
    for count in (1, 32):
        names = [NAME] * count
        found[f"a mapped GPT, {count} of a name, forward"] = (lambda names=names: model.loss(names), 2)
        found[f"a mapped GPT, {count} of a name, forward and backward"] = (
            lambda names=names: model.loss(names).backward(), 2)
    return found


def results():
    """Numbers that do not depend on the version."""
    from micrograd_c.nn import MLP

    random.seed(1337)
    model = MLP(3, [8, 1])
    out = model([0.5, -1.0, 2.0])
    out.backward()
    return [out.data, *[p.grad for p in model.parameters()]]


def measure(quick):
    """Print minima, in microseconds, as JSON."""
    found = {}
    for name, (function, often) in programs().items():
        best = float("inf")
        for _ in range(3 if quick else 60):
            start = time.perf_counter()
            for _ in range(often):
                function()
            best = min(best, (time.perf_counter() - start) / often)
        found[name] = best * 1e6
    print(json.dumps([results(), found]))


def measured(python, quick):
    command = [python, __file__, "--measure", *(["--quick"] if quick else [])]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    parser.add_argument("--beside", metavar="PYTHON", help="of another environment with micrograd_c")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.quick)
        return
    pythons = [sys.executable, *([given.beside] if given.beside else [])]
    best, numbers = [{} for _ in pythons], []
    for _ in range(1 if given.quick else TURNS):
        for python, minima in zip(pythons, best):
            compared, found = measured(python, given.quick)
            numbers.append(compared)
            for name, microseconds in found.items():
                minima[name] = min(microseconds, minima.get(name, microseconds))
    if any(one != numbers[0] for one in numbers):
        raise SystemExit("results or gradients differ")
    print("| minima, in microseconds | here |" + (" beside | ratio |" if given.beside else ""))
    print("| --- | ---: |" + (" ---: | ---: |" if given.beside else ""))
    for name, here in best[0].items():
        rest = f" {best[1][name]:,.1f} | {here / best[1][name]:.2f} |" if given.beside else ""
        print(f"| {name} | {here:,.1f} |{rest}")


if __name__ == "__main__":
    main()
