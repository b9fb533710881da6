"""Subclasses, replaced methods and NumPy: whose operator runs."""

import functools
import gc
import operator

import numpy as np
import pytest
from conftest import nodes_of

from micrograd_c._core.value import value
from micrograd_c.engine import Value
from micrograd_c.nn import MLP


def test_a_subclass_is_micrograds_value_with_more():
    class Named(Value):
        __slots__ = ("slot",)

        def __init__(self, data, name="", _children=(), _op=""):
            super().__init__(data, _children, _op)
            self.name = name
            self.slot = name * 2

        def __mul__(self, other):
            self.multiplied = True
            return super().__mul__(other)

    a, b = Named(2.0, "a"), Value(3.0)
    result = a * b + b * a
    assert isinstance(a, Value)
    assert (a.name, a.slot, a.multiplied) == ("a", "aa", True)
    assert result.data == 12.0
    result.backward()
    assert (a.grad, b.grad) == (6.0, 4.0)
    assert type(result) is Value
    del a
    gc.collect()
    assert sorted(v.name for v in nodes_of(result) if isinstance(v, Named)) == ["a"]


def test_two_subclasses_mix_and_reflected_operators_of_subclasses_win():
    class A(Value):
        pass

    class B(A):
        def __radd__(self, other):
            return "B"

    assert (A(1.0) + Value(2.0)).data == 3.0
    assert A(1.0) + B(2.0) == "B"
    assert Value(1.0) + B(2.0) == "B"
    assert (A(6.0) / Value(3)).data == 2.0
    assert (A(6.0) - 1).data == 5.0
    assert (1 - A(6.0)).data == -5.0


def test_reflected_operators_are_the_plain_ones_turned_round(patch_value):
    class Mine(Value):
        def __add__(self, other):
            return ("add", other)

        def __mul__(self, other):
            return ("mul", other)

    assert 1 + Mine(2.0) == ("add", 1)
    assert 3 * Mine(2.0) == ("mul", 3)
    assert sum([Mine(2.0)]) == ("add", 0)
    patch_value("__mul__", lambda self, other: "replaced")
    assert 2 * Value(1.0) == 2 / Value(1.0) == "replaced"


def test_composed_operators_run_a_subclass_own_parts():
    class Loud(Value):
        def __neg__(self):
            calls.append("neg")
            return super().__neg__()

        def __pow__(self, other):
            calls.append("pow")
            return super().__pow__(other)

    calls = []
    assert (Value(5.0) - Loud(2.0)).data == 3.0
    assert (Value(6.0) / Loud(2.0)).data == 3.0
    assert calls == ["neg", "pow"]


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("__add__", lambda a, b: a + b), ("__add__", lambda a, b: sum([a, b], a)), ("__add__", lambda a, b: a - b),
        ("__mul__", lambda a, b: a * b), ("__mul__", lambda a, b: -a), ("__mul__", lambda a, b: a - b),
        ("__mul__", lambda a, b: a / b), ("__pow__", lambda a, b: a ** 2), ("__pow__", lambda a, b: a / b),
        ("__neg__", lambda a, b: a - b), ("relu", lambda a, b: a.relu()), ("backward", lambda a, b: a.backward()),
        ("__repr__", lambda a, b: repr(a)), ("__lt__", lambda a, b: a < b),
        ("__add__", lambda a, b: MLP(2, [2, 1])([a, b])), ("__mul__", lambda a, b: MLP(2, [2, 1])([a, b])),
        ("relu", lambda a, b: MLP(2, [2, 1])([a, b])), ("__add__", lambda a, b: MLP(2, [1])([1.0, 2.0])),
    ],
)
def test_a_replaced_method_is_the_one_that_runs(patch_value, name, use):
    original = getattr(Value, name)
    calls = []

    def replacement(*arguments):
        calls.append(name)
        return original(*arguments)

    patch_value(name, replacement)
    use(Value(2.0), Value(3.0))
    assert calls


