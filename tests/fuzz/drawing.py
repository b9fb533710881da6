"""Random choices of what steps are made of: variables that are there, numbers, names for new variables."""

import math
import random

import model

WILD = ["float('inf')", "float('nan')", "-float('inf')", "1e300", "-1e200", "5e-324", "2**53 - 1", "-(2**53)", "2**30"]


class Draw:
    wild = False        # whether numbers may be infinite, none, or huge

    def __init__(self, seed, worlds):
        self.seed, self.random, self.worlds = seed, random.Random(seed), worlds
        self.count = 0
        self.replaced = {}      # methods of Value: the variables that hold the originals
        self.mapped = set()     # variables of functions of one number

    def chance(self, p):
        return self.random.random() < p

    def one(self, options):
        return self.random.choice(options)

    def new(self, kind="v"):
        self.count += 1
        return f"{kind}{self.count}"

    def names(self, kind):
        names = [name for name in self.worlds.model if name[0] == kind and name[1:].isdigit()]
        return names

    def values(self, largest=1e3):
        """Names of Values that are neither huge nor infinite, as sums and products of them are not."""
        model_of = self.worlds.model
        if self.wild:
            return [name for name in model_of if name[0] == "v" and isinstance(model_of[name], model.Value)]
        return [
            name for name in model_of
            if name[0] == "v" and type(v := model_of[name]) and isinstance(v, model.Value)
            and abs(v._data) < largest and v._grad == v._grad and abs(v._grad or 0) < 1e6
        ]

    def value(self, largest=1e3):
        """One of them, more often a young one; None if there are none."""
        names = self.values(largest)
        if not names:
            return None
        k = int(len(names) * self.random.random() ** 0.6)
        return names[min(k, len(names) - 1)]

    def any(self, kind):
        names = self.names(kind)
        return self.one(names) if names else None

    def any_mapped(self):
        """A function of one number that was given to vmap."""
        names = [name for name in self.names("f") if name in self.mapped]
        return self.one(names) if names else None

    def some(self, least, most):
        """A list of names, perhaps with one twice."""
        names = self.values(30.0)
        return [self.one(names) for _ in range(self.random.randint(least, most))] if names else None

    def number(self):
        """The text of a number that a program may hold."""
        kind = self.random.random()
        if self.wild and self.chance(0.3):
            return self.one(WILD)
        if kind < 0.35:
            return repr(self.one([0, 1, -1, 2, 3, -2, 5]))
        if kind < 0.45:
            return self.one(["True", "False", "np.float64(1.25)", "np.int64(-3)", "np.float32(0.5)"])
        if kind < 0.7:
            return repr(self.one([0.5, -0.5, 1.0, -1.5, 2.0, 0.0, -0.0, 0.25]))
        return repr(round(self.random.uniform(-3, 3), self.random.choice([1, 3, 15])))

    def plain(self):
        """A number without NumPy."""
        return repr(self.one([0, 1, -1, 2, 3, 0.5, -1.5, 2.0, round(self.random.uniform(-2, 2), 2)]))

    def data(self, name):
        return self.worlds.model[name]._data

    def is_finite(self, name):
        return math.isfinite(self.data(name))
