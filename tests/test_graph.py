"""The graph as Python sees it: _prev, _op, _backward, custom ops, repeated backward."""

import copy
import threading

import pytest
from conftest import custom_sum
from micrograd import engine as original

from micrograd_c import no_grad, sumprod, tape, vmap
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value

OPS = [
    ("+", lambda a, b: a + b, 2), ("*", lambda a, b: a * b, 2), ("**", lambda a, b: a ** b, 2),
    ("**3", lambda a, b: a ** 3, 1), ("**2.0", lambda a, b: a ** 2.0, 1), ("**-1", lambda a, b: a ** -1, 1),
    ("abs", lambda a, b: abs(a), 1),
    *[(row["text"], lambda a, b, name=name: getattr(a, name)(), 1) for name, row in rules.functions().items()],
]


@pytest.mark.parametrize(("name", "op", "arity"), OPS, ids=[name for name, *_ in OPS])
def test_op_and_operands_are_those_that_were_given(name, op, arity):
    a, b = Value(0.5), Value(3.0)
    result = op(a, b)
    assert result._op == name
    assert result._prev == {a, b} if arity == 2 else {a}
    assert {id(v) for v in result._prev} == {id(a), id(b)} if arity == 2 else {id(a)}


def test_a_leaf_has_an_empty_set():
    assert Value(1.0)._prev == set()
    assert str(Value(1.0)._prev) == "set()"
    assert Value(1.0)._op == ""


def test_dropped_temporaries_come_back_as_the_same_objects():
    a, b = Value(2.0), Value(3.0)
    result = a * b + a
    (product,) = result._prev - {a}
    identity = id(product)
    del product
    assert result._prev is result._prev
    (product,) = result._prev - {a}
    assert id(product) == identity
    assert (product.data, product._op) == (6.0, "*")
    assert product._prev == {a, b}


def test_subtraction_and_division_are_micrograds_compositions():
    a, b = Value(6.0), Value(3.0)
    (negative,) = (a - b)._prev - {a}
    assert negative._op == "*"
    assert {v.data for v in negative._prev} == {3.0, -1}
    (inverse,) = (a / b)._prev - {a}
    assert inverse._op == "**-1"
    assert inverse._prev == {b}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 17])
def test_custom_ops_take_any_number_of_children(count):
    values = [Value(float(i)) for i in range(count)]
    out = custom_sum(*values)
    assert out._prev == set(values)
    (out * 2).backward()
    assert [v.grad for v in values] == [2] * count
    assert out.grad == 2


@pytest.mark.parametrize("children", [(3.0,), ("x",), (Value(1.0), None), [[Value(1.0)]]])
def test_children_that_are_no_values_are_refused(children):
    with pytest.raises(TypeError, match=r"children of a Value must be Values, not .* of type"):
        Value(1.0, children)


def test_custom_function_reaches_through_native_ops_on_both_sides():
    a = Value(3.0)
    out = custom_sum(a * 2, a * 3) * 5
    out.backward()
    assert a.grad == 25


def test_custom_function_survives_its_handle():
    def build():
        return custom_sum(a, a * a) * 2 + 1     # the handle of the custom node is dropped on return

    a = Value(3.0)
    result = build()
    tape.collect()
    result.backward()
    assert a.grad == 2 * (1 + 2 * 3.0)


def test_a_function_assigned_late_is_still_called_when_its_handle_is_gone():
    def build():
        inner = a * 2
        outer = inner + 1
        inner._backward = lambda: calls.append(1)
        return outer

    calls = []
    a = Value(3.0)
    result = build()
    result.backward()
    assert calls == [1]
    assert a.grad == 0


@pytest.mark.parametrize("thing", [None, 3, "f"])
def test_backward_must_be_a_function(thing):
    with pytest.raises(TypeError, match="_backward must be a function"):
        Value(1.0)._backward = thing


def test_backward_function_does_one_nodes_step_by_hand():
    a, b = Value(2.0), Value(3.0)
    product = a * b
    result = product + a
    result.grad = 1.0
    result._backward()
    assert (product.grad, a.grad, b.grad) == (1.0, 1.0, 0)
    product._backward()
    assert (a.grad, b.grad) == (4.0, 2.0)
    a._backward()
    assert a.grad == 4.0


def test_backward_function_can_be_wrapped():
    a = Value(2.0)
    out = a * 5
    native = out._backward
    seen = []
    out._backward = lambda: (seen.append(out.grad), native())
    (out * 3).backward()
    assert seen == [3]
    assert a.grad == 15


def test_second_backward_accumulates_through_intermediates():
    x = Value(3.0)
    square = x * x
    y = square * square
    y.backward()
    assert x.grad == 108.0
    y.backward()
    assert x.grad == 108.0 + 2 * 108.0
    assert square.grad == 36.0
    assert y.grad == 1


def test_backward_of_graphs_that_share_nodes_adds_up():
    x = Value(3.0)
    shared = x * 2
    (shared + 1).backward()
    (shared * 10).backward()
    assert shared.grad == 11
    assert x.grad == 2 + 22


def test_backward_uses_data_changed_since():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    b.data = 10.0
    c.backward()
    assert a.grad == 10.0
    assert c.data == 6.0


