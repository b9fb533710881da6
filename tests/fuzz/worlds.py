"""The two worlds: micrograd_c and the model, in each of which the same lines of Python are executed.

Names of variables tell what they are: v a Value, x something to be compared and forgotten, b a Batch, f what vmap
returned, m a module, o an optimizer, r a weak reference, l a list of Values.
"""

import copy
import gc
import pickle
import random
import threading
import time
import weakref

import functions
import mapped
import model
import modules

COMMON = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, "gc": gc, "pickle": pickle,
    "Thread": threading.Thread, "seed": random.seed, "sleep": time.sleep,
}
HEADER = """\
import gc
import math
import pickle
from copy import copy, deepcopy
from random import seed
from threading import Thread
from time import sleep
from weakref import ref

import numpy as np

from micrograd_c import *
from micrograd_c import tape
from micrograd_c._core.mapped import inside
from micrograd_c._core.value.copying import count_ops, in_order
from micrograd_c.nn import MLP, Layer, Neuron
from micrograd_c.optim import SGD, Adam, AdamW
from micrograd_c.viz import to_dot


def operands(value):
    return sorted(in_order(value._prev), key=lambda operand: (operand._op, repr(operand.data)))


def walk(root):
    todo, found = [root], {root}
    while todo:
        for value in operands(todo.pop()):
            if value not in found:
                found.add(value)
                todo.append(value)


def lecture_tanh(self):
    t = (math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)
    out = Value(t, (self,), "tanh")
    out._backward = lambda: setattr(self, "grad", self.grad + (1 - t**2) * out.grad)
    return out


def burst(count):
    sum([1.0] * count, Value(0.5))


class Garbage:
    def __init__(self, action):
        self.itself, self.action = self, action

    def __del__(self):
        self.action()


class Ending:
    def __init__(self, action):
        self.action = action

    def __call__(self):
        pass

    def __del__(self):
        self.action()


def Later(action):
    Garbage(action)


def asked(root, inputs, create_graph):
    # which must leave everything as it is; what they are, other tests say
    try:
        gradients(root, inputs, create_graph)
    except (ArithmeticError, ValueError, NotImplementedError):
        pass
    except TypeError as error:
        if not create_graph or "_backward of your own" not in str(error):
            raise


def looped(fn, in_axes=0, stacked=False):
    return lambda *rows: inside.run(fn, in_axes, (0, True) if stacked else None, rows, {})


def alike(loss, order, at):
    found, wanted = (order(lambda p: loss(way, *p))(at) for way in (vmap, looped))
    assert np.allclose(np.hstack([*map(np.ravel, found)]), np.hstack([*map(np.ravel, wanted)]), 1e-8, 1e-8)


"""


def real_names():
    names = {}
    exec(HEADER, names)
    return names


def nothing(*arguments):
    """What only micrograd_c is asked to do."""


def reference(value):
    if not weakref.getweakrefcount(value):
        value._watched_late = value._used
    return weakref.ref(value)


class Tape:
    """The model has none."""

    @staticmethod
    def collect():
        pass


def model_names(real):
    names = {name: real[name] for name in ("np", *COMMON, "Thread")}
    names.update(__name__="fuzzed", tape=Tape)
    for module in (functions, mapped, modules):
        names.update({name: thing for name, thing in vars(module).items() if name in real})
    names["Value"] = model.Value
    exec("import math\n" + HEADER[HEADER.index("def operands"):], names)
    names.update(ref=reference, burst=nothing, asked=nothing, alike=nothing, Garbage=nothing, walk=nothing)
    names.update(Later=lambda action: action())
    return names


class Entry:
    """A line or few of the program. `here` means that only micrograd_c executes them."""

    codes = {}

    def __init__(self, source, here=False):
        self.source, self.here = source, here

    def code(self):
        if self.source not in self.codes:
            if len(self.codes) > 5000:
                self.codes.clear()
            self.codes[self.source] = compile(self.source, "<program>", "exec")
        return self.codes[self.source]


class Worlds:
    def __init__(self):
        self.real = real_names()
        self.model = model_names(self.real)
        self.base = set(self.model) | {"__builtins__"}
        self.verify = getattr(self.real["tape"], "verify", None)

    def variables(self):
        return [name for name in self.model if name not in self.base]

    def clear(self):
        for names in (self.model, self.real):
            for name in [name for name in names if name not in self.base and name[1:].isdigit()]:
                del names[name]


def outcome(code, names):
    """The name of what it raised, or None."""
    try:
        exec(code, names)
    except Exception as error:
        return type(error).__name__
    return None
