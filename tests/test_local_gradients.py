"""Value(data, children, local_grads): an op of one's own without a function; `_children` and `_local_grads` of any."""

import copy
import gc
import math
import pickle
import random
import threading
from fractions import Fraction

import numpy as np
import pytest
from conftest import custom_sum
from hypothesis import given, settings
from hypothesis import strategies as st
from own_values import LOCAL, made

from micrograd_c import (
    TraceError,
    linear,
    maximum,
    minimum,
    no_grad,
    softmax,
    stop_gradient,
    sumprod,
    tape,
    viz,
    vmap,
    where,
)
from micrograd_c._core.mapped import executor
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value
from micrograd_c.nn import Neuron

FUNCTIONS = rules.functions()
Plain = made(LOCAL)     # in plain Python


def product(a, b):
    return Value(a.data * b.data, (a, b), (b.data, a.data))


def shifted_log(x):
    """The commonest: a log that takes 0."""
    return Value(math.log(x.data + 1e-10), (x,), (1 / (x.data + 1e-10),))


def all_of(root):
    """Everything below, in the order of a walk over children."""
    found = [root]
    for v in found:
        found += [child for child in v._children if all(child is not other for other in found)]
    return found


# --- the same as in plain Python ---

@given(st.data())
@settings(max_examples=200)
def test_graphs_have_the_plain_classes_numbers_ints_and_floats_apart(data):
    """Numbers are few and small, so that sums in another order are the same."""
    numbers = st.sampled_from([0, 1, 2, -1, -3, 0.5, -2.0, 4.0, 0.0])
    leaves = data.draw(st.lists(numbers, min_size=1, max_size=4))
    plan = data.draw(st.lists(st.lists(st.tuples(st.integers(0, 9), numbers), min_size=1, max_size=4), max_size=5))

    def build(cls):
        values = [cls(x) for x in leaves]
        for step in plan:
            children = tuple([values[k % len(values)] for k, _ in step])
            out = cls(sum(child.data for child in children), children, tuple([x for _, x in step]))
            values.append(out + children[0] * out)
        values[-1].backward()
        values[-1].backward()
        return values

    ours, plain = build(Value), build(Plain)
    assert [(repr(v.data), repr(v.grad + 0)) for v in ours] == [(repr(v.data), repr(v.grad + 0)) for v in plain]


@pytest.mark.parametrize("local_grads", [
    (2.0, -3), [2.0, -3], np.array([2.0, -3.0]), (np.float64(2), np.int64(-3)), (Fraction(2), -3), range(2, -4, -5),
    iter([2.0, -3]), (x for x in [2.0, -3]),
], ids=lambda given: type(given).__name__)
@pytest.mark.parametrize("make", [
    lambda children, local_grads: Value(6.0, children, local_grads),
    lambda children, local_grads: Value(6.0, children=children, local_grads=local_grads),
    lambda children, local_grads: Value(6.0, children, local_grads=local_grads),
    lambda children, local_grads: Value(6.0, _children=children, _op=local_grads),
    lambda children, local_grads: Value(6.0, list(children), local_grads),
    lambda children, local_grads: Value(data=6.0, children=iter(children), local_grads=local_grads),
], ids=["positional", "keywords", "one keyword", "micrograd's keywords", "list", "iterator"])
def test_however_they_are_given(make, local_grads):
    local_grads = copy.copy(local_grads) if hasattr(local_grads, "__len__") else iter([2.0, -3])
    a, b = Value(1.0), Value(2.0)
    out = make((a, b), local_grads)
    (out * 4).backward()
    assert (out.data, out.grad, a.grad, b.grad) == (6.0, 4, 8, -12)
    assert out._children == (a, b)
    assert out._local_grads == (2, -3)
    assert out._prev == {a, b}
    assert out._op == ""


