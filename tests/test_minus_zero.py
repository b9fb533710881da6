"""A gradient that somebody has set to -0.0 becomes what it becomes in micrograd."""

import math

import pytest

from micrograd_c import vmap
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


@pytest.mark.parametrize("function", [lambda x, w, b: x * w, lambda x, w, b: (x * w, x * b)[0], lambda x, w, b: w - x],
                         ids=["one output", "one of two", "not by a number"])
def test_a_run_adds_to_gradients_of_minus_zero_as_its_rows_would(function):
    w, b = Value(2.0), Value(3.0)
    batch = vmap(lambda x: function(x, w, b))([0.0, 0.0])
    w.grad = b.grad = -0.0
    total = batch.sum()
    total.backward()
    (run,) = total._prev
    assert [math.copysign(1.0, v.grad) for v in (w, run)] == [1.0, 1.0]
