"""Values of other libraries: an error that names both classes, not a graph in two halves."""

import operator

import pytest

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP

OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "+=": operator.iadd, "*=": operator.imul,
}


class Node:
    """Value-like: as people write it themselves, without operators that know any other class."""

    def __init__(self, data):
        self.data = data
        self.grad = 0.0

    def backward(self):
        self.grad = 1.0


class GenerousNode(Node):
    """Takes whatever it meets, as micrograd's Value does."""

    def __radd__(self, other):
        return GenerousNode(self.data + getattr(other, "data", other))

    __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __radd__


def micrograd_value(data):
    return pytest.importorskip("micrograd.engine").Value(data)


@pytest.mark.parametrize("make", [Node, GenerousNode, micrograd_value])
@pytest.mark.parametrize("apply", OPERATORS.values(), ids=OPERATORS)
def test_ours_with_a_foreign_one_is_an_error_that_names_both(make, apply):
    mine, foreign = Value(2.0), make(3.0)
    name = f"{type(foreign).__module__}.{type(foreign).__qualname__}"
    before = tape.stats()["nodes"]
    with pytest.raises(TypeError, match=rf"micrograd_c\.engine\.Value and {name} cannot be mixed"):
        apply(mine, foreign)
    assert tape.stats()["nodes"] == before
    assert repr(mine) == "Value(data=2.0, grad=0)"


@pytest.mark.parametrize("apply", OPERATORS.values(), ids=OPERATORS)
def test_a_foreign_one_that_does_not_take_ours_is_the_same_error_on_the_left(apply):
    with pytest.raises(TypeError, match=r"micrograd_c\.engine\.Value and \w+\.Node cannot be mixed"):
        apply(Node(3), Value(2.0))


@pytest.mark.parametrize("make", [Node, micrograd_value])
def test_foreign_inputs_of_a_network_are_refused(make):
    with pytest.raises(TypeError, match="cannot be mixed"):
        MLP(2, [2, 1])([1.0, make(2.0)])


@pytest.mark.parametrize("wrong", [lambda v: Value(v), lambda v: Value(1.0, (v,))], ids=["data", "child"])
def test_a_foreign_one_as_data_or_child_is_named_in_full(wrong):
    with pytest.raises(TypeError, match=r"test_foreign_values\.Node$"):
        wrong(Node(1.0))


def test_equality_with_a_foreign_one_stays_identity():
    assert Value(1.0) != Node(1.0)
    assert Node(1.0) not in {Value(1.0)}


def test_what_has_data_that_is_no_number_may_bring_operators_of_its_own():
    class Vector:
        grad = data = (1.0, 2.0)

        def backward(self):
            pass

        def __radd__(self, other):
            return [other + x for x in self.data]

    assert [v.data for v in Value(1.0) + Vector()] == [2.0, 3.0]