def test_an_error_in_a_custom_function_leaves_the_graph_usable():
    def fail():
        raise RuntimeError("mine")

    a = Value(2.0)
    out = Value(5.0, (a * 3,), "custom")
    out._backward = fail
    result = out * 2
    with pytest.raises(RuntimeError, match="mine"):
        result.backward()
    out._backward = lambda: setattr(a, "grad", a.grad + 1)
    result.backward()
    assert a.grad == 1


def test_an_error_in_a_slope_leaves_the_graph_usable():
    x = Value(1.0)
    y = (x ** -2) * 3 + x
    x.data = 0.0
    with pytest.raises(ZeroDivisionError):
        y.backward()
    x.data, x.grad = 2.0, 0
    z = x * x
    z.backward()
    assert x.grad == 4.0


def test_a_custom_function_may_build_and_sweep_graphs_of_its_own():
    def _backward():
        inner = Value(3.0)
        for _ in range(30_000):     # more than the tape has room for at first
            inner = inner + 1
        inner.backward()
        a.grad += out.grad * inner.grad

    a = Value(2.0)
    out = Value(4.0, (a,), "custom")
    out._backward = _backward
    result = out * 5
    result.backward()
    assert a.grad == 5


def test_children_can_be_assigned_until_something_is_computed():
    out = Value(5.0)
    a, b = Value(2.0), Value(3.0)
    out._prev = {a, b}
    out._op = "late"
    assert out._prev == {a, b}
    result = out * 1
    with pytest.raises(ValueError, match="computed from this Value"):
        out._prev = (a,)
    result.backward()
    assert (out.grad, out._op) == (1, "late")


OPS = {
    "x * w": lambda x, w: x * w, "x + w": lambda x, w: x + w, "x**3": lambda x, w: x**3, "relu": lambda x, w: x.relu(),
    "x * x": lambda x, w: x * x, "w / x": lambda x, w: w / x,
}
GIVEN = {
    "the same": lambda y, x, other: y._prev, "one more": lambda y, x, other: y._prev | {other},
    "one": lambda y, x, other: {x}, "another": lambda y, x, other: {other}, "none": lambda y, x, other: set(),
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("op", OPS)
def test_an_op_adds_to_what_it_was_computed_from_whatever_its_children_are(op, given):
    """In micrograd that is the closure's business, and `_prev` says where backward() goes from there."""
    def grads(Value):
        a, b, other = Value(2.0), Value(-3.0), Value(5.0)
        x, w = a * 2, b * 4
        y = OPS[op](x, w)
        y._prev = GIVEN[given](y, x, other)
        count = len(y._prev)
        z = y * 2 + y
        z.backward()
        y._backward()
        return [one.grad for one in (a, b, other, x, w, y)], count, y.data, [v in y._prev for v in (x, w, other)]

    assert grads(Value) == grads(original.Value)
    tape.verify()


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_an_op_with_assigned_operands_adds_by_its_own_gradient(copied):
    x, w = Value(2.0), Value(3.0)
    y = x * w
    y._prev = ()
    (copied(y) * 2).backward()
    assert (x.grad, w.grad, y.grad) == (6.0, 4.0, 0)


def test_assigned_operands_meet_vmap_no_grad_and_dots():
    w, other = Value(3.0), Value(5.0)

    def f(x):
        y = x * w
        y._prev = (x,)
        return y * 2

    with pytest.warns(UserWarning, match="row by row"):
        assert list(vmap(f)([1.0, 2.0])) == [6.0, 12.0]
    y = w * w
    with no_grad():
        y._prev = (other,)
    assert y._prev == set()
    (y * 2).backward()
    assert (w.grad, other.grad) == (0, 0)
    dot = sumprod([w, w], [other, other])
    dot._prev = (w,)
    dot.backward()
    assert (dot.data, w.grad, other.grad) == (30.0, 0, 0)       # the products had it, and nobody goes there
    tape.verify()


def test_the_same_children_can_be_assigned_at_any_time():
    x, w = Value(2.0), Value(3.0)
    y = x * w
    z = y * y
    y._prev = (w, x)
    y._children = [x, w]
    z.backward()
    assert (x.grad, w.grad) == (36.0, 24.0)
    with pytest.raises(ValueError, match="computed from this Value"):
        y._children = (w, x)


def test_children_of_local_gradients_are_what_is_multiplied():
    x, w, other = Value(2.0), Value(3.0), Value(5.0)
    y = x * w
    y._children = (other, w)
    assert (y._children, y._local_grads) == ((other, w), (3.0, 2.0))
    y.backward()
    assert (x.grad, w.grad, other.grad) == (0, 2.0, 3.0)
    y._children = ()
    assert (y._children, y._local_grads) == ((), ())
    tape.verify()


def test_threads_may_share_a_graph():
    x = Value(1.0)
    results = []

    def work():
        for _ in range(200):
            y = x * 2 + 1
            y.backward()
            results.append(y.data)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [3.0] * 800
    assert x.grad == 2 * 800


def test_operands_keep_their_identity_as_a_large_tape_gives_memory_back(run_python):
    run_python("""
from micrograd_c import tape
from micrograd_c.engine import Value

below = [Value(0.5) for _ in range(400_000)]
product = Value(2.0) * 3.0
while tape.stats()["base"] < 400_000:       # until all of these count as old
    sum([1.0] * 200_000, Value(0.5))
capacity = tape.stats()["capacity"]
del below[:]
assert product._prev is product._prev
assert tape.stats()["capacity"] < capacity
""")
