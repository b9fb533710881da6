"""Values in rare states: classes that change, names that are no plain text, sweeps within sweeps."""

import gc
import math
import random
import weakref

import pytest

from micrograd_c import stop_gradient, tape, vmap
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


def test_a_value_initialised_again_has_no_function_and_no_name():
    called = []
    v = Value(2.0, (Value(1.0),), "old")
    v._backward = lambda: called.append(1)
    assert v._prev
    v.__init__(4.0)
    (v * 2).backward()
    assert (v._op, v._prev, called, v.grad) == ("", set(), [], 2.0)
    tape.verify()


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


MOVED = {
    "collected": """
garbage = [Value(1.0) for _ in range(1000)]
def move():
    garbage.clear()
    tape.collect()
""",
    "dropped": """
garbage = Value(1.0)
for _ in range(5_000):
    garbage = garbage + 1       # without handles
def move():
    global garbage, filling
    del garbage
    filling, nodes = Value(1.0), 0
    while tape.stats()["nodes"] > nodes:
        nodes = tape.stats()["nodes"]
        filling = filling + 1
""",
}


@pytest.mark.parametrize("way", MOVED)
def test_data_that_was_assigned_to_counts_after_nodes_have_moved(way, run_python):
    """0 * infinity is no number: an adjoint of 0 is not skipped."""
    run_python(f"""
import math
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value
{MOVED[way]}
ws, xs = [Value(1.0) for _ in range(3)], [Value(2.0) for _ in range(3)]
out = sumprod(ws, xs) * 0.0
xs[1].data = math.inf
nodes = tape.stats()["nodes"]
move()
assert tape.stats()["nodes"] < nodes + 7_000
out.backward()
assert [math.isnan(w.grad) for w in ws] == [False, True, False], [w.grad for w in ws]
""")


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


@pytest.mark.parametrize("make", [
    lambda v: Value(2.0, (v,), "op"), lambda v: sumprod([v, Value(1.0)], [Value(2.0), Value(3.0)]),
], ids=["op", "dot"])
def test_edges_go_with_the_nodes_that_have_them(make):
    v = Value(1.0)
    edges = tape.stats()["edges"]
    for _ in range(10):
        result = make(v)
        del result
    assert tape.stats()["edges"] == edges
    tape.verify()


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_data_that_an_optimizer_has_changed_counts_in_graphs_from_before(kind, run_python):
    """As above, when a step has made it infinite."""
    run_python(f"""
import math
from micrograd_c import optim, sumprod
from micrograd_c.engine import Value
ws, xs = [Value(1.0) for _ in range(3)], [Value(2.0), Value(1.7e308), Value(2.0)]
out = sumprod(ws, [xs[0], xs[1] * 0.5, xs[2]]) * 0.0 + sumprod(ws, xs) * 0.0
xs[1].grad = -1.0
options = dict(weight_decay=0.0) if "{kind}" == "AdamW" else dict()
optim.{kind}([xs[1]], lr=1e308, **options).step()
assert xs[1].data == math.inf
out.backward()
assert [math.isnan(w.grad) for w in ws] == [False, True, False], [w.grad for w in ws]
""")


def test_plain_data_of_a_value_in_garbage_is_left_with_its_node():
    """A user has put something into the set of _prev that refers to the Value."""
    inner, holder = Value(2.0) * 3, Thing()
    result = inner.relu()
    inner.label, inner._op, holder.inner = "inner", "times", inner
    inner._prev.add(holder)
    gone = weakref.ref(holder)
    del inner, holder
    gc.collect()
    assert gone() is None
    (again,) = result._prev
    assert (again.label, again._op, len(again._prev)) == ("inner", "times", 2)


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


def test_survivors_that_died_are_dropped_and_what_came_after_them_is_young(run_python):
    """They were most of the tape when it was full the first time, and go when it is full again."""
    run_python("""
from micrograd_c import tape
from micrograd_c.engine import Value
def chain(nodes):
    out = Value(1.0)
    for _ in range(nodes // 2):
        out = out + 1
    return out
survives, goes = chain(9_000), chain(6_000)
last = Value(5.0)
del goes
top = last + 1
nodes = 0
while tape.stats()["nodes"] > nodes:
    nodes = tape.stats()["nodes"]
    top = top + 1
tape.verify()
assert nodes > 15_000 and tape.stats()["nodes"] < 11_000
del survives
nodes = 0
while tape.stats()["nodes"] > nodes:
    nodes = tape.stats()["nodes"]
    top = top + 1
tape.verify()
assert nodes > 15_000 and tape.stats()["nodes"] < 9_000
top.backward()
assert last.grad == 1.0
""")


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


def test_minus_zero_minus_the_int_zero_is_zero():
    """-0.0 + -0, and -0 is the int 0."""
    assert math.copysign(1.0, (Value(-0.0) - 0).data) == 1.0
    assert math.copysign(1.0, (Value(-0.0) - 0.0).data) == -1.0


FULL = """
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value

def lowest(label=None):
    out = Value(1.0)
    for k in range(5_000):
        out = out + 1
        if label and k % 100 == 0:
            out.label = label
    return out

def fill():
    filling, nodes = Value(1.0), 0
    while tape.stats()["nodes"] > nodes:
        nodes = tape.stats()["nodes"]
        filling = filling + 1
    tape.verify()
    assert tape.stats()["nodes"] < 8_000 < nodes

"""


def test_plain_data_goes_with_the_lowest_nodes_of_a_full_tape(run_python):
    run_python(FULL + """
garbage = lowest("of a dead one")
above = Value(2.0)
inner = above * 3
inner.label = "inner"
above = inner.relu()
del inner, garbage
fill()
(inner,) = above._prev
assert inner.label == "inner"
""")


@pytest.mark.parametrize("dead", ["ws", "xs"])
def test_operands_of_dots_without_handles_stay_in_a_full_tape(dead, run_python):
    """The lowest of what is alive is an operand of a dot only."""
    run_python(FULL + f"""
garbage = lowest()
operands = [Value(2.0 + k) for k in range(3)]
others = [Value(5.0), Value(6.0), Value(7.0)]
out = sumprod(*({"(operands, others)" if dead == "ws" else "(others, operands)"}))
del operands, garbage
fill()
out.backward()
assert [v.grad for v in others] == [2.0, 3.0, 4.0]
""")


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


def test_what_dies_during_a_sweep_is_dropped_after_it():
    x = Value(2.0)
    node = Value(6.0, (x,), "drops")
    above = [Value(1.0) for _ in range(100)]
    node._backward = above.clear
    nodes = tape.stats()["nodes"]
    node.backward()
    assert tape.stats()["nodes"] == nodes - 100
    tape.verify()