@pytest.mark.parametrize("name", ["__add__", "__radd__", "__sub__", "__mul__", "__truediv__", "__pow__", "__neg__"])
def test_putting_a_method_back_undoes_replacing_it(name):
    original = getattr(Value, name)
    nodes = nodes_of(3 / (1 - Value(2.0)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Value, name, lambda *arguments: None)
    assert getattr(Value, name) is original
    assert len(nodes_of(3 / (1 - Value(2.0)))) == len(nodes)
    assert value.operators_are_ours()


def test_methods_can_be_added(patch_value):
    def cube(self):
        out = Value(self.data ** 3, (self,), "cube")
        out._backward = lambda: setattr(self, "grad", self.grad + 3 * self.data ** 2 * out.grad)
        return out

    patch_value("cube", cube)
    patch_value("double", property(lambda self: self.data * 2))
    x = Value(2.0)
    (x.cube() * 2).backward()
    assert x.grad == 24.0
    assert x.double == 4.0


def test_replaced_equality_leaves_hashing_by_identity(patch_value):
    patch_value("__eq__", lambda self, other: isinstance(other, Value) and self.data == other.data)
    a, b = Value(1.0), Value(1.0)
    assert a == b
    assert not a != b       # noqa: SIM202
    assert a != Value(2.0)
    assert hash(a) != hash(b)
    assert (a + b)._prev >= {a}


def test_total_ordering_can_be_applied():
    class Ordered(Value):
        def __eq__(self, other):
            return self.data == other.data

        def __lt__(self, other):
            return self.data < other.data

        __hash__ = Value.__hash__

    functools.total_ordering(Ordered)
    assert Ordered(1) <= Ordered(1)
    assert Ordered(2) > Ordered(1)


@pytest.mark.parametrize("number", [np.float64(2.0), np.int64(2), np.float32(2.0)], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "truediv"])
def test_numpy_scalars_work_on_both_sides(number, op):
    apply = getattr(operator, op)
    v = Value(3.0)
    assert apply(number, v).data == apply(2.0, 3.0)
    assert apply(v, number).data == apply(3.0, 2.0)
    assert type(apply(number, v)) is Value
    assert (v ** number).data == 9.0


def test_numpy_object_arrays_of_values_compute_elementwise():
    row = np.array([Value(1.0), Value(2.0)], dtype=object)
    assert [v.data for v in row * 2 + np.array([1, 1])] == [3.0, 5.0]
    assert row.sum().data == 3.0
    assert [v.data for v in np.exp(row)] == [v.exp().data for v in row]
    assert [v.data for v in Value(2.0) * np.array([1.0, 2.0])] == [2.0, 4.0]
    assert row.max().data == 2.0


def test_a_replaced_init_runs(patch_value):
    original = Value.__init__
    made = []

    def init(self, data, label="", **rest):
        original(self, data, **rest)
        self.label = label
        made.append(data)

    patch_value("__init__", init)
    assert Value(1.0).label == ""
    assert Value(2.0, label="b").label == "b"
    assert made == [1.0, 2.0]


class Asked:
    """What a subclass of either library's Value notes of its operators."""

    def __mul__(self, other):
        self.asked = [*getattr(self, "asked", []), "mul"]
        return super().__mul__(other)

    def __add__(self, other):
        self.asked = [*getattr(self, "asked", []), "add"]
        return super().__add__(other)


class Reflected(Asked):
    def __rmul__(self, other):
        self.asked = [*getattr(self, "asked", []), "rmul"]
        return super().__rmul__(other)

    def __radd__(self, other):
        self.asked = [*getattr(self, "asked", []), "radd"]
        return super().__radd__(other)


@pytest.mark.parametrize("mixin", [Asked, Reflected])
@pytest.mark.parametrize("left", ["number", "Value", "instance", "base"])
@pytest.mark.parametrize("by", [operator.add, operator.mul])
def test_reflected_operators_ask_the_plain_ones_of_a_subclass(by, left, mixin):
    found = []
    for base in (Value, pytest.importorskip("micrograd.engine").Value):
        parent = type("Parent", (base,), {})
        kind = type("Kind", (mixin, parent), {})
        other = {"number": 3.0, "Value": base(3.0), "instance": kind(3.0), "base": parent(3.0)}[left]
        right = kind(2.0)
        found.append((by(other, right).data, getattr(right, "asked", []), getattr(other, "asked", [])))
    assert found[0] == found[1]
