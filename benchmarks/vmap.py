"""Measures vmap beside a hand-written C version, JAX and PyTorch, whichever is there, in one run with sides in turn.

    python benchmarks/vmap.py [--quick]

Prints a table for each: a whole training step of micrograd's demo; ones of MLPs 64-64-10 and 784-128-10 on batches of
64; a pendulum of 200 steps over 1,000 rows, with two derivatives, and how long it takes to trace or compile; scan
beside the loop written out, which vmap_loops.py alone prints, too; what a call and single operations cost; time and
memory a row from 100 to 1,000,000 rows, and with 2 threads. One thread, float64. Losses are compared before anything is
timed.
"""

import argparse
import ctypes
import os
import random
import sys
import tempfile

import numpy as np
from by_hand import compiler, function, library, pointer
from vmap_loops import loops
from vmap_pendulum import pendulum
from vmap_rows import calls, costs, scaling
from vmap_sides import compare, jax, torch

from micrograd_c import sumprod, vmap
from micrograd_c.demo import load_moons
from micrograd_c.nn import MLP
from micrograd_c.optim import SGD

if jax:
    import jax.numpy as jnp

RATE, DECAY = 0.1, 1e-4
MOST = 1032             # of demo_step.c


# --- the demo's training step ---

def ours_demo(X, y, weights):
    model = MLP(2, [16, 16, 1])
    for p, weight in zip(model.parameters(), weights):
        p.data = weight
    losses = vmap(lambda x, y: (1 + -y * model(x)).relu())
    parameters = model.parameters()
    optimizer = SGD(parameters, lr=RATE)

    def step():
        loss = losses(X, y).mean() + DECAY * sumprod(parameters, parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.data
    return step


def c_demo(X, y, weights, folder):
    step = function(library(folder, "demo_step.c"), "step")
    w, columns, labels = np.array(weights), np.zeros((2, MOST)), np.zeros(MOST)
    columns[:, :len(X)], labels[:len(X)] = X.T, y
    pointers = [pointer(array) for array in (w, columns, labels)]
    padded, decay, rate = -(-len(X) // 8) * 8, ctypes.c_double(DECAY), ctypes.c_double(RATE)
    return lambda: step(*pointers, padded, len(X), decay, rate)


def layers_of(weights):
    """The demo's weights as (rows, biases) a layer."""
    flat, layers = iter(weights), []
    for inputs, outputs in ((2, 16), (16, 16), (16, 1)):
        rows = [[next(flat) for _ in range(inputs + 1)] for _ in range(outputs)]
        layers.append((np.array([row[:-1] for row in rows]), np.array([row[-1] for row in rows])))
    return layers


def jax_demo(X, y, weights):
    def loss(layers):
        h = X
        for w, b in layers[:-1]:
            h = jax.nn.relu(h @ w.T + b)
        w, b = layers[-1]
        scores = (h @ w.T + b)[:, 0]
        decay = sum((part * part).sum() for layer in layers for part in layer)
        return jax.nn.relu(1 - y * scores).mean() + DECAY * decay

    @jax.jit
    def update(layers):
        value, gradients = jax.value_and_grad(loss)(layers)
        return value, jax.tree_util.tree_map(lambda p, g: p - RATE * g, layers, gradients)

    state = [[(jnp.array(w), jnp.array(b)) for w, b in layers_of(weights)]]

    def step():
        value, state[0] = update(state[0])
        return value.block_until_ready()
    return step


def torch_demo(X, y, weights):
    model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(),
                                torch.nn.Linear(16, 1))
    with torch.no_grad():
        for layer, (w, b) in zip(model[::2], layers_of(weights)):
            layer.weight.copy_(torch.tensor(w))
            layer.bias.copy_(torch.tensor(b))
    points, labels = torch.tensor(X), torch.tensor(y)
    parameters = list(model.parameters())
    optimizer = torch.optim.SGD(parameters, lr=RATE)

    def step():
        scores = model(points)[:, 0]
        loss = torch.relu(1 - labels * scores).mean() + DECAY * sum((p * p).sum() for p in parameters)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def demo(rounds):
    X, y = map(np.array, load_moons())
    y = y.astype(float)
    random.seed(1337)
    weights = [float(p.data) for p in MLP(2, [16, 16, 1]).parameters()]
    with tempfile.TemporaryDirectory() as folder:
        sides = {"vmap": ours_demo(X, y, weights)}
        if compiler():
            sides["C by hand, -ffast-math"] = c_demo(X, y, weights, folder)
        if jax:
            sides["JAX, jit"] = jax_demo(X, y, weights)
        if torch:
            sides["PyTorch"] = torch_demo(X, y, weights)
        compare("A training step of micrograd's demo", sides, rounds)


# --- digits ---

def digits(rounds, inputs, hidden):
    generator = np.random.RandomState(0)
    X, labels = generator.rand(64, inputs), generator.randint(10, size=64)
    hot = np.eye(10)[labels]
    random.seed(1)
    model = MLP(inputs, [hidden, 10])
    parameters = model.parameters()
    for p in parameters:
        p.data = 0.1 * p.data
    starts = [float(p.data) for p in parameters]

    def one(x, hot):
        logits = model(x)
        exps = [logit.exp() for logit in logits]
        return sum(exps).log() - sumprod(logits, hot)

    losses, optimizer = vmap(one), SGD(parameters, lr=RATE)

    def ours():
        loss = losses(X, hot).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.data

    sides = {"vmap": ours}
    if torch:
        network = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(),
                                      torch.nn.Linear(hidden, 10))
        flat = iter(starts)
        with torch.no_grad():
            for layer in network[::2]:
                rows = [[next(flat) for _ in range(layer.in_features + 1)] for _ in range(layer.out_features)]
                layer.weight.copy_(torch.tensor([row[:-1] for row in rows]))
                layer.bias.copy_(torch.tensor([row[-1] for row in rows]))
        points, targets = torch.tensor(X), torch.tensor(labels)
        theirs = torch.optim.SGD(network.parameters(), lr=RATE)

        def step():
            loss = torch.nn.functional.cross_entropy(network(points), targets)
            theirs.zero_grad()
            loss.backward()
            theirs.step()
            return loss.item()
        sides["PyTorch"] = step
    compare(f"A training step of MLP({inputs}, [{hidden}, 10]) on a batch of 64", sides, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    quick = parser.parse_args().quick
    rounds = 1 if quick else 10
    demo(rounds)
    digits(rounds, 64, 64)
    digits(rounds, 784, 128)
    pendulum(rounds)
    loops(rounds)
    calls(rounds)
    costs(rounds)
    scaling(10_000 if quick else 1_000_000)
    missing = [name for name, module in (("jax", jax), ("torch", torch)) if module is None]
    if missing:
        print(f"\nnot installed: {', '.join(missing)} (pip install {' '.join(missing)})")
    print(f"\nCPython {sys.version.split()[0]}, {os.cpu_count()} CPUs")


if __name__ == "__main__":
    main()
