"""Measures a training step of the mapped GPT beside one by hand in C, in turn: of one name, and of 32 in a batch.

Of one name also jit, and the eager helpers.

    python benchmarks/gpt.py [--quick]

The model is examples/gpt_vmap.py's, the optimizer Adam. The C program goes through one name with the numbers of a
position in SIMD lanes, and through a batch with names in lanes. First losses, gradients and parameters after some steps
are compared, also of a batch of names of many lengths; then tables are printed for forward and backward, and for whole
steps. Names have eight letters, the same number as in calls.py.
"""

import argparse
import ctypes
import functools
import itertools
import tempfile

import numpy as np
from by_hand import compiler, function, library, pointer
from calls import NAME, SEED, mapped_gpt
from vmap_sides import compare

from micrograd_c import jit
from micrograd_c.optim import Adam

COUNTS = (1, 32)
LETTERS = len(NAME) - 2
TOKENS = 17                 # of the longest name, with its boundaries: a row in C
RATE, STEPS = 0.005, 3
CLOSE, NOTHING = 1e-9, 1e-15


class Ours:
    """The mapped GPT, its parameters, and Adam."""

    def __init__(self):
        self.model = mapped_gpt()
        self.parameters = self.model.parameters()
        self.optimizer = Adam(self.parameters, lr=RATE)

    def loss(self, names):
        """The mean over names of any lengths."""
        groups = [list(group) for _, group in itertools.groupby(sorted(names, key=len), len)]
        if len(groups) == 1:
            return self.model.loss(names)
        return sum(self.model.loss(group) * len(group) for group in groups) / len(names)

    def gradients(self, names):
        """The loss; gradients are added to."""
        loss = self.loss(names)
        loss.backward()
        return loss.data

    def step(self, names):
        loss = self.loss(names)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.data


class OneByOne:
    """The same model, whose loss of one name is computed in another way."""

    def __init__(self, loss):
        self.loss = loss

    def gradients(self, names):
        loss = self.loss(*names)
        loss.backward()
        return loss.data


def jitted():
    import gpt_vmap

    loss = jit(mapped_gpt().loss_of_one)
    return OneByOne(lambda name: loss(gpt_vmap.ONE_HOT[np.array(name)]))


def eager():
    import gpt

    return OneByOne(gpt.GPT(SEED).loss)


class InC:
    """The same by hand. Names become arrays once, before anything is timed."""

    def __init__(self, compiled, weights):
        self.compiled = compiled
        self.weights, self.grads = np.array(weights), np.zeros(len(weights))
        self.means, self.squares = np.zeros(len(weights)), np.zeros(len(weights))
        self.steps = 0

    def gradients(self, names):
        """A function that computes them, and returns the loss."""
        kind, arguments = taken(names)
        call = function(self.compiled, f"gradients_of_{kind}")
        pointers = pointer(self.weights), pointer(self.grads)
        return lambda: call(*pointers, *arguments)

    def step(self, names):
        """A function that makes a step, and returns the loss before it."""
        kind, arguments = taken(names)
        call, rate = function(self.compiled, f"step_of_{kind}"), ctypes.c_double(RATE)
        pointers = [pointer(array) for array in (self.weights, self.means, self.squares)]

        def step():
            self.steps += 1
            return call(*pointers, *arguments, rate, self.steps)
        return step


def taken(names):
    """Which functions in C go through names, and how these take them."""
    tokens = np.zeros((len(names), TOKENS), dtype=np.intc)
    for row, name in zip(tokens, names):
        row[:len(name)] = name
    lengths = np.array([len(name) - 1 for name in names], dtype=np.intc)
    if len(names) == 1:
        return "one", (pointer(tokens), int(lengths[0]))
    return "batch", (pointer(tokens), pointer(lengths), len(names))


def differ(what, ours, theirs):
    """End, if these numbers do."""
    apart = np.abs(np.array(ours) - theirs)
    if not np.all(apart <= CLOSE * np.abs(theirs) + NOTHING):
        raise SystemExit(f"{what} of vmap and of C differ, by up to {apart.max()}")


def check(compiled, names):
    """That both learn the same, in some steps."""
    ours = Ours()
    theirs = InC(compiled, [p.data for p in ours.parameters])
    gradients, step = theirs.gradients(names), theirs.step(names)
    what = f"of {len(names)} names"
    for _ in range(STEPS):
        loss = gradients()
        differ(f"losses {what}", ours.step(names), loss)
        differ(f"gradients {what}", [p.grad for p in ours.parameters], theirs.grads)
        step()
        differ(f"parameters {what}", [p.data for p in ours.parameters], theirs.weights)


def measure(compiled, names, rounds, seconds):
    """Print a table of forward and backward, and one of steps."""
    title = f"{len(names)} name{'s' * (len(names) > 1)} of {LETTERS} letters"
    for kind, part in (("gradients", "forward and backward"), ("step", "a training step")):
        ours = Ours()
        theirs = InC(compiled, [p.data for p in ours.parameters])
        sides = {"vmap": functools.partial(getattr(ours, kind), names),
                 "C by hand, -ffast-math": getattr(theirs, kind)(names)}
        if len(names) == 1 and kind == "gradients":
            sides["jit"] = functools.partial(jitted().gradients, names)
            sides["eager helpers, gpt.py"] = functools.partial(eager().gradients, names)
        compare(f"{title}: {part}", sides, rounds, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean little")
    quick = parser.parse_args().quick
    if compiler() is None:
        print("There is no C compiler here, cc or gcc, for the program that vmap is measured against.")
        return
    mapped_gpt()            # which makes the examples importable
    from names import encode, load_names

    every = list(map(encode, load_names()))
    equal = [name for name in every if len(name) == len(NAME)]
    with tempfile.TemporaryDirectory() as folder:
        compiled = library(folder, "gpt_step.c", "gpt_one.c", "gpt_batch.c")
        for names in (equal[:1], [max(every, key=len)], equal[:32], every[:40]):
            check(compiled, names)
        for count in COUNTS:
            measure(compiled, equal[:count], *((1, 0.05) if quick else (10, 0.3)))


if __name__ == "__main__":
    main()
