"""Sweeps in which users' functions do rare things, and graphs in which the order of steps shows."""

import random

import pytest

from micrograd_c import stop_gradient, tape, vmap
from micrograd_c.engine import Value
from micrograd_c.vector import sumprod


def test_a_sweep_inside_a_users_function_is_over_when_it_ends():
    w, other = Value(3.0), Value(1.0)
    total = vmap(lambda x: w * x)([1.0, 2.0]).sum()
    side = other * 2
    native = total._backward

    def function():
        side.backward()
        native()

    total._backward = function
    (total * 2).backward()
    assert (w.grad, other.grad) == (6.0, 2.0)


def test_functions_below_stop_gradient_are_not_called():
    called = []
    v = Value(2.0) * 3
    v._backward = lambda: called.append(1)
    (stop_gradient(v) * 2).backward()
    assert called == []
    (stop_gradient(v) * v).backward()
    assert called == [1]


def test_a_users_function_may_collect_in_the_middle_of_a_sweep():
    """What is still to be swept stays where it is, though there is garbage below, and room for others is wanted."""
    garbage, new = [Value(1.0) for _ in range(1000)], []
    x = Value(2.0)
    y, z = x * 3, x * x
    node = Value(6.0, (y,), "collects")

    def function():
        garbage.clear()
        tape.collect()
        new.extend([Value(7.0) for _ in range(2000)])
        y.grad += 5.0

    node._backward = function
    (z * 1.0 + node * 1.0).backward()
    assert (y.grad, z.grad, x.grad) == (5.0, 1.0, 19.0)
    tape.verify()


def test_a_product_right_below_its_sum_may_be_used_above_it_too(run_python):
    """Nothing is left to be done when both are: a sweep that took it for so would leave the tape."""
    run_python("""
from micrograd_c.engine import Value
a, b, c = Value(2.0), Value(3.0), Value(5.0)
for _ in range(3):
    product = a * b
    total = c + product
    for out, factor in [(total + product, 2.0), (product * total, 11.0 + 6.0), (total.relu() * product, 17.0)]:
        a.grad = b.grad = c.grad = product.grad = total.grad = 0
        out.backward()
        assert (a.grad, b.grad, product.grad) == (3.0 * factor, 2.0 * factor, factor)
""")


def test_an_op_without_a_function_leaves_what_it_was_made_of_alone():
    a = Value(2.0)
    (Value(4.0, (a,), "op") * 1.5).backward()
    assert repr(a.grad) == "0"


def test_the_gradient_of_a_root_is_the_int_1_whatever_it_was():
    x = Value(2.0)
    y = x * 2.0
    (y * 1.5).backward()
    assert repr(y.grad) == "1.5"
    y.backward()
    assert repr(y.grad) == "1"


@pytest.mark.parametrize("bias", ["weight", "input"])
@pytest.mark.parametrize("follow", [True, False], ids=["one after the other", "anywhere"])
def test_a_bias_that_is_a_weight_or_an_input_gets_its_shares_in_the_order_of_the_ops(bias, follow):
    """Another order would be rounded otherwise."""
    draw = random.Random(5)
    for _ in range(40):
        ws, xs = [[Value(draw.random()) for _ in range(3)] for _ in range(2)]
        if not follow:
            xs = xs[::-1]
        b = ws[0] if bias == "weight" else xs[0]
        before, factor, gradients = draw.random(), draw.random(), []
        for add_up in (sumprod, lambda ws, xs, b: b + ws[0] * xs[0] + ws[1] * xs[1] + ws[2] * xs[2]):
            for v in ws + xs:
                v.grad = before
            (add_up(ws, xs, b) * factor).backward()
            gradients.append([v.grad for v in ws + xs])
        assert gradients[0] == gradients[1]


def test_operands_that_are_assigned_replace_what_was_shown_and_leave_the_rest():
    a, b, called = Value(1.0), Value(2.0), []
    out = Value(3.0, (a,), "op")
    out._backward = lambda: called.append(out.grad)
    out.grad = 2.5
    assert out._prev == {a}
    out._prev = (b,)
    assert (out._prev, out._op, out.data, repr(out.grad)) == ({b}, "op", 3.0, "2.5")
    tape.verify()
    (out * 2).backward()
    assert called == [4.5]


def test_what_dies_during_a_sweep_is_dropped_after_it():
    x = Value(2.0)
    node = Value(6.0, (x,), "drops")
    above = [Value(1.0) for _ in range(100)]
    node._backward = above.clear
    nodes = tape.stats()["nodes"]
    node.backward()
    assert tape.stats()["nodes"] == nodes - 100
    tape.verify()
