"""What a single Value is and shows: numbers in, numbers out, and the errors for everything else."""

import enum
import fractions
import gc
import math
import operator
import weakref

import numpy as np
import pytest
from micrograd.engine import Value as Original

from micrograd_c import tape
from micrograd_c.engine import Value


class Level(enum.IntEnum):
    HIGH = 3


NUMBERS = [3, 3.0, -0.0, True, Level.HIGH, np.float64(2.5), np.float32(2.5), np.int64(-4), np.bool_(True),
           fractions.Fraction(1, 4), 2**53 - 1, math.inf]


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_takes_every_number_by_value(number):
    value = Value(number)
    assert value.data == number
    assert type(value.data) is (int if isinstance(number, (int, np.integer, np.bool_)) else float)


@pytest.mark.parametrize(
    "thing",
    ["3", None, [1], (1,), {}, 1j, np.array([3.0]), np.array(1j), np.complex128(1), object(), Value(1.0),
     len],
    ids=lambda thing: type(thing).__name__,
)
@pytest.mark.parametrize("use", [Value, lambda thing: setattr(Value(1), "data", thing),
                                 lambda thing: setattr(Value(1), "grad", thing)], ids=["init", "data", "grad"])
def test_refuses_what_is_no_number_and_says_what_it_was(thing, use, request):
    if "grad-NoneType" in request.node.name:        # that means something, see test_set_to_none.py
        return
    with pytest.raises(TypeError, match=r"number.*not .* of type [\w.]*" + type(thing).__name__):
        use(thing)


def test_a_refused_value_leaves_the_tape_as_it_was(uncollected):
    before = tape.stats()
    for thing in ("3", None, [1]):
        with pytest.raises(TypeError):
            Value(thing)
        with pytest.raises(TypeError):
            Value(1.0, (thing,))
    assert tape.stats() == before


def test_int_beyond_the_floats_is_an_overflow():
    with pytest.raises(OverflowError):
        Value(10**400)


@pytest.mark.parametrize("data", [2, 2.0, -0.0, 1e100, 1e-7, float("nan"), float("inf"), 123456789012])
def test_repr_is_micrograds(data):
    assert repr(Value(data)) == repr(Original(data))


def test_constructor_takes_micrograds_keywords():
    child = Value(1.0)
    value = Value(data=3.0, _children=(child,), _op="custom")
    assert (value.data, value._prev, value._op) == (3.0, {child}, "custom")


def test_ints_from_2_to_the_53_on_become_floats():
    biggest = Value(2**53 - 1)
    assert biggest.data == 2**53 - 1
    assert type(biggest.data) is int
    for past in (biggest + 1, biggest + 2, biggest * biggest, Value(10) ** 16, Value(2**53), -biggest - 1):
        assert type(past.data) is float
    total = Value(1) * 2**52
    (total + total).backward()
    assert type(total.grad) is int


@pytest.mark.parametrize("name", ["_prev", "_op", "_backward"])
def test_the_graph_cannot_be_deleted(name):
    with pytest.raises(AttributeError, match=f"{name} of a Value cannot be deleted"):
        delattr(Value(1.0), name)


@pytest.mark.parametrize("name", ["data", "grad"])
def test_numbers_can_be_assigned_but_not_deleted(name):
    value = Value(1.0)
    setattr(value, name, 7)
    assert getattr(value, name) == 7
    assert type(getattr(value, name)) is int
    setattr(value, name, np.float64(0.5))
    assert type(getattr(value, name)) is float
    with pytest.raises(AttributeError, match=f"{name} of a Value cannot be deleted"):
        delattr(value, name)
    assert getattr(value, name) == 0.5


def test_unknown_attribute_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="foo"):
        Value(1.0).foo  # noqa: B018


def test_backward_on_something_else_is_a_type_error():
    for thing in (3.0, None, "x"):
        with pytest.raises(TypeError, match=r"backward.*Value.*object"):
            Value.backward(thing)


def test_equality_and_hash_are_identity():
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert a != 1.0
    assert len({a, b, a}) == 2
    assert {a: "x"}[a] == "x"
    assert hash(a) != hash(b)


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("other", [1, 2.0, 3, np.float64(2.0), math.nan])
def test_ordering_compares_data(compare, other):
    assert compare(Value(2), other) == compare(2, other)
    assert compare(other, Value(2)) == compare(other, 2)
    assert compare(Value(2), Value(other)) == compare(2, other)


def test_ordering_with_something_else_is_a_type_error():
    with pytest.raises(TypeError, match="not supported between"):
        Value(1) < "x"  # noqa: B015


def test_values_can_be_sorted_and_turned_into_floats():
    values = [Value(3), Value(-1.5), Value(2)]
    assert [v.data for v in sorted(values)] == [-1.5, 2, 3]
    assert max(values).data == 3
    assert float(Value(3)) == 3.0
    assert type(float(Value(3))) is float


def test_weak_references_live_as_long_as_the_graph():
    value = Value(1.0)
    reference = weakref.ref(value)
    assert reference() is value
    inner = value * 2
    result = inner + 1
    del value
    assert reference().data == 1.0
    del inner
    assert reference() in next(v for v in result._prev if v._op)._prev
    again = result * 3
    del result
    assert reference() is not None
    del again
    gc.collect()
    assert reference() is None


def test_weak_references_to_what_nothing_was_computed_from_die_at_once():
    value = Value(1.0)
    other = Value(2.0)
    result = other * other
    reference = weakref.ref(value)
    del value
    assert reference() is None
    assert result.data == 4.0


@pytest.mark.parametrize("use", [lambda v: v.data, lambda v: v.grad, lambda v: v + 1, lambda v: 1 - v, lambda v: v * v,
                                 lambda v: v ** 2, lambda v: v.relu(), lambda v: v.backward(), lambda v: v._prev,
                                 lambda v: Value(1, (v,)), lambda v: v < 1, lambda v: setattr(v, "data", 1)])
def test_a_subclass_that_forgets_super_init_is_told_so(use, uncollected):
    class Forgetful(Value):
        def __init__(self):
            self.x = 1

    before = tape.stats()
    with pytest.raises(AttributeError, match=r"Forgetful.__init__ must call super\(\).__init__\(data\)"):
        use(Forgetful())
    assert tape.stats() == before


def test_init_called_again_gives_the_same_object_a_new_node():
    value = Value(1.0)
    product = value * 3
    value.__init__(5.0, (value,), "again")
    assert (value.data, value._op) == (5.0, "again")
    assert [child.data for child in value._prev] == [1.0]
    product.backward()
    assert value.grad == 0
    value._backward = lambda: None
    value.__init__(6.0)
    assert (value.data, value._op, value._prev) == (6.0, "", set())