@pytest.mark.parametrize(("given", "kept"), [
    (2, "2"), (2.0, "2.0"), (True, "1"), (np.float32(0.5), "0.5"), (np.int64(3), "3"), (2**53, "9007199254740992.0"),
    (math.inf, "inf"), (-0.0, "-0.0"), (math.nan, "nan"),
], ids=repr)
def test_ints_stay_ints_as_in_data(given, kept):
    a = Value(1)
    out = Value(1, (a,), (given,))
    assert repr(out._local_grads) == f"({kept},)"
    out.backward()
    assert repr(a.grad) == repr(0 + float(kept) if "." in kept or kept in ("inf", "nan") else int(kept))


def test_an_op_may_have_a_name_besides():
    a = Value(2.0)
    out = Value(4.0, (a,), "square", local_grads=(4.0,))
    out.backward()
    assert (out._op, a.grad) == ("square", 4.0)


def test_no_children_is_a_leaf():
    assert Value(1.0, (), ())._children == Value(1.0)._children == ()
    assert Value(1.0, (), ())._local_grads == Value(1.0)._local_grads == ()
    assert pickle.loads(pickle.dumps(Value(1.0, (), ()))).data == 1.0


def test_a_child_that_is_given_twice_gets_both():
    a = Value(3.0)
    product(a, a).backward()
    assert a.grad == 6.0


# --- errors ---

@pytest.mark.parametrize(("arguments", "keywords", "error", "message"), [
    (((1,), 2.0), {}, TypeError, r"local_grads must be a sequence of numbers, one per child, not 2.0 .* \(2.0,\)"),
    (((1,), (1, 2)), {}, ValueError, "one local gradient per child, not 2 for 1"),
    (((1,), ()), {}, ValueError, "not 0 for 1"),
    (((), (1.0,)), {}, ValueError, "not 1 for 0"),
    ((), {"local_grads": (1.0,)}, ValueError, "not 1 for 0"),
    (((1,), (None,)), {}, TypeError, "a local gradient must be a number, not None of type NoneType"),
    (((1,), ("x",)), {}, TypeError, "a local gradient must be a number, not 'x'"),
    (((1,), (1j,)), {}, TypeError, "a local gradient must be a number, not 1j"),
    (((1,), (Value(1.0),)), {}, TypeError, "must be a number, not Value.*: give its data"),
    (((1,), Value(1.0)), {}, TypeError, "local_grads must be a sequence"),
    (((1,), {1.0}), {}, TypeError, "local_grads must be a sequence"),
    (((1,), {0: 1.0}), {}, TypeError, "local_grads must be a sequence"),
    (((1,), b"x"), {}, TypeError, "local_grads must be a sequence"),
    (((1,),), {"local_grads": "x"}, TypeError, "local_grads must be a sequence"),
    (((1,),), {"local_grads": 3}, TypeError, "local_grads must be a sequence"),
    (((1,), (1.0,)), {"local_grads": (1.0,)}, TypeError, "local gradients are given twice"),
    (((1,),), {"children": (1,)}, TypeError, "children are given twice"),
    (({1, 2}, (1.0, 2.0)), {}, TypeError, "a set has no order"),
    (((1, "x"), (1.0, 2.0)), {}, TypeError, "children of a Value must be Values, not 'x'"),
    (((1,), [[1.0]]), {}, TypeError, r"a local gradient must be a number, not \[1.0\]"),
    (((1,), (10**400,)), {}, OverflowError, "int too large"),
], ids=lambda given: str(given)[:40])
def test_what_is_wrong_is_said_and_leaves_nothing(arguments, keywords, error, message):
    a, b = Value(2.0), Value(3.0)

    def as_children(given):
        return type(given)([{1: a, 2: b}.get(one, one) for one in given])

    children = [as_children(one) for one in arguments[:1]]
    keywords = {**keywords, **({"children": as_children(keywords["children"])} if "children" in keywords else {})}
    before = tape.stats()
    with pytest.raises(error, match=message):
        Value(1.0, *children, *arguments[1:], **keywords)
    assert tape.stats() == before
    tape.verify()


@pytest.mark.parametrize("op", ["", "+", "mine", len], ids=repr)
def test_what_is_no_number_and_no_sequence_is_the_ops_name(op):
    assert Value(1.0, (Value(2.0),), op)._op == op


