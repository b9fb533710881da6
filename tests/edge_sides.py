"""What this package makes of a cell of tests/edges.py: eagerly, and by vmap with each argument in each role."""

import array
import itertools
import math

from edges import here

from micrograd_c import vmap
from micrograd_c.engine import Value

ERRORS = (ZeroDivisionError, OverflowError, ValueError)
ROWS = 11       # a vector of 8 and some, or several of 2 or 4 and some


def fitting_rows(numbers):
    """So many that sums over them are not too large for a float where a row's numbers are not."""
    return 1 if any(math.isfinite(x) and abs(x) > 1e300 for x in numbers) else ROWS


def eager(case, cell, of=Value):
    """Value and gradients, or the type of the exception."""
    arguments = [of(x) if kind == "v" else x for x, kind in zip(cell, case.kinds)]
    try:
        out = case.function(here, *arguments)
        (out if case.seed == 1.0 else out * case.seed).backward()
    except ERRORS as error:
        return type(error)
    return [out.data, *(arguments[k].grad for k in case.variables())]


def roles(case):
    """For each argument r, each row has a number of its own; u, all have the same; c, a number frozen in the trace."""
    found = ["".join(pair) for pair in itertools.product(*["ru" if kind == "v" else "ruc" for kind in case.kinds])]
    return found if len(case.kinds) < 3 else [found[0], found[-1], "u" + found[0][1:], "r" + found[-1][1:]]


class Mapped:
    """A case by vmap. All rows are alike, so that a gradient is a row's as many times."""

    def __init__(self, case, role):
        self.case, self.role = case, role
        self.parameters = [Value(-0.0 if r == "r" else 1.0) for r in role]      # x + -0.0 is x, whatever x is
        self.traced = {}

    def __call__(self, cell, rows):
        """The value for each row, and the gradients; or the type of an exception while it is traced."""
        constants = tuple(repr(x) for x, r in zip(cell, self.role) if r == "c")
        if constants not in self.traced:
            try:
                self.traced[constants] = self.mapped(cell)
            except ERRORS as error:
                return type(error)
        for parameter, x, r in zip(self.parameters, cell, self.role):
            parameter.grad = 0
            if r == "u":
                parameter.data = x
        batch = self.traced[constants]([cell] * rows, list(cell))
        batch.sum(array.array("d", [self.case.seed] * rows)).backward()
        return batch.tolist(), [self.parameters[k].grad for k in self.case.variables()]

    def mapped(self, cell):
        def function(row, shared):
            given = {
                "rv": lambda k: row[k] + self.parameters[k], "uv": lambda k: self.parameters[k],
                "rn": lambda k: row[k], "un": lambda k: shared[k], "cn": lambda k: cell[k],
            }
            return self.case.function(here, *[given[r + self.case.kinds[k]](k) for k, r in enumerate(self.role)])
        for parameter, r in zip(self.parameters, self.role):
            parameter.data = -0.0 if r == "r" else 1.0      # no error while it is traced, whatever comes later
        mapped = vmap(function, in_axes=(0, None))
        mapped([[1.0] * len(cell)], [1.0] * len(cell))
        return mapped
