"""Data that is assigned to after a layer was called: its hidden nodes keep what they were computed from."""

import inspect
import random

import numpy as np
import pytest
from spelled import agree, agree_with_original

from micrograd_c import flat, linear, sumprod, tape
from micrograd_c.engine import Value
from micrograd_c.nn import MLP
from micrograd_c.optim import SGD, Adam

CHANGES = {
    "no data": lambda p, way: None,
    "one weight": lambda p, way: setattr(p[0], "data", 0.5),
    "one weight three times": lambda p, way: [setattr(p[0], "data", number) for number in (3.0, -2.0, 0.25)],
    "a bias": lambda p, way: setattr(p[2], "data", -4),
    "a weight to an int": lambda p, way: setattr(p[1], "data", 2),
    "all": lambda p, way: [setattr(one, "data", one.data * 1.5 - 0.25) for one in p],
    "all by gradients": lambda p, way: [setattr(one, "data", one.data - 0.1 * one.grad) for one in p],
}
INPUTS = {
    "numbers": lambda way: [0.5, -1.5], "ints": lambda way: [2, -1],
    "Values": lambda way: [way.Value(0.5), way.Value(3)],
    "a Value and a number": lambda way: [way.Value(0.5), -2.0],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("swept", [(), ("before",), ("after",), ("before", "after")], ids="-".join)
def test_graphs_from_before_and_after_are_those_of_single_ops(change, inputs, swept):
    def program(way):
        model = way.MLP(2, [3, 2, 1])
        first = model(INPUTS[inputs](way))
        if "before" in swept:
            first.backward()
        CHANGES[change](model.parameters(), way)
        second = model(INPUTS[inputs](way)) + first
        if "after" in swept:
            second.backward()
        CHANGES[change](model.parameters(), way)
        third = model(INPUTS[inputs](way))
        CHANGES[change](model.parameters(), way)
        yield way.graph(third, second, first)
        yield [(p.data, p.grad) for p in model.parameters()]

    agree(program)
    agree_with_original(program)


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear"])
@pytest.mark.parametrize("numbers", [[0.5, -1.5, 2.0], [1, 0, 3], [0.0, -0.0, float("inf")], [float("nan"), 1.0, 2]])
def test_numbers_as_inputs_have_a_leaf_for_each_product(activation, numbers):
    def program(way):
        layer = way.Layer(3, 5, **({} if activation == "relu" else {"activation": activation}))
        outputs = layer(numbers)
        yield way.graph(*outputs)
        outputs = layer(numbers)
        (outputs[0] * outputs[4] + outputs[2]).backward()
        yield way.graph(*outputs)
        (outputs[0] * outputs[4] + outputs[2]).backward()
        yield way.graph(*outputs)
        yield [p.grad for p in layer.parameters()]

    agree(program)
    if activation == "relu":
        agree_with_original(program)


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("spelling", ["sumprod", "sumprod of numbers first", "linear", "linear of numbers"])
def test_sums_of_products_with_numbers_are_those_of_single_ops(spelling, shared):
    numbers = [0.5, -3, 1.25]

    def graph_of(function):
        w = [Value(one) for one in (2.0, -1.0, 0.5)]
        w = [w[0], w[2], w[1]] if shared else w
        out = function(w)
        w[1].data = 7.0
        out.backward()
        w[0].data = -9.0
        found, todo = [], [out]
        while todo:
            node = todo.pop()
            found.append((node._op, node.data, node.grad))
            todo.extend(node._children)
        return sorted(found), [(one.data, one.grad) for one in w]

    def plain(w):
        return sum((a * b for a, b in zip(w, numbers)), 0) * 2

    fused = {
        "sumprod": lambda w: sumprod(w, numbers) * 2, "sumprod of numbers first": lambda w: sumprod(numbers, w) * 2,
        "linear": lambda w: linear([w], numbers)[0] * 2, "linear of numbers": lambda w: linear([numbers], w)[0] * 2,
    }[spelling]
    assert graph_of(fused) == graph_of(plain)


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize("change", [
    lambda model: SGD(model.parameters(), lr=0.1).step(),
    lambda model: Adam(model.parameters(), lr=0.1).step(),
    lambda model: flat(model.parameters()).copy_([0.125] * 13),
    lambda model: model.load_state_dict(MLP(2, [3, 1]).state_dict()),
], ids=["SGD", "Adam", "flat", "load_state_dict"])
def test_whatever_assigns_to_data_leaves_older_graphs_as_they_were(change, collects):
    random.seed(3)
    model = MLP(2, [3, 1])
    x = [Value(1.5), Value(-0.5)]
    graphs, outputs = [], []
    for turn in range(4):
        out = model(x if turn % 2 else [1.5, -0.5])
        out.backward()
        outputs.append(out)
        graphs.append([number for n in model.layers[0].neurons for number in numbers_of(n, [1.5, -0.5])])
        change(model)
        if collects:
            del out
            outputs[:-2] = [None] * len(outputs[:-2])
            tape.collect()
    for out, expected in zip(outputs, graphs):
        if out is not None:
            found = []
            for node in below(out):
                if node._op == "ReLU":
                    (total,) = node._children
                    found += [total.data, *(one.data for one in below(total) if one._op == "*")]
            assert sorted(found) == sorted(expected)


def numbers_of(neuron, x):
    products = [w.data * one for w, one in zip(neuron.w, x)]
    return [neuron.b.data + products[0] + products[1], *products]


def below(root):
    found, todo = {root: None}, [root]
    while todo:
        for child in todo.pop()._children:
            if child not in found:
                found[child] = None
                todo.append(child)
    return found


def products_below(root):
    return sorted(node.data for node in below(root) if node._op == "*")


LOOKING = f"""
from micrograd_c import tape
from micrograd_c.nn import MLP, Layer
from micrograd_c.optim import SGD

{inspect.getsource(below)}
{inspect.getsource(products_below)}
"""


def test_a_graph_that_is_kept_does_not_make_training_keep_all_that_data_ever_was(run_python):
    run_python(LOOKING + """
model = MLP(4, [8, 1])
optimizer = SGD(model.parameters(), lr=1e-6)
first = [w.data * x for n in model.layers[0].neurons for w, x in zip(n.w, [0.1, 0.2, 0.3, 0.4])]
kept = model([0.1, 0.2, 0.3, 0.4])

def steps(count):
    for _ in range(count):
        model.zero_grad()
        loss = model([0.4, 0.3, 0.2, 0.1]) ** 2
        loss.backward()
        optimizer.step()
    return tape.stats()["bytes_reserved"]

early = steps(2_000)
assert steps(6_000) <= 1.2 * early, (early, tape.stats())
assert set(first) <= set(products_below(kept))
""")


def test_data_assigned_over_and_over_beside_a_graph_is_kept_once(run_python):
    run_python(LOOKING + """
layer = Layer(3, 4)
expected = sorted(w.data * x for n in layer.neurons for w, x in zip(n.w, [1.0, 2.0, 3.0]))
outputs = layer([1.0, 2.0, 3.0])
for turn in range(40_000):
    for p in layer.parameters()[:4]:
        p.data = turn * 0.5
    if turn == 10_000:
        reserved = tape.stats()["bytes_reserved"]
assert tape.stats()["bytes_reserved"] <= 1.2 * reserved, (reserved, tape.stats())
assert sorted(number for out in outputs for number in products_below(out)) == expected
""")


def test_graphs_from_between_assignments_stay_apart_when_there_are_many():
    w, x = [Value(1.0), Value(2.0)], [Value(5.0), Value(7.0)]
    outputs = []
    for turn in range(1, 5):
        outputs.append(sumprod(w, x))
        w[0].data = 10.0 * turn
        w[1].data = 100.0 * turn
    for turn in range(40_000):
        w[turn % 2].data = turn
    assert list(map(products_below, outputs)) == [[5.0, 14.0]] + [[50.0 * turn, 700.0 * turn] for turn in range(1, 4)]


def test_data_of_a_node_that_is_gone_is_no_others():
    gone = Value(100.0)
    w, x = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)]
    out = sumprod(w, x)
    gone.data, w[1].data = 200.0, 300.0
    del gone
    tape.collect()
    assert products_below(out) == [10.0, 21.0]
    assert [one.data for one in [*w, *x]] == [2.0, 300.0, 5.0, 7.0]


