"""Kernels of every instruction set: how far functions are from libm's, at ordinary numbers and at the edges."""

import math

import numpy as np
import pytest
from edges import ordered

from micrograd_c import vmap
from micrograd_c._core.mapped import executor
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value

SETS = executor.instruction_sets()
FUNCTIONS = rules.functions()
SPANS = [
    (-745.0, 709.7), (-25.0, 25.0), (-8e5, 8e5), (-1e300, 1e300), (-1.0, 1.0), (-1e-5, 1e-5), (-1e-9, 1e-9),
    (1e-300, 1e300), (5e-324, 1e-307), (0.5, 2.0), (1 - 1e-9, 1 + 1e-9), (-1.0, -1 + 1e-9),
]
POWERS = [2, 3, -1, -2, 0, 1, 0.5, -0.5, 1.5, -1.5, 1.7, -3, 10, 2.5]
EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1.0, -1.0, 710.0, -746.0, 1e308]


@pytest.fixture(params=SETS, autouse=True)
def instruction_set(request, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", request.param)


def ulps(x, y):
    if math.isnan(x) or math.isnan(y):
        return 0 if math.isnan(x) and math.isnan(y) else math.inf
    return abs(ordered(x) - ordered(y))


def samples(low, high, count=4001):
    """Evenly spaced, and, if they are all of one sign, evenly in their logarithms, too."""
    found = np.linspace(low, high, count).tolist()
    if low > 0:
        found += np.exp(np.linspace(math.log(low), math.log(high), count)).tolist()
    return found


@pytest.mark.parametrize(("low", "high"), SPANS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_as_near_to_libms_as_the_table_says(name, low, high):
    xs = samples(low, high)
    got = vmap(lambda x: getattr(x, name)())(xs).tolist()
    worst = max((ulps(y, rules.value_at(name, x)), x) for y, x in zip(got, xs))
    assert worst[0] <= FUNCTIONS[name]["ulp"], worst


@pytest.mark.parametrize("power", POWERS)
def test_powers_are_within_two_ulp_of_libms(power):
    xs = samples(1e-3, 50.0) + [-x for x in samples(1e-3, 50.0) if power == int(power)]
    got = vmap(lambda x: x**power)(xs).tolist()
    assert max(map(ulps, got, [(Value(x) ** power).data for x in xs])) <= 2


@pytest.mark.parametrize("power", POWERS)
def test_powers_at_the_edges_are_cs(power):
    with np.errstate(all="ignore"):
        wanted = np.power(np.array(EDGES), np.full(len(EDGES), float(power))).tolist()     # of a number, sqrt
    got = vmap(lambda x: x**power)(EDGES).tolist()
    for x, one, other in zip(EDGES, got, wanted):
        assert (ulps(one, other) <= 2 and math.copysign(1, one) == math.copysign(1, other)) or math.isnan(other), x


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_edges_are_ieee_754s(name):
    """Where Python raises, there is what C gives."""
    spelled = {
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "relu": lambda x: np.where(x < 0, 0.0, x),
    }.get(name) or getattr(np, name, None)
    with np.errstate(all="ignore"):
        wanted = spelled(np.array(EDGES)).tolist() if spelled else [rules.value_at(name, x) for x in EDGES]
    got = vmap(lambda x: getattr(x, name)())(EDGES).tolist()
    for x, one, other in zip(EDGES, got, wanted):
        assert (ulps(one, other) <= 2 and math.copysign(1, one) == math.copysign(1, other)) or math.isnan(other), x