def test_code_that_runs_while_numbers_are_read_harms_nothing():
    class Odd:
        def __float__(self):
            tape.collect()
            [Value(k) for k in range(40_000)]
            return 2.0

    a, b = Value(2.0), Value(3.0)
    out = Value(1.0, (a, b), (Odd(), Odd()))
    out._local_grads = (Odd(), 4)
    out.backward()
    assert (a.grad, b.grad) == (2.0, 4)


# --- what other ops show ---

TWO = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a**b, lambda a, b: maximum(a, b), lambda a, b: minimum(a, b),
]


@pytest.mark.parametrize("op", TWO)
def test_ops_of_two_show_both_operands_in_order(op):
    a, b = Value(2.0), Value(3.0)
    out = op(a, b)
    assert [id(v) for v in out._children] == [id(a), id(b)]
    out.backward()
    assert repr(out._local_grads) == repr((a.grad, b.grad))
    same = op(a, a)
    assert [id(v) for v in same._children] == [id(a), id(a)]
    assert len(same._local_grads) == 2


@pytest.mark.parametrize("op", [
    *[lambda a, name=name: getattr(a, name)() for name in FUNCTIONS],
    lambda a: a**2, lambda a: a**-1, lambda a: a**0.5, lambda a: a**0,
], ids=[*FUNCTIONS, "square", "inverse", "root", "nothing"])
@pytest.mark.parametrize("x", [0.3, 2.0, 1, 3])
def test_functions_show_what_a_backward_pass_gives(op, x, request):
    name = request.node.callspec.id.split("-", 1)[1]
    if name in FUNCTIONS and not math.isfinite(rules.value_at(name, 2.0)):
        x /= 4      # asin and the like end at 1
    if name in ("floor", "ceil"):
        x += 0.25   # they jump at whole numbers
    a = Value(x)
    out = op(a)
    (out * 1).backward()
    assert out._children == (a,)
    assert repr(out._local_grads) == repr((a.grad,))
    h = 1e-6
    difference = (op(Value(a.data + h)).data - op(Value(a.data - h)).data) / (2 * h)
    assert out._local_grads == pytest.approx((difference,), rel=1e-6, abs=1e-9)


def test_ints_are_as_in_the_plain_class():
    def build(cls):
        a, b = cls(3), cls(-2.0)
        return [a + 2, a * 5, a * b, a**2, a**3, -a, a.relu(), cls(-3).relu(), a - b, b / a]

    for ours, plain in zip(build(Value), build(Plain)):
        shown = [tuple(map(repr, v._local_grads)) for v in (ours, plain)]
        assert shown[0] == shown[1] or ours._op == "ReLU"       # micrograd's is an int
        assert [child.data for child in ours._children] == [child.data for child in plain._children]
    assert repr(Value(3).relu()._local_grads) == "(1,)"


def test_what_is_computed_from_a_child_shows_in_its_place():
    a, b = Value(6.0), Value(3.0)
    minus, by = a - b, a / b
    assert minus._children[0] is a
    assert minus._children[1]._children[0] is b
    assert by._children[1]._children == (b,)
    assert by._children[1]._local_grads == (-1 / 9,)


def test_number_bases_and_exponents():
    b = Value(3)
    out = 2**b
    assert [v.data for v in out._children] == [2, 3]
    assert out._local_grads == pytest.approx((12.0, 8 * math.log(2)))
    assert (b**2)._children == (b,)


def test_stop_gradient_lets_nothing_through():
    a = Value(2.0)
    assert stop_gradient(a)._children == (a,)
    assert stop_gradient(a)._local_grads == (0,)


def test_where_shows_its_picks():
    a, b = Value(2.0), Value(3.0)
    chosen, other = where(1, a, b)._children
    assert chosen._children[1] is a
    assert chosen._local_grads == (0.0, 1.0)
    assert other._local_grads == (0.0, 0.0)


