"""Values in rare states: classes that change, names that are no plain text, data at the edge of ints."""

import gc
import math
import weakref

import pytest
from conftest import frees_functions

from micrograd_c import tape
from micrograd_c.engine import Value
from micrograd_c.vector import sumprod


class Thing:
    pass


def test_the_first_instance_of_a_subclass_leaves_its_class(run_python):
    run_python("""
from micrograd_c.engine import Value
class Named(Value):
    pass
v = Named(2.0)
result = v.relu()
del v
(child,) = result._prev
assert type(child) is Named and child.data == 2.0
""")


def test_the_name_of_an_op_keeps_its_class():
    class Name(str):
        pass

    v = Value(2.0) * 3
    v._op = Name("mine")
    result = v.relu()
    del v
    gc.collect()
    (child,) = result._prev
    assert (child._op, type(child._op)) == ("mine", Name)


def test_a_name_of_an_op_that_was_taken_up_is_left_again():
    v = Value(2.0) * 3
    v._op = "mine"
    result = v.relu()
    del v
    for _ in range(2):
        (child,) = result._prev
        assert child._op == "mine"
        above = child * 2       # as an operand it is not plain
        assert "mine" in {operand._op for operand in above._prev}
        del child, above
        result = Value(1.0, tuple(result._prev), "again")
        gc.collect()
    tape.verify()


def test_a_value_that_gets_another_class_is_held_as_one_of_that():
    ended = []

    class Ends(Value):
        def __del__(self):
            ended.append(self.data)

    v = Value(2.0)
    v.__class__ = Ends
    result = v.relu()
    del v
    gc.collect()
    assert ended == []
    del result
    gc.collect()
    assert ended == [2.0]


def members(thing):
    def refers():
        return thing

    return {
        "attribute": {"one": thing}, "tuple": {"one": (1, thing)}, "method": {"one": lambda self: thing},
        "getter": {"one": property(lambda self: thing)}, "static": {"one": staticmethod(refers)},
        "setter": {"one": property(lambda self: 1, lambda self, value: refers())},
    }


@frees_functions
@pytest.mark.parametrize("kind", members(None))
def test_a_class_that_leads_to_its_instances_results_is_freed(kind):
    def build():
        thing = Thing()
        local = type("Local", (Value,), members(thing)[kind])
        thing.result = local(2.0).relu()
        return weakref.ref(thing)

    thing = build()
    gc.collect()
    assert thing() is None


def test_classes_are_looked_at_again_after_they_have_changed():
    """Several, all at once: what is known of a class that is no more may be at the same place."""
    kinds = [type(f"Changes{k}", (Value,), {}) for k in range(50)]
    values = [kind(2.0) for kind in kinds]
    for v in values:
        assert sumprod([v, Value(1.0)], [Value(1.0), Value(2.0)]).data == 4.0
    for kind in kinds:
        kind.__mul__ = lambda self, other: "mine"
    for v in values:
        with pytest.raises(TypeError):
            sumprod([v, Value(1.0)], [Value(1.0), Value(2.0)])


def test_a_value_initialised_again_has_no_function_and_no_name():
    called = []
    v = Value(2.0, (Value(1.0),), "old")
    v._backward = lambda: called.append(1)
    assert v._prev
    v.__init__(4.0)
    (v * 2).backward()
    assert (v._op, v._prev, called, v.grad) == ("", set(), [], 2.0)
    tape.verify()


@pytest.mark.parametrize("first", ["Value", "other"])
def test_plain_data_of_a_value_in_garbage_is_left_with_its_node(first):
    """A user has put what refers to the Value into the set of its _prev. Python's collector takes either first."""
    inner = Value(2.0) * 3
    result = inner.relu()
    if first == "Value":
        inner._op = "times"     # from here on the collector knows of it
    holder = Thing()
    inner.label, inner._op, holder.inner = "inner", "times", inner
    inner._prev.add(holder)
    gone = weakref.ref(holder)
    del inner, holder
    gc.collect()
    assert gone() is None
    (again,) = result._prev
    assert (again.label, again._op, len(again._prev)) == ("inner", "times", 2)


def test_minus_zero_minus_the_int_zero_is_zero():
    """-0.0 + -0, and -0 is the int 0."""
    assert math.copysign(1.0, (Value(-0.0) - 0).data) == 1.0
    assert math.copysign(1.0, (Value(-0.0) - 0.0).data) == -1.0


@pytest.mark.parametrize(("x", "y"), [(41, 10), (101, 8), (2091784, 3), (3346379744, 2), (19388236082, 4)])
def test_a_power_of_ints_beyond_2_to_the_53_is_rounded_once(x, y):
    """C's pow() rounds these otherwise."""
    assert (Value(x) ** y).data == (Value(x) ** Value(y)).data == (x ** Value(y)).data == float(x**y)


def test_a_value_made_after_one_that_had_taken_up_a_name_has_none():
    v = Value(2.0) * 3
    v._op = "mine"
    result = v.relu()
    del v
    (child,) = result._prev
    assert child._op == "mine"
    del result, child
    assert [new._op for new in [Value(1.0) for _ in range(10)]] == [""] * 10


def test_a_sum_of_products_of_ints_is_a_float_from_2_to_the_53_on():
    """And what is computed of it, though it is smaller again."""
    def plain(ws, xs):
        return 0 + ws[0] * xs[0] + ws[1] * xs[1]

    for add_up in (plain, sumprod):
        total = add_up([Value(2**52), Value(2**52)], [1, 1])
        assert [repr(v.data) for v in (total, total + -(2**52))] == ["9007199254740992.0", "4503599627370496.0"]


def test_ints_beyond_64_bits_in_sums_of_products_are_what_they_are():
    assert sumprod([Value(1.0), Value(2.0)], [2**70, 1]).data == 2.0**70
    assert sumprod([Value(1.0), Value(2.0)], [-(2**70), 1], 2**65).data == -(2.0**70) + 2.0**65 + 2.0
