"""What programs' own lines cost in Python by themselves: floors for any engine that they are run on.

    python benchmarks/floor.py [--quick]

10,000 operations, `x = x * b + a`, on floats, of which Python keeps those that die for the next ones; on complex
numbers, for which it asks for memory each time; and on Values, which are recorded, and all dropped at the end.

A training step of micrograd's demo: the same lines run on plain floats, the cheapest objects there are with operators.
A call of the model returns a number that is there already, backward() and relu() are methods of floats that do nothing,
and parameters are objects with slots.

A network of ops of one's own, from `micrograd-c bench`: with closures, with local gradients, and the latter's lines on
objects with slots, which record nothing.

The demo's step by vmap: with its 100 points, and with 8, which is the same calls for little arithmetic.

Sides take turns; prints minima and medians.
"""

import argparse
import gc
import statistics
import time

import numpy as np
from vmap import ours_demo

from micrograd_c.bench import inputs, programs
from micrograd_c.bench.peers.values import LocalGradients, Ours, numbers_of_products, numbers_of_tanh
from micrograd_c.demo import Training, load_moons
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

POINTS, LABELS = load_moons()
COUNT = 337     # parameters
SCORE = 0.5     # of any point


class Parameter:
    """`data` and `grad` cost less here than anything with a say in them."""

    __slots__ = ("data", "grad")

    def __init__(self):
        self.data, self.grad = 0.5, 0.25


class Model:
    """Computes nothing."""

    def __init__(self):
        self.numbers, self.kept = [0.5] * COUNT, [Parameter() for _ in range(COUNT)]

    def parameters(self):
        return self.numbers[:]

    zero_grad = parameters


model = Model()
score = {1: SCORE}.get      # a function that looks at its argument, and does nothing else


def lines(k):
    """Those of Training.loss and Training.step, with other names where there are no Values."""
    inputs = [list(map(float, xrow)) for xrow in POINTS]
    scores = [score(1) for _ in inputs]
    losses = [(1 + -yi * scorei).conjugate() for yi, scorei in zip(LABELS, scores)]
    data_loss = sum(losses) * (1.0 / len(losses))
    alpha = 1e-4
    reg_loss = alpha * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    accuracy = [(yi > 0) == (scorei.real > 0) for yi, scorei in zip(LABELS, scores)]
    accuracy = sum(accuracy) / len(accuracy)
    model.zero_grad()
    total_loss.conjugate()
    learning_rate = 1.0 - 0.9 * k / 100
    for p in model.kept:
        p.data -= learning_rate * p.grad
    return total_loss, accuracy


# --- operations ---

def chains():
    def side(*numbers):
        chain = programs.fresh_copy("micrograd_c.bench.programs").chain
        return lambda: chain(*numbers, 5_000)

    numbers = inputs.START, inputs.ADDEND, inputs.FACTOR
    return {kind.__name__: side(*map(kind, numbers)) for kind in (float, complex, Value)}


# --- ops of one's own ---

class Kept:
    """What an op with local gradients is given, and no graph."""

    __slots__ = ("children", "data", "local_gradients")

    def __init__(self, data, children=(), local_gradients=()):
        self.data, self.children, self.local_gradients = data, children, local_gradients

    def __add__(self, other):
        return self

    __radd__ = __add__


def own_ops():
    """Runs by name. The lines have bytecode of their own, as the sides' have."""
    layers = [[list(map(Kept, row)) for row in rows] for rows in inputs.own_layers()]
    network = programs.fresh_copy("micrograd_c.bench.programs").network_of_own_ops
    functions = numbers_of_products(Kept), numbers_of_tanh(Kept)
    return {
        "with closures": Ours(None).own_ops().run,
        "with local gradients": LocalGradients(None).own_ops().run,
        "the lines of local gradients alone": lambda: network(
            layers, list(map(Kept, inputs.own_point())), *functions),
    }


# --- sides in turn ---

def steps():
    training = Training("micrograd_c")

    def step():
        training.k %= 90
        training.step()
    return {"the lines alone": lambda: lines(training.k), "a step of micrograd_c": step}


def mapped():
    X, y = map(np.array, load_moons())
    weights = [float(p.data) for p in MLP(2, [16, 16, 1]).parameters()]
    return {f"{count} points": ours_demo(X[:count], y[:count].astype(float), weights) for count in (100, 8)}


def compare(title, sides, rounds):
    times = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            for _ in range(30):
                start = time.perf_counter()
                side()
                times[name].append(time.perf_counter() - start)
    print(f"| {title} | minimum | median |\n| --- | ---: | ---: |")
    for name, found in times.items():
        print(f"| {name} | {min(found) * 1e6:.1f} us | {statistics.median(found) * 1e6:.1f} us |")
    print()
    gc.collect()        # closures' ops are cycles


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    rounds = 3 if parser.parse_args().quick else 60
    compare("10,000 operations", chains(), rounds)
    compare("a training step of the demo", steps(), rounds)
    compare("a network of ops of one's own", own_ops(), rounds)
    compare("a training step of the demo by vmap", mapped(), rounds)


if __name__ == "__main__":
    main()
