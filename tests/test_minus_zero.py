"""A gradient that somebody has set to -0.0 becomes what it becomes in micrograd."""

import math

import pytest

from micrograd_c.engine import Value

OPS = {
    "int * int": (lambda value: (value(-3), value(0)), lambda x, y: x * y),
    "int * float": (lambda value: (value(-3), value(0.0)), lambda x, y: x * y),
    "relu of an int": (lambda value: (value(-3), value(-2)), lambda x, y: x.relu() * y),
    "int + int": (lambda value: (value(-3), value(0)), lambda x, y: x + y * -1),
    "float * float": (lambda value: (value(-3.0), value(0.0)), lambda x, y: x * y),
    "a custom op": (lambda value: (value(-3.0), value(0.0)), lambda x, y: type(x)(1.0, (x, y), "mine")),
}


def signs(value, name, below):
    make, op = OPS[name]
    x, y = make(value)
    out = op(x, y) * below
    x.grad = y.grad = -0.0
    out.backward()
    return [(type(v.grad), v.grad, math.copysign(1.0, v.grad)) for v in (x, y)]


@pytest.mark.parametrize("below", [1, -1, 0, 1.0, 0.0, -0.0])
@pytest.mark.parametrize("name", OPS)
def test_a_gradient_of_minus_zero_is_added_to(name, below):
    original = pytest.importorskip("micrograd.engine").Value
    assert signs(Value, name, below) == signs(original, name, below)
