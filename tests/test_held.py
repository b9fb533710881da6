"""What results hold of their operands: all that an operand has besides numbers, as long as a result can reach it."""

import gc
import weakref

import pytest

from micrograd_c import maximum, minimum, no_grad, stop_gradient, vmap, where
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value
from micrograd_c.nn import Layer, Neuron
from micrograd_c.vector import cross_entropy, linear, log_softmax, logsumexp, mean, softmax, sumprod


class Thing:
    """No plain data: it cannot go with a node."""


def others(count):
    return [Value(0.5 + k) for k in range(count)]


def layer_with(v, part, neurons):
    layer = Layer(3, neurons)
    unit = layer.neurons[-1]
    inputs = others(3)
    if part == "input":
        inputs[1] = v
    elif part == "weight":
        unit.w[1] = v
    else:
        unit.b = v
    return layer(inputs)


def in_place(part, neurons):
    """A parameter, or an input, of nodes one after the other: given its state in its place, late or not."""
    def build(v):
        return layer_with(v, part, neurons)
    return build


OPS = {
    "-v": lambda v: -v, "v + 1": lambda v: v + 1, "1 + v": lambda v: 1 + v, "v - 1": lambda v: v - 1,
    "1 - v": lambda v: 1 - v, "v * 2": lambda v: v * 2, "v / 2": lambda v: v / 2, "2 / v": lambda v: 2 / v,
    "v ** 2": lambda v: v**2, "2 ** v": lambda v: 2**v, "v + u": lambda v: v + Value(2.0),
    "u + v": lambda v: Value(2.0) + v, "u - v": lambda v: Value(2.0) - v, "u * v": lambda v: Value(2.0) * v,
    "v * u": lambda v: v * Value(2.0), "u / v": lambda v: Value(2.0) / v, "u ** v": lambda v: Value(2.0) ** v,
    **{name: (lambda v, name=name: getattr(v, name)()) for name in rules.functions()},
    "maximum(v, u)": lambda v: maximum(v, Value(1.0)), "maximum(u, v)": lambda v: maximum(Value(1.0), v),
    "minimum(u, v)": lambda v: minimum(Value(1.0), v), "where(v, u, u)": lambda v: where(v, Value(1.0), 2.0),
    "where(u, v, u)": lambda v: where(Value(1.0), v, 2.0), "where(u, u, v)": lambda v: where(Value(1.0), 2.0, v),
    "stop_gradient": stop_gradient, "sumprod": lambda v: sumprod([Value(1.0), v], others(2)),
    "sumprod of inputs": lambda v: sumprod(others(2), [Value(1.0), v]),
    "sumprod's start": lambda v: sumprod(others(2), others(2), v),
    "linear": lambda v: linear([others(2), [Value(1.0), v]], others(2)), "softmax": lambda v: softmax([v, Value(1.0)]),
    "log_softmax": lambda v: log_softmax([Value(1.0), v]), "local": lambda v: Value(2.0, (Value(1.0), v), (1.0, 2.0)),
    "leaky_relu(0.2)": lambda v: v.leaky_relu(0.2), "gelu('tanh')": lambda v: v.gelu("tanh"),
    "logsumexp": lambda v: logsumexp([Value(1.0), v]), "mean": lambda v: mean([Value(1.0), v]),
    "cross_entropy": lambda v: cross_entropy([Value(1.0), v], 0), "Value(x, (v,))": lambda v: Value(2.0, (v,), "op"),
    **{f"{part} of {count}": in_place(part, count) for part in ("input", "weight", "bias") for count in (1, 4, 5)},
    "Neuron": lambda v: Neuron(2)([v, 1.0]), "sum of a run": lambda v: vmap(lambda x: x * v)([1.0, 2.0]).sum(),
    "mean of a run": lambda v: vmap(lambda x: x * v + Value(1.0))([1.0, 2.0]).mean([1.0, 0.5]),
}


@pytest.mark.parametrize("late", [False, True], ids=["before", "late"])
@pytest.mark.parametrize("op", OPS)
def test_state_lives_as_long_as_a_result(op, late):
    v, thing = Value(0.5), Thing()
    alive = weakref.ref(thing)
    if not late:
        v.thing = thing
    result = OPS[op](v)
    if late:
        v.thing = thing
    del v, thing
    gc.collect()
    assert alive() is not None
    del result
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("op", [op for op in OPS if "run" not in op])
def test_a_watched_value_lives_as_long_as_a_result(op):
    v = Value(0.5)
    alive = weakref.ref(v)
    result = OPS[op](v)
    del v
    gc.collect()
    assert alive() is not None
    del result
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("op", OPS)
def test_under_no_grad_nothing_is_held(op):
    v, thing = Value(0.5), Thing()
    alive, v.thing = weakref.ref(thing), thing
    with no_grad():
        result = OPS[op](v)
    del v, thing
    gc.collect()
    assert alive() is None
    del result