def lines_of_softmax(xs):
    top = max(x.data for x in xs)
    exps = [(x - top).exp() for x in xs]
    total = sum(exps[1:], exps[0])
    return [e / total for e in exps]


@pytest.mark.parametrize(("fused", "spelled"), [
    (lambda a, b, c: sumprod([a, b], [b, c], a), lambda a, b, c: a + a * b + b * c),
    (lambda a, b, c: linear([[a, b]], [b, c], [c])[0], lambda a, b, c: c + a * b + b * c),
], ids=["sumprod", "linear"])
def test_sums_of_products_show_their_nodes(fused, spelled):
    a, b, c = Value(2.0), Value(-0.5), Value(0.75)
    one, other = fused(a, b, c), spelled(a, b, c)
    shown = [[(v._op, v.data, v._local_grads, len(v._children)) for v in all_of(root)] for root in (one, other)]
    assert shown[0] == shown[1]
    assert len(shown[0]) > 5


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_neurons_show_their_nodes(activation):
    random.seed(1)
    neuron, xs = Neuron(2, activation=activation), [Value(0.5), Value(-1.5)]
    out = neuron(xs)
    (total,) = out._children
    assert total._children[1]._children == (neuron.w[1], xs[1])
    assert total._children[1]._local_grads == (xs[1].data, neuron.w[1].data)
    out.backward()
    assert repr(out._local_grads[0]) == repr(total.grad)


def test_softmax_shows_its_nodes():
    xs = [Value(0.5), Value(-1.5)]
    share = softmax(xs)[1]
    e, inverse = share._children
    assert share._local_grads == (inverse.data, e.data)
    assert inverse._op == "**-1"


@pytest.mark.parametrize("make", [
    lambda a: custom_sum(a, a * 2), lambda a: hooked(a * 3), lambda a: hooked(Value(1.0, (a,), (2.0,))),
], ids=["custom", "hooked", "hooked local"])
def test_what_only_a_function_knows_is_an_error(make):
    out = make(Value(2.0))
    with pytest.raises(AttributeError, match=r"known to its _backward only: <function"):
        _ = out._local_grads
    assert not hasattr(out, "_local_grads")
    assert out._children


def hooked(v):
    v._backward = lambda: None
    return v


def test_children_without_any_rule_get_nothing():
    a = Value(2.0)
    assert Value(1.0, (a, a))._local_grads == (0, 0)


def test_a_slope_that_raises_raises_when_it_is_read():
    a = Value(1.0)
    inverse = a**-1
    a.data = 0.0
    with pytest.raises(ZeroDivisionError):
        _ = inverse._local_grads
    tape.verify()


def test_other_ops_are_by_data_as_it_is_now_ones_own_by_what_was_given():
    a, b = Value(2.0), Value(3.0)
    theirs, own = a * b, product(a, b)
    b.data = 5.0
    assert theirs._local_grads == (5.0, 2.0)
    assert own._local_grads == (3.0, 2.0)
    own.backward()
    assert a.grad == 3.0


def test_children_are_the_same_values_each_time():
    out = (Value(1.0) + 2) * (Value(3.0) + 4)
    first = out._children
    identities = [id(child) for child in first]
    del first
    [Value(k) for k in range(10)]
    assert [id(child) for child in out._children] == identities
    assert set(out._children) == out._prev


def test_a_sweep_written_in_python_works_on_any_graph():
    """As programs have it that bring their own backward()."""
    def sweep(root):
        Plain.backward(root)

    def build():
        a, b = Value(2.0), Value(-3)
        c = (a * b + b**3).relu() + (a / b).exp() * softmax([a, b])[0] + product(a, b) - shifted_log(a)
        return [a, b], c

    (leaves, root), (others, other) = build(), build()
    root.backward()
    sweep(other)
    assert [v.grad for v in leaves] == pytest.approx([v.grad for v in others], rel=1e-14)


# --- assigning ---

