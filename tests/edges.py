"""The grid of numbers at the edges: each op and helper at each of them in each position, for any library.

A case is a function of a library, a namespace such as `here`, and of some numbers: those it is differentiated by, and
those that stay plain numbers. Its seed is the adjoint of its result.
"""

import itertools
import math
import struct
from types import SimpleNamespace

from micrograd_c import (
    atan2,
    cross_entropy,
    linear,
    log_softmax,
    logsumexp,
    maximum,
    mean,
    minimum,
    softmax,
    stop_gradient,
    sumprod,
    where,
)
from micrograd_c._core.ops import rules

inf, nan = math.inf, math.nan
NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.0, -2.0, 2.5, 3.0, 5e-324, -5e-324, 1e-310, 1e-308, 1e308, -1e308, inf,
    -inf, nan,
]
FEW = [0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, inf, -inf, nan]
FEWER = [-0.0, 1.5, 5e-324, 1e308, inf, nan]
FUNCTIONS = ["neg", *rules.functions(), "stop_gradient"]
OPERATORS = {
    "+": lambda m, x, y: x + y, "-": lambda m, x, y: x - y, "*": lambda m, x, y: x * y, "/": lambda m, x, y: x / y,
    "**": lambda m, x, y: x**y, "maximum": lambda m, x, y: m.maximum(x, y), "minimum": lambda m, x, y: m.minimum(x, y),
    "atan2": lambda m, x, y: m.atan2(x, y),
}


class Case:
    """`kinds` has a letter for each argument: v is differentiated by, n stays a number."""

    def __init__(self, function, kinds, grids, seed=1.0):
        self.function, self.kinds, self.seed = function, kinds, seed
        self.cells = list(itertools.product(*grids))

    def variables(self):
        return [k for k, kind in enumerate(self.kinds) if kind == "v"]


def cases():
    """By name. An infinite adjoint goes with what chooses, or has a slope of 0 somewhere."""
    found = {}
    for seed, suffix in ((1.0, ""), (inf, ", adjoint inf")):
        for name in FUNCTIONS:
            found[name + suffix] = Case(lambda m, x, f=name: getattr(m, f)(x), "v", [NUMBERS], seed)
        for name, function in OPERATORS.items():
            if seed == 1.0 or name in ("**", "maximum", "minimum"):
                for kinds in ("vv", "vn", "nv"):
                    found[f"{kinds[0]} {name} {kinds[1]}{suffix}"] = Case(function, kinds, [NUMBERS] * 2, seed)
        for kinds in ("vvv", "nvv"):
            found[f"where {kinds}{suffix}"] = Case(
                lambda m, c, x, y: m.where(c, x, y), kinds, [NUMBERS, FEWER, FEWER], seed)
    found["sumprod"] = Case(lambda m, x, y, z: m.sumprod([x, 1.5], [y, 2.0], z), "vvv", [FEW] * 3)
    found["linear"] = Case(lambda m, x, y, z: m.linear([[x, y]], [0.5, z], [0.25])[0], "vvv", [FEW] * 3)
    for name in ("softmax", "log_softmax", "logsumexp", "cross_entropy", "mean"):
        pick = {"softmax": "[0]", "log_softmax": "[0]", "cross_entropy": ", target 0"}.get(name, "")
        found[f"{name} of 2{pick}"] = Case(lambda m, *x, f=name: of_list(m, f, x, 0), "vv", [NUMBERS] * 2)
        found[f"{name} of 3{pick}"] = Case(lambda m, *x, f=name: of_list(m, f, x, 0), "vvv", [FEW] * 3)
    for name in ("softmax", "log_softmax", "cross_entropy"):
        found[f"{name} of 3, the last"] = Case(lambda m, *x, f=name: of_list(m, f, x, 2), "vvv", [FEW] * 3)
    found["logsumexp, exp overflows"] = Case(
        lambda m, *x: m.logsumexp(list(x)), "vv", [[1000.0, -1000.0, 1e308, -1e308, inf, -inf, nan]] * 2)
    return found


def of_list(m, name, xs, place):
    if name in ("softmax", "log_softmax"):
        return getattr(m, name)(list(xs))[place]
    if name == "cross_entropy":
        return m.cross_entropy(list(xs), place)
    return getattr(m, name)(list(xs))


CASES = cases()
here = SimpleNamespace(
    neg=lambda x: -x, atan2=atan2, maximum=maximum, minimum=minimum, where=where, stop_gradient=stop_gradient,
    sumprod=sumprod,
    linear=linear, softmax=softmax, log_softmax=log_softmax, logsumexp=logsumexp, mean=mean,
    cross_entropy=cross_entropy,
    **{name: (lambda x, f=name: getattr(x, f)()) for name in FUNCTIONS if name not in ("neg", "stop_gradient")},
)


# --- comparing ---

def ordered(x):
    """Doubles as ints that follow each other."""
    (bits,) = struct.unpack("<q", struct.pack("<d", x))
    return bits if bits >= 0 else -(1 << 63) - bits


def close(x, y):
    """The same but for rounding. Signs of zeros are the same to it."""
    if x != x or y != y:
        return x != x and y != y
    if math.isinf(x) or math.isinf(y):
        return x == y
    return math.isclose(x, y, rel_tol=1e-12, abs_tol=0.0) or abs(ordered(x) - ordered(y)) <= 4


def same(cell, other):
    """Value and gradients. A value's zero has a sign; a gradient's, being a sum that began at 0, has none."""
    return all(map(close, cell, other)) and (cell[0] != 0.0 or math.copysign(1, cell[0]) == math.copysign(1, other[0]))
