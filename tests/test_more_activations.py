"""leaky_relu, gelu, softplus, silu, log_sigmoid: stable, with options, as functions of lists, in graphs and traces."""

import copy
import math

import numpy as np
import pytest

from micrograd_c import functional, no_grad, viz, vmap
from micrograd_c.engine import Value


@pytest.mark.parametrize(("name", "x", "value", "slope"), [
    ("softplus", 800.0, 800.0, 1.0), ("softplus", -800.0, 0.0, 0.0),
    ("softplus", -700.0, math.exp(-700), math.exp(-700)),
    ("log_sigmoid", -800.0, -800.0, 1.0), ("log_sigmoid", 800.0, 0.0, 0.0),
    ("log_sigmoid", 700.0, -math.exp(-700), math.exp(-700)), ("silu", 800.0, 800.0, 1.0), ("silu", -800.0, 0.0, 0.0),
    ("gelu", 800.0, 800.0, 1.0), ("gelu", -800.0, 0.0, 0.0), ("gelu", -10.0, -7.61985302416053e-23, None),
    ("gelu_tanh", 800.0, 800.0, 1.0), ("gelu_tanh", -800.0, 0.0, 0.0), ("leaky_relu", -800.0, -8.0, 0.01),
])
def test_far_out(name, x, value, slope):
    v = Value(x)
    out = getattr(v, name)()
    out.backward()
    assert out.data == pytest.approx(value, rel=1e-12)
    assert slope is None or v.grad == pytest.approx(slope, rel=1e-12)


def test_ints_become_floats():
    for name in ("leaky_relu", "softplus", "log_sigmoid", "silu", "gelu"):
        v = Value(2)
        out = getattr(v, name)()
        out.backward()
        assert isinstance(out.data, float)
        assert isinstance(v.grad, float)


@pytest.mark.parametrize("slope", [0.2, 0, 1, -0.5, np.float64(0.3), 0.01])
@pytest.mark.parametrize("x", [-2.0, 0.0, 3.0, -3, math.nan, math.inf])
def test_leaky_relu_of_another_slope(x, slope):
    v = Value(x)
    out = v.leaky_relu(slope)
    out.backward()
    if math.isnan(x):
        assert math.isnan(out.data)
        return
    assert out.data == (x if x > 0 else x * slope)
    assert v.grad == (1.0 if x > 0 else slope)


def test_a_slope_that_is_learned_gets_a_gradient():
    v, slope = Value(-2.0), Value(0.25)
    v.leaky_relu(slope).backward()
    assert (v.grad, slope.grad) == (0.25, -2.0)


@pytest.mark.parametrize("wrong", ["x", None, [0.1], 1j])
def test_a_slope_that_is_no_number_is_an_error(wrong):
    with pytest.raises(TypeError, match="negative_slope must be a number or a Value, not"):
        Value(1.0).leaky_relu(wrong)


@pytest.mark.parametrize("wrong", ["Tanh", None, True])
def test_an_approximation_that_there_is_not_is_an_error(wrong):
    with pytest.raises(ValueError, match="approximate must be 'none' or 'tanh', not"):
        Value(1.0).gelu(wrong)


def test_they_take_part_in_graphs():
    a = Value(0.5)
    out = a.gelu("tanh") * a.leaky_relu() + a.leaky_relu(0.3).silu()
    twin = copy.deepcopy(out)
    out.backward()
    twin.backward()
    assert a.grad != 0
    for name in ("gelu_tanh", "leaky_relu", "silu"):
        assert f'label="{name}"' in viz.to_dot(out)
    with no_grad():
        assert a.softplus()._prev == set()


def test_a_replaced_method_is_the_one_that_runs(patch_value):
    patch_value("gelu_tanh", lambda self: self * 100)
    assert Value(1.0).gelu("tanh").data == 100
    patch_value("gelu", lambda self, approximate: self * 10)
    assert functional.gelu([Value(1.0)])[0].data == 10


FUNCTIONS = {
    "leaky_relu": functional.leaky_relu, "gelu": functional.gelu, "softplus": functional.softplus,
    "silu": functional.silu, "log_sigmoid": functional.log_sigmoid,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_lists_are_the_methods(name):
    function = FUNCTIONS[name]
    a, b = Value(-0.5), Value(2.0)
    rows = function([[a, 3], (b, 0.5), np.array([1.0, -1.0])])
    assert [[v.data for v in row] for row in rows] == [
        [getattr(Value(x), name)().data for x in row] for row in ([-0.5, 3], [2.0, 0.5], [1.0, -1.0])]
    assert rows[0][0]._prev == {a}
    assert function(a).data == rows[0][0].data
    assert function(3).data == rows[0][1].data
    assert function([]) == []
    for wrong in (None, [[None]], object()):
        with pytest.raises(TypeError, match="Value wants a number as data, not"):
            function(wrong)


def test_options_of_functions_of_lists():
    assert [v.data for v in functional.leaky_relu([-2.0], 0.5)] == [-1.0]
    assert [v._op for v in functional.gelu([-2.0], approximate="tanh")] == ["gelu_tanh"]


def test_they_can_be_traced():
    w = Value(0.5)

    def function(x):
        return sum(functional.gelu([x * w, x])) + (x * w).leaky_relu(0.2) + functional.softplus(x).log_sigmoid()

    rows = vmap(function)([0.5, -1.5])
    assert list(rows) == pytest.approx([function(Value(x)).data for x in (0.5, -1.5)], rel=1e-14)