def test_a_class_that_assigns_them_itself_works():
    class Own(Value):
        def __init__(self, data, children=(), local_grads=()):
            super().__init__(data)
            self._children = children
            self._local_grads = local_grads

    a, b = Own(2.0), Own(3.0)
    out = Own(6.0, (a, b), (3.0, 2))
    out.backward()
    assert (a.grad, b.grad) == (3.0, 2)
    assert (out._children, out._local_grads) == ((a, b), (3.0, 2))
    with no_grad():
        assert Own(6.0, (a, b), (3.0, 2.0))._children == ()


def test_local_gradients_can_be_assigned_anew_children_until_something_is_computed():
    a, b = Value(2.0), Value(3.0)
    out = Value(6.0, (a,), (1.0,))
    out._children = [a, b]
    assert out._local_grads == (1.0, 0)
    out._local_grads = [2.0, 5]
    twice = out * 2
    out._local_grads = [3.0, 5]
    twice.backward()
    assert (a.grad, b.grad) == (6.0, 10)
    with pytest.raises(ValueError, match="_prev cannot be changed any more"):
        out._children = ()
    for wrong in (1.0,), (1.0, "x"), 3:
        with pytest.raises((ValueError, TypeError), match="local"):
            out._local_grads = wrong
    with pytest.raises(AttributeError, match=r"the local gradients of '\*' follow from its data"):
        twice._local_grads = (1.0, 1.0)
    assert out._local_grads == (3.0, 5)
    for name in ("_children", "_local_grads"):
        with pytest.raises(AttributeError, match="cannot be deleted"):
            delattr(out, name)
    a._local_grads = ()
    with pytest.raises(ValueError, match="not 1 for 0"):
        a._local_grads = (1.0,)


# --- sweeps ---

def test_backward_again_adds_up_as_in_the_plain_class():
    def build(cls):
        a, b = cls(2.0), cls(-3.0)
        c = cls(a.data * b.data, (a, b), (b.data, a.data))
        d = c * a + c
        d.backward()
        d.backward()
        return [(v.data, v.grad) for v in (a, b, c, d)]

    assert build(Value) == build(Plain)


def test_a_step_by_hand_is_the_rule():
    a, b = Value(2.0), Value(3.0)
    out = product(a, b)
    out.grad = 10.0
    out._backward()
    out._backward()
    assert (a.grad, b.grad) == (60.0, 40.0)


def test_functions_elsewhere_in_the_graph_and_a_replaced_step():
    a = Value(2.0)
    out = product(custom_sum(a, a), product(a, a))
    out.backward()
    assert a.grad == 2 * 4.0 + 4.0 * 2 * 2.0
    a.grad = 0
    mine = Value(1.0, (a,), (5.0,))
    mine._backward = lambda: setattr(a, "grad", a.grad + 100)
    mine.backward()
    assert a.grad == 100


def test_a_gradient_of_no_number_goes_where_it_must():
    a, b = Value(1.0), Value(1.0)
    (Value(1.0, (a, b), (0.0, 1.0)) * math.inf).backward()
    assert math.isnan(a.grad)
    assert b.grad == math.inf


def test_a_long_chain_and_a_wide_node():
    x = start = Value(1.0)
    for _ in range(20_000):
        x = Value(x.data, (x,), (1.0,))
    x.backward()
    assert start.grad == 1.0
    many = [Value(float(k)) for k in range(50_000)]
    Value(0.0, many, [float(k) for k in range(50_000)]).backward()
    assert [v.grad for v in many] == [float(k) for k in range(50_000)]


def test_nodes_that_move_keep_theirs():
    a, b = Value(2.0), Value(3)
    kept = []
    for k in range(5):
        [product(a, b) for _ in range(1_000)]
        kept.append(Value(k, (a, b), (k, 0.5)) + 1)
        tape.collect()
        sumprod([a, b, kept[0]], [b, a, a])
        tape.verify()
    for k, out in enumerate(kept):
        assert repr(out._children[0]._local_grads) == f"({k}, 0.5)"
        assert out._children[0]._children == (a, b)
    sum(kept).backward()
    assert (a.grad, b.grad) == (10, 2.5)


