"""Threads that use everything at once, and forks among them: python benchmarks/threads_and_forks.py [SECONDS]

Each thread goes round and round over programs of different features, which share a model's parameters, and compares
what comes out with what came out before there were any other threads. The main thread forks: the child does the same
programs once, looks at the tape, and ends. Prints thread-seconds, rounds, forks and differences.
"""

import copy
import os
import random
import sys
import threading
import time
import traceback
import warnings

from micrograd_c import cross_entropy, no_grad, softmax, sumprod, tape, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

THREADS = 4
INPUTS = [[0.5, -1.0, 0.25], [1.5, 2.0, -0.75], [0.0, 0.125, 1.0]]


class Labelled(Value):
    """As people write them."""


def operators():
    x, y = Value(0.5), Labelled(-1.25)
    y.label = "y"
    out = ((x * y + 2) ** 3 - y.tanh() / x).exp() * 1e-3
    out.backward()
    return out.data, x.grad, y.grad, y.label, len(out._prev)


def custom_ops():
    x = Value(3.0)
    out = Value(x.data ** 2, (x,), "square")

    def step():
        inner = Value(x.data) * 2       # a function of a user's may record and sweep
        inner.backward()
        x.grad += inner.data * out.grad
    out._backward = step
    loss = out + x
    loss.backward()
    return loss.data, x.grad, [v._op for v in loss._prev if v._op]


def networks(model=MLP(3, [5, 4], activation="tanh")):     # noqa: B008
    outputs = [model(x) for x in INPUTS]
    losses = [cross_entropy(logits, 1).data for logits in outputs]
    return losses, [p.data for p in softmax(outputs[0])]


def mapped(weights=[Value(0.5), Value(-0.25), Value(2.0)]):     # noqa: B006, B008
    own = [Value(w.data) for w in weights]
    losses = vmap(lambda x: sumprod(own, x).tanh() ** 2)(INPUTS)
    losses.mean().backward()
    return list(losses), [w.grad for w in own]


def without_graph():
    with no_grad():
        x = Value(2.0) * 3
        inside = len(x._prev)
    return inside, len((Value(2.0) * 3)._prev)


def copies():
    x = Value(1.5)
    other = copy.deepcopy([x, x * x + 1])
    other[1].backward()
    return other[0].grad, x.grad


def long_chain():
    x = y = Value(0.5)
    for _ in range(3_000):
        y = y * 0.999 + x
    y.backward()
    return y.data, x.grad


PROGRAMS = [operators, custom_ops, networks, mapped, without_graph, copies, long_chain]


def go_round(expected, until, counts, differences, seed):
    generator = random.Random(seed)
    while time.monotonic() < until:
        k = generator.randrange(len(PROGRAMS))
        try:
            found = PROGRAMS[k]()
        except BaseException:
            found = traceback.format_exc()
        if found != expected[k]:
            differences.append((PROGRAMS[k].__name__, found))
        counts[seed] += 1


def forked(expected):
    """Whether all is right in a child."""
    child = os.fork()
    if child == 0:
        try:
            right = [program() for program in PROGRAMS] == expected
            tape.verify()
        except BaseException:
            traceback.print_exc()
            right = False
        os._exit(0 if right else 1)
    return os.waitpid(child, 0)[1] == 0


def main(seconds):
    warnings.simplefilter("ignore", DeprecationWarning)      # of forks with threads
    sys.setswitchinterval(1e-5)
    random.seed(1337)
    expected = [program() for program in PROGRAMS]
    assert [program() for program in PROGRAMS] == expected
    counts, differences, forks, failed = [0] * THREADS, [], 0, 0
    start = time.monotonic()
    threads = [threading.Thread(target=go_round, args=(expected, start + seconds, counts, differences, k))
               for k in range(THREADS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < start + seconds:
        if hasattr(os, "fork"):
            failed += not forked(expected)
            forks += 1
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    tape.verify()
    print(f"{THREADS * seconds:.0f} thread-seconds, {sum(counts)} programs, {forks} forks; "
          f"{len(differences)} differences, {failed} children that failed")
    for name, found in differences[:3]:
        print(f"{name}: {found}")
    return bool(differences or failed)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0))