@pytest.mark.parametrize("neurons", [1, 4, 5])
@pytest.mark.parametrize("which", [[1], [3], [-4], [-1], [0, 1, -1]], ids=str)
def test_parameters_one_after_the_other_are_held(neurons, which):
    """Their nodes follow each other, and none is looked at: the nodes say that there is something."""
    layer, inputs, things = Layer(3, neurons), others(3), []
    parameters = layer.parameters()
    for k in which:
        parameters[k].thing = Thing()
        things.append(weakref.ref(parameters[k].thing))
    result = layer(inputs)
    del layer, inputs, parameters
    gc.collect()
    assert all(thing() is not None for thing in things)
    del result
    gc.collect()
    assert all(thing() is None for thing in things)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("odd", ["ws", "xs"])
def test_neighbours_in_a_sum_of_products_are_held(odd, place):
    ws, xs, thing = others(3), others(3), Thing()
    alive, (ws if odd == "ws" else xs)[place].thing = weakref.ref(thing), thing
    result = sumprod(ws, xs)
    del ws, xs, thing
    gc.collect()
    assert alive() is not None
    del result


def test_what_is_written_into_a_dict_that_was_handed_out_is_held():
    v, thing = Value(0.5), Thing()
    alive, attributes = weakref.ref(thing), v.__dict__
    result = v.relu()
    attributes["thing"] = thing
    del v, thing, attributes
    gc.collect()
    assert alive() is not None
    (operand,) = result._prev
    assert operand.thing is alive()


def test_many_things_are_held_at_once():
    values = others(30)
    things = []
    for v in values:
        v.thing = Thing()
        things.append(weakref.ref(v.thing))
    total = sum(values)
    del values, v
    gc.collect()
    assert all(thing() is not None for thing in things)
    del total
    gc.collect()
    assert all(thing() is None for thing in things)


def test_a_handle_found_by_prev_holds_what_the_one_above_held():
    v, thing = Value(0.5), Thing()
    alive, v.thing = weakref.ref(thing), thing
    result = (v * 2).relu()
    (inner,) = result._prev
    del v, thing, result
    gc.collect()
    assert alive() is not None
    assert [child for child in inner._prev if hasattr(child, "thing")]


def test_a_copy_holds_what_the_original_held():
    v, thing = Value(0.5), Thing()
    alive, v.thing = weakref.ref(thing), thing
    result = v * 2
    twin = result.__copy__()
    del v, thing, result
    gc.collect()
    assert alive() is not None
    del twin
    gc.collect()
    assert alive() is None


def test_the_set_of_prev_is_the_same_when_its_value_was_found_again():
    a, b = Value(1.0), Value(2.0)
    inner = a * b
    operands = inner._prev
    result = inner.relu()
    del inner
    gc.collect()
    (again,) = result._prev
    assert again._prev is operands


def test_a_run_holds_parameters_when_only_a_sum_is_left():
    w, called = Value(3.0), []
    nodes = [w * 1.0]
    nodes[0]._backward = lambda: called.append(1)
    batch = vmap(lambda x: x * nodes[0])([1.0, 2.0])
    total = batch.sum()
    nodes.clear()
    del batch
    gc.collect()
    total.backward()
    assert called == [1]


@pytest.mark.parametrize("become_known", ["a.other = [1]", "v._prev", "v._op = 'name'"])
def test_a_weak_reference_outlives_a_cycle_of_others_through_its_value(become_known):
    """The cycle is garbage, and holds the Value; but what was computed from the Value before is not."""
    a, b = Value(2.0), Value(3.0)
    v = a * b
    kept = v * 2.0
    alive = weakref.ref(v)
    exec(become_known, {"a": a, "v": v})
    cycle = v + 1.0
    cycle.itself, cycle.v = cycle, v
    del v, cycle
    gc.collect()
    assert alive() in kept._prev
    del kept
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize("op", OPS)
def test_a_weak_reference_made_late_outlives_a_cycle_of_what_is_computed_then(op):
    a = Value(0.25)
    a.other = [1]
    v = a * 3.0
    kept = v * 2.0      # before there is a weak reference
    alive = weakref.ref(v)
    result = OPS[op](v)
    for cycle in result if isinstance(result, list) else [result]:
        cycle.itself = cycle
    del v, cycle, result
    gc.collect()
    assert alive() is not None
    assert alive() in kept._prev
    del kept
    gc.collect()
    assert alive() is None