def test_dots_between_them_are_expanded():
    a, b = Value(2.0), Value(3.0)
    out = product(sumprod([a, b], [b, a], a), sumprod([a, a], [b, b]))
    again = product(sumprod([a, b], [b, a], a), sumprod([a, a], [b, b]))
    out.backward()
    out.backward()
    once = a.grad, b.grad
    a.grad = b.grad = 0
    assert again._children[0]._op == "+"        # expands them first
    again.backward()
    again.backward()
    assert (a.grad, b.grad) == once


def test_threads_record_their_own():
    results = []

    def work(k):
        a = Value(float(k))
        for _ in range(3000):
            out = product(a, a)
        out.backward()
        results.append((k, a.grad))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(k, 2.0 * k) for k in range(4)]


def test_nothing_is_tracked_and_nothing_leaks(others):
    a, b = Value(2.0), Value(3.0)
    out = product(a, b)
    assert not gc.is_tracked(out)
    del out
    gc.collect()
    count = len(gc.get_objects())
    for _ in range(10_000):
        out = product(a, b) + 1
        out.backward()
    del out
    assert tape.collect() <= others + 2
    assert len(gc.get_objects()) <= count + 5


# --- copies, pictures, classes ---

def test_copies_have_theirs():
    a, b = Value(2.0), Value(3)
    out = Value(6.0, (a, b), (3, 2.0), label="out")
    out.grad = 7
    shallow, deep = copy.copy(out), copy.deepcopy(out)
    for twin in shallow, deep:
        assert repr(twin) == repr(out)
        assert repr(twin._local_grads) == "(3, 2.0)"
        assert twin.label == "out"
    assert shallow._children == (a, b)
    shallow.backward()
    assert (a.grad, b.grad) == (3, 2.0)
    deep.backward()
    assert (a.grad, b.grad) == (3, 2.0)
    assert [v.grad for v in deep._children] == [3, 2.0]
    tape.verify()


def test_a_deep_copy_of_a_graph_is_a_graph_of_its_own():
    a = Value(2.0)
    root = product(a * 3, product(a, a + 1)) * 2
    twin = copy.deepcopy(root)
    a.data = 100.0
    twin.backward()
    assert a.grad == 0
    (leaf,) = [v for v in all_of(twin) if v.data == 2.0 and not v._children and v.grad == 96.0]
    assert leaf is not a


def test_only_leaves_are_pickled():
    with pytest.raises(TypeError, match="only leaves can be pickled"):
        pickle.dumps(product(Value(1.0), Value(2.0)))


def test_pictures_have_them():
    a, b = Value(2.0, label="a"), Value(3.0)
    text = viz.to_dot(product(a, b))
    assert "{ a | data 2.0000" in text
    assert "n0 -> n2\n" in text
    assert "n1 -> n2\n" in text
    assert "n2_op" in viz.to_dot(Value(6.0, (a, b), "mine", local_grads=(3.0, 2.0)))
    nodes, edges = viz.nodes_and_edges(product(a, b))
    assert (len(nodes), len(edges)) == (3, 2)


def test_subclasses_keep_their_class_and_state():
    class Named(Value):
        def __init__(self, data, children=(), local_grads=(), name=""):
            super().__init__(data, children, local_grads)
            self.name = name

    a = Named(2.0, name="a")
    a.friends = [1]
    out = Named(4.0, (a,), (4.0,), name="square") * 1
    del a
    gc.collect()
    square, _ = out._children
    assert (type(square), square.name) == (Named, "square")
    assert square._children[0].friends == [1]
    out.backward()
    assert square._children[0].grad == 4.0


def test_initialised_again_it_is_another_node():
    a = Value(2.0)
    out = Value(1.0, (a,), (3.0,))
    out.__init__(5.0)
    assert (out._children, out._local_grads) == ((), ())


# --- no_grad and vmap ---

