"""What vmap costs a row: single operations, and a network from 100 to 1,000,000 rows. Part of vmap.py."""

import os
import random
import subprocess
import sys

import numpy as np
from vmap_sides import seconds, show

from micrograd_c import linear, maximum, sumprod, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

OPERATIONS = {
    "x + y": lambda x, y: x + y, "x * y": lambda x, y: x * y, "relu": lambda x, y: x.relu(),
    "maximum": maximum, "x / y": lambda x, y: x / y, "x**2": lambda x, y: x**2, "x**2.5": lambda x, y: x**2.5,
    "sqrt": lambda x, y: x.sqrt(), "exp": lambda x, y: x.exp(), "log": lambda x, y: x.log(),
    "tanh": lambda x, y: x.tanh(), "sigmoid": lambda x, y: x.sigmoid(), "sin": lambda x, y: x.sin(),
}


def costs(rounds):
    """Of each operation a row, as part of a chain of so many that all else does not count."""
    size, repeats = 1000, 64
    generator = np.random.RandomState(0)
    X, Y = generator.uniform(0.5, 1.5, size), generator.uniform(0.5, 1.5, size)
    w = Value(1.0)

    def time_of(function):
        mapped, best = vmap(function), [1e9, 1e9]
        for _ in range(20 * rounds):
            forward, batch = seconds(mapped, X, Y)
            backward, _ = seconds(batch.sum().backward)
            best = [min(best[0], forward), min(best[1], backward)]
        return [one / size / repeats * 1e9 for one in best]

    def repeated(operation):
        def function(x, y):
            total = w
            for k in range(repeats):    # each of another number: what is written twice is computed once
                total = total + operation(w * x + 1e-3 * k, y)
            return total
        return function

    base = time_of(repeated(lambda x, y: x))
    rows = [["ns a row", "forward", "backward"]]
    for name, operation in OPERATIONS.items():
        forward, backward = time_of(repeated(operation))
        rows.append([name, f"{max(0.0, forward - base[0]):.2f}", f"{max(0.0, backward - base[1]):.2f}"])
    layer = [[Value(0.01) for _ in range(64)] for _ in range(64)]
    forward, backward = [one * repeats / 64**2 for one in time_of(
        lambda x, y: sum(linear(layer, [x * (0.1 * k) for k in range(64)], [Value(0.0)] * 64)))]
    rows.append(["w * x in a matrix product", f"{forward:.2f}", f"{backward:.2f}"])
    show("What single operations add", rows)


def calls(rounds):
    """What a call costs besides arithmetic: its own, reading a parameter and giving it a gradient, reading lists."""
    weights = [Value(1.0) for _ in range(1000)]
    X, lists = np.ones((1, 1)), np.ones((100, 100)).tolist()

    def least(mapped, rows):
        best = [1e9, 1e9]
        for _ in range(200 * rounds):
            forward, batch = seconds(mapped, rows)
            total = batch.sum()
            best = [min(best[0], forward), min(best[1], seconds(total.backward)[0])]
        return best

    one = least(vmap(lambda x: weights[0] * x[0]), X)
    many = least(vmap(lambda x: sumprod(weights, x * len(weights))), X)
    listed = least(vmap(lambda x: x[0] * weights[0]), lists)
    rows = [["", "forward", "backward"], ["a call, in us", *[f"{time * 1e6:.2f}" for time in one]]]
    rows.append(["a parameter more, and its product, in ns",
                 *[f"{(time - base) / (len(weights) - 1) * 1e9:.1f}" for time, base in zip(many, one)]])
    rows.append(["a number in a list of lists, in ns", f"{(listed[0] - one[0]) / 1e4 * 1e9:.1f}", ""])
    show("What a call costs, for one row", rows)


def forward_and_backward(mapped, X, y):
    mapped(X, y).mean().backward()


def scaling(largest):
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    function = lambda x, y: (1 + -y * model(x)).relu()      # noqa: E731
    rows = [["rows", "us a row", "of 2 threads", "1 thread by 2", "saved_bytes=0", "bytes a row", "saved_bytes=0"]]
    count = 100
    while count <= largest:
        X, y = np.random.RandomState(0).randn(count, 2), np.ones(count)
        sides = [vmap(function), vmap(function, threads=2), vmap(function, saved_bytes=0)]
        best = [1e9] * 3
        for _ in range(max(5, min(300, 200_000 // count))):
            for k, mapped in enumerate(sides):
                best[k] = min(best[k], seconds(forward_and_backward, mapped, X, y)[0] / count * 1e6)
        memory = [f"{growth(count, saved):.0f}" if count >= 100_000 else "" for saved in (2**26, 0)]
        rows.append([f"{count:,}", *[f"{one:.3f}" for one in best[:2]], f"{best[0] / best[1]:.2f}", f"{best[2]:.3f}",
                     *memory])
        count *= 10
    show("The demo's network, forward and backward", rows)


def growth(count, saved):
    """Bytes a row by which a process of its own grows at most, arguments not counted."""
    program = f"""
import numpy as np
from micrograd_c import vmap
from micrograd_c.bench.memory import forget_peak, resident_bytes
from micrograd_c.nn import MLP

model = MLP(2, [16, 16, 1])
mapped = vmap(lambda x, y: (1 + -y * model(x)).relu(), saved_bytes={saved})
X, y = np.ones(({count}, 2)), np.ones({count})
mapped(X[:10], y[:10]).mean().backward()
forget_peak()
before, _ = resident_bytes()
mapped(X, y).mean().backward()
print((resident_bytes()[1] - before) / {count})
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return float(subprocess.run([sys.executable, "-c", program], env=environment, check=True, stdout=subprocess.PIPE,
                                text=True).stdout)
