"""maximum, minimum, where, stop_gradient: values and gradients, PyTorch's where it has them."""

import math

import numpy as np
import pytest

from micrograd_c import maximum, minimum, no_grad, stop_gradient, where
from micrograd_c.engine import Value

PAIRS = [(1.0, 2.0), (2.0, 1.0), (3.0, 3.0), (-0.5, math.inf), (-math.inf, 2.0), (0.0, 0.0)]


@pytest.mark.parametrize(("x", "y"), PAIRS)
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_extremes_are_torchs(name, x, y):
    torch = pytest.importorskip("torch")
    a, b = Value(x), Value(y)
    out = {"maximum": maximum, "minimum": minimum}[name](a, b)
    (out * 3.0).backward()
    p, q = (torch.tensor(n, dtype=torch.float64, requires_grad=True) for n in (x, y))
    reference = getattr(torch, name)(p, q)
    (reference * 3.0).backward()
    assert (out.data, a.grad, b.grad) == (reference.item(), p.grad.item(), q.grad.item())


@pytest.mark.parametrize(("x", "y"), PAIRS)
def test_extremes_share_the_gradient_of_a_tie(x, y):
    a, b = Value(x), Value(y)
    top, low = maximum(a, b), minimum(a, b)
    assert (top.data, low.data) == (max(x, y), min(x, y))
    top.backward()
    assert (a.grad, b.grad) == ((0.5, 0.5) if x == y else (float(x > y), float(y > x)))
    low.backward()
    assert (a.grad, b.grad) == (1.0, 1.0)
    assert {v.data for v in top._prev} == {x, y}
    assert (top._op, low._op) == ("max", "min")


def test_no_number_is_neither_larger_nor_smaller_but_stays():
    for function in (maximum, minimum):
        assert math.isnan(function(Value(math.nan), 1.0).data)
        assert math.isnan(function(1.0, Value(math.nan)).data)


def test_numbers_of_all_kinds():
    assert maximum(1, Value(2)).data == 2
    assert repr(maximum(Value(1), 2).data) == "2"
    assert maximum(np.float64(1.5), np.int64(1)).data == 1.5
    assert where(np.bool_(True), 1, 2.5).data == 1
    for wrong in ("x", None, [1.0]):
        with pytest.raises(TypeError, match="wants Values or numbers"):
            maximum(Value(1.0), wrong)


@pytest.mark.parametrize(("condition", "chosen"), [(1, 0), (-0.5, 0), (True, 0), (math.inf, 0), (0, 1), (-0.0, 1)])
def test_where_chooses_and_the_other_gets_nothing_not_even_from_infinity(condition, chosen):
    c, good, bad = Value(condition), Value(2.0), Value(0.0)
    other = bad * math.inf
    branches = [good * 3, other] if chosen == 0 else [other, good * 3]
    out = where(c, *branches) * 2
    out.backward()
    assert (out.data, good.grad, c.grad) == (12.0, 6.0, 0.0)
    assert other.grad == 0.0


def test_the_gradient_stops():
    x = Value(3.0)
    out = stop_gradient(x * x) * x
    out.backward()
    assert (out.data, x.grad) == (27.0, 9.0)
    assert len(stop_gradient(x)._prev) == 1
    x.grad = 0
    stop_gradient(x * math.inf).backward()
    assert x.grad == 0
    y = x + 1
    y._backward = lambda: None      # from here on sweeps look for such functions
    stop_gradient(x * math.inf).backward()
    assert x.grad == 0


def test_labels_survive_choices_and_no_grad_makes_leaves():
    x = Value(3.0)
    x.label = "x"
    out = maximum(x, 1.0)
    del x
    assert {getattr(v, "label", None) for v in out._prev} == {"x", None}
    with no_grad():
        assert where(1, maximum(Value(1.0), 2.0), 0)._prev == set()
