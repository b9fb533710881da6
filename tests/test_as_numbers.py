"""What programs do with a Value as with a number: unary +, round, int, format; numbers in arrays without axes."""

import math
from fractions import Fraction

import numpy as np
import pytest

from micrograd_c import TraceError, linear, maximum, no_grad, softmax, sumprod, tape, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

NUMBERS = [2.567, -0.5, 0.0, -0.0, 3, -7, 1e300, 2.5, 1e-9]


@pytest.mark.parametrize("x", NUMBERS)
def test_what_numbers_do(x):
    v = Value(x)
    assert +v is v
    for ask in (int, round, lambda v: round(v, 2), lambda v: round(v, -1), lambda v: round(v, None), math.floor,
                math.ceil):
        assert repr(ask(v)) == repr(ask(x))
    for spec in (".3f", "10.2e", "+", ">12", "%", ".3g", "08.2f"):
        assert format(v, spec) == format(x, spec)
        assert f"{v:{spec}}" == f"{x:{spec}}"


@pytest.mark.parametrize("x", [math.inf, math.nan])
def test_what_numbers_refuse(x):
    for ask in (int, round, lambda v: format(v, "q")):
        with pytest.raises((ValueError, OverflowError)) as here:
            ask(Value(x))
        with pytest.raises(type(here.value)) as there:
            ask(x)
        assert str(here.value) == str(there.value)


def test_no_format_is_the_text_as_ever():
    v = Value(2.0)
    assert f"{v}" == f"{v!s}" == format(v) == str(v) == "Value(data=2.0, grad=0)"


def test_a_subclass_keeps_its_text():
    class Short(Value):
        def __str__(self):
            return "short"

    assert f"{Short(1.0)}" == "short"
    assert f"{Short(1.0):.1f}" == "1.0"


def test_a_positive_value_records_nothing():
    v = Value(2.0)
    before = tape.stats()
    (+v).backward()
    assert tape.stats() == before
    assert v.grad == 1


@pytest.mark.parametrize("ask", [int, round, lambda v: round(v, 2), lambda v: f"{v:.2f}"])
def test_in_a_trace_they_are_errors(ask):
    with pytest.raises(TraceError):
        vmap(lambda x: x * float(len(str(ask(x)))))([1.0])
    assert list(vmap(lambda x: +x)([1.0, 2.0])) == [1.0, 2.0]


# --- arrays without axes ---

def scalars():
    yield "array of a float", np.array(2.5), 2.5
    yield "array of an int", np.array(3), 3
    yield "array of a bool", np.array(True), 1
    yield "array of float32", np.array(0.5, dtype=np.float32), 0.5
    try:
        import torch
    except ImportError:
        return
    yield "tensor", torch.tensor(2.5), 2.5
    yield "int tensor", torch.tensor(3), 3
    yield "float64 tensor", torch.tensor(0.1, dtype=torch.float64), 0.1
    yield "tensor with a gradient", torch.tensor(2.5, requires_grad=True), 2.5
    yield "of a row", torch.tensor([[1.0, 2.5]])[0][1], 2.5


SCALARS = {name: (array, number) for name, array, number in scalars()}


@pytest.mark.parametrize("name", SCALARS)
def test_an_array_without_axes_is_its_number(name):
    array, number = SCALARS[name]
    v = Value(array)
    assert repr(v) == f"Value(data={number!r}, grad=0)"
    v.data, v.grad = 0.0, 0.0
    v.data, v.grad = array, array
    assert repr(v) == f"Value(data={number!r}, grad={number!r})"
    a = Value(2.0)
    for use in (lambda x: a + x, lambda x: x + a, lambda x: a * x, lambda x: x * a, lambda x: a - x, lambda x: x - a,
                lambda x: a / x, lambda x: x / a, lambda x: a**x, lambda x: maximum(a, x), lambda x: sumprod([a], [x]),
                lambda x: softmax([a, x])[0], lambda x: linear([[a]], [x])[0], lambda x: Value(1.0, (a,), (x,)),
                lambda x: a.leaky_relu(x)):
        assert repr(use(array)) == repr(use(number))
    assert (a < array) == (a.data < number)


@pytest.mark.parametrize("array", [
    np.array([1.0]), np.array([[1.0]]), np.array(1j), np.array("x"), np.array(None), np.array(Value(1.0)), np.zeros(0),
    memoryview(b"x"), "x",
], ids=range(9))
def test_other_arrays_are_none(array):
    with pytest.raises(TypeError, match="Value wants a number as data, not"):
        Value(array)


def test_rows_of_tensors_go_into_networks():
    torch = pytest.importorskip("torch")
    model = MLP(3, [4, 2])
    rows = torch.tensor([[0.5, -1.0, 2.0], [1.5, 0.0, -2.5]], dtype=torch.float64)
    for row, numbers in zip(rows, rows.tolist()):
        assert repr(model(row)) == repr(model(numbers))
        assert repr(model(list(row))) == repr(model(numbers))
        assert repr(model.layers[0].neurons[1](row)) == repr(model.layers[0].neurons[1](numbers))
        assert repr(softmax(row)) == repr(softmax(numbers))
    integers = torch.tensor([1, 2, 3])
    assert repr(model(integers)) == repr(model([1, 2, 3]))


# --- Value.no_grad ---

def test_no_grad_is_found_on_the_class():
    v = Value(2.0)
    assert Value.no_grad is no_grad
    with Value.no_grad():
        inside = v * v
    with v.no_grad():
        also = v * v

    @Value.no_grad
    def decorated():
        return v * v

    for out in (inside, also, decorated(), Value.no_grad()(decorated)()):
        assert (out.data, out._prev) == (4.0, set())
    assert (v * v)._prev == {v}


def test_a_class_may_have_a_no_grad_of_its_own():
    class Own(Value):
        no_grad = False

    assert (Own(2.0) * 2).data == 4.0
    assert Own.no_grad is False


def test_labels_by_the_constructor():
    v = Value(2.0, label="a")
    assert (v.label, vars(v)) == ("a", {"label": "a"})
    assert Value(2.0, (), "", "b").label == "b"
    assert Value(2.0, (v,), "op", label="c").label == "c"
    assert Value(2.0, label="").label == ""
    assert Value(2.0, label=3).label == 3
    assert not hasattr(Value(2.0), "label")
    assert not hasattr(v * 2, "label")
    assert Value(Fraction(1, 2), label="half").data == 0.5


def test_a_label_lives_with_the_node():
    out = Value(2.0, label="a") * 3
    (labelled,) = [child for child in out._prev if child.data == 2.0]
    assert labelled.label == "a"


def test_a_subclass_may_mean_something_else_by_label():
    class Own(Value):
        @property
        def label(self):
            return "own"

        @label.setter
        def label(self, text):
            given.append(text)

    given = []
    assert Own(1.0, label="x").label == "own"
    assert given == ["x"]