def test_changes_move_with_their_nodes_when_the_lowest_are_dropped(run_python):
    assert run_python("""
from micrograd_c import sumprod, tape
from micrograd_c.engine import Value
garbage = [Value(1.0) for _ in range(8_000)]
w, x = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)]
out = sumprod(w, x)
w[0].data, x[1].data = 200.0, 700.0
later = sumprod(w, x)
w[0].data = 2000.0
del garbage
nodes = []
for _ in range(20_000):
    last = Value(1.0)       # made before the one before goes, so the tape becomes full
    nodes.append(tape.stats()["nodes"])
assert max(nodes) > 16_000 > 9_000 > nodes[-1], (max(nodes), nodes[-1])

def products(node):
    total, product = node._children
    return ([] if not total._children else products(total)) + [product.data]

print(products(out), products(later), [one.data for one in w + x])
""") == "[10.0, 21.0] [1000.0, 2100.0] [2000.0, 3.0, 5.0, 700.0]\n"


def test_numbers_as_inputs_are_floats_where_a_class_of_the_programs_has_no_others(run_python):
    assert run_python("""
from micrograd_c import sumprod
from micrograd_c._core.adopted import habits
from micrograd_c.engine import Value
habits.set_new_nodes(False, True)
for spelled in (lambda w, x, b: b + w[0] * x[0] + w[1] * x[1], sumprod):
    w, b = [Value(0.5), Value(1.5)], Value(1.0)
    y = spelled(w, [2, -3], b)
    y.backward()
    print(w, b, sorted(repr(one) for node in y._prev if node._op == "*" for one in node._prev))
""").count("[Value(data=0.5, grad=2.0), Value(data=1.5, grad=-3.0)] Value(data=1.0, grad=1") == 2


def test_rows_of_numpy_are_read_as_lists_of_numbers_are():
    model = MLP(3, [4, 1])
    row = [0.5, -1.0, 2.0]
    expected = model(row).data
    for kind in (np.float64, np.float32, np.float16, np.longdouble):
        assert model(np.array(row, kind)).data == expected
    assert model(np.array([1, 2, 3])).data == model([1, 2, 3]).data
    assert model(np.array([1, 2, 3], np.uint8)).data == model([1, 2, 3]).data
    assert model(np.array([True, False, True])).data == model([True, False, True]).data
    assert model(np.array([[*row], [*row]])[1]).data == expected
    assert model(np.array([[one, one] for one in row])[:, 0]).data == expected      # every other number
    assert model(np.array(row, ">f8")).data == expected
    assert model(np.array([Value(one) for one in row], object)).data == expected
    assert model(memoryview(bytes([1, 2, 3]))).data == model([1, 2, 3]).data
    with pytest.raises(ValueError, match="3 weights was given 2 inputs"):
        model(np.array(row[:2]))
    with pytest.raises(TypeError, match="must be a sequence of numbers or Values"):
        model(np.array(1.0))