def test_under_no_grad_it_is_a_leaf():
    a = Value(2.0)
    before = tape.stats()["edges"]
    with no_grad():
        out = product(a, a)
        with pytest.raises(ValueError, match="not 2 for 1"):
            Value(1.0, (a,), (1.0, 2.0))
    assert (out._children, out._local_grads, tape.stats()["edges"]) == ((), (), before)
    (out * 2).backward()
    assert a.grad == 0


def mapped_and_eager(function, parameters, rows):
    found = []
    for batch in (lambda: vmap(function)(rows), lambda: [function(Value(x)) for x in rows]):
        for parameter in parameters:
            parameter.grad = 0
        values = batch()
        (sum(values) if isinstance(values, list) else values.sum()).backward()
        numbers = [v.data for v in values] if isinstance(values, list) else list(values)
        found.append((numbers, [float(parameter.grad) for parameter in parameters]))
    return found


W, B = Value(3.0), Value(0.25)


@pytest.mark.parametrize("kernels", executor.instruction_sets())
@pytest.mark.parametrize("function", [
    lambda x: Value(5.0, (W * x, B), (2.0, 0.5)) * x,
    lambda x: Value(5.0, (W, B), (2.0, 0.5)) * x,
    lambda x: Value(5.0, (W * x,), (2,)) + B * x,
    lambda x: Value(-1.0, (W * x, W * x, x, B), (2.0, 0.5, 7.0, -1.0)) * (W * x + B),
    lambda x: shifted_log(W) * x + product(W, B) * x * x,
    lambda x: product(product(W, B), shifted_log(B)) * (x * W).tanh(),
    lambda x: Value(2.0, (Value(1.0, (W * x,), (3.0,)) * x, x), (0.5, 0.25)) * x,
    lambda x: x * W + Value(1.0, (Value(4.0),), (2.0,)),
    lambda x: Value(5.0, (W * x, B), (0.0, math.inf)),
], ids=range(9))
def test_mapped_it_is_what_it_is_eagerly(function, kernels, monkeypatch):
    """And never run row by row, which would be a warning."""
    monkeypatch.setenv("MICROGRAD_C_KERNELS", kernels)
    mapped, eager = mapped_and_eager(function, [W, B], [0.5 * k - 2.0 for k in range(11)])
    assert mapped[0] == pytest.approx(eager[0], rel=1e-14)
    assert mapped[1] == pytest.approx(eager[1], rel=1e-12)


def test_an_infinite_operand_does_not_show_in_the_value():
    big = Value(1e308)
    batch = vmap(lambda x: Value(5.0, (big * x,), (2.0,)) * 1.0)([1e308, 1.0])
    assert list(batch) == [5.0, 5.0]


@pytest.mark.parametrize("function", [
    shifted_log, lambda x: shifted_log(x * W), lambda x: Value(1.0, (x,), (x.data,)),
    lambda x: product(W, B) * shifted_log(x), lambda x: x * (x * W)._local_grads[0],
], ids=range(5))
def test_what_reads_an_arguments_number_is_a_trace_error(function):
    with pytest.raises(TraceError, match=r"data is read|_local_grads are read"):
        vmap(function)([1.0, 2.0])
    tape.verify()


def test_a_function_of_ones_own_beside_it_is_still_run_row_by_row():
    def function(x):
        return custom_sum(x, W) * Value(5.0, (W,), (2.0,))

    with pytest.warns(UserWarning, match="row by row"):
        rows = vmap(function)([1.0, 2.0])
    W.grad = 0
    rows.sum().backward()
    assert W.grad == (5.0 + 2 * 4.0) + (5.0 + 2 * 5.0)


def test_children_can_be_looked_at_in_a_trace():
    seen = []

    def function(x):
        y = x * W
        seen.append(len(y._children))
        return y

    assert list(vmap(function)([2.0])) == [6.0]
    assert seen == [2]


def test_the_node_of_a_mapped_run_has_children_but_no_local_gradients():
    total = vmap(lambda x: x * W)([1.0, 2.0]).sum()
    (run,) = total._children
    assert run._children == (W,)
    for v in total, run:
        with pytest.raises(AttributeError, match="run of vmap has no local gradients"):
            _ = v._local_grads
