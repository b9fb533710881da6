"""Runs of vmap and jit over outputs of a layer: nodes that are replaced by many before gradients come."""

import copy

import numpy as np
import pytest

from micrograd_c import gradients, jit, sumprod, tape, viz, vmap
from micrograd_c.engine import Value
from micrograd_c.nn import Layer


def hook():
    other = Value(1.0)
    other._backward = lambda: None
    return other


EXPANDING = {
    "nothing": lambda hidden, loss: None,
    "operands of an output": lambda hidden, loss: hidden[0]._prev,
    "operands of the loss": lambda hidden, loss: loss._prev,
    "a function of a user's": lambda hidden, loss: hook(),
    "a copy": lambda hidden, loss: copy.deepcopy(Value(1.0) * 2),
    "a drawing": lambda hidden, loss: viz.nodes_and_edges(loss),
    "gradients": lambda hidden, loss: gradients(loss, hidden),
    "collecting": lambda hidden, loss: tape.collect(),
}
HEADS = {
    "jit": lambda: jit(lambda h: h[0] + 2 * h[1] + 3 * h[2]),
    "vmap": lambda: (lambda mapped: lambda h: mapped(np.array([1.0]), h).sum())(
        vmap(lambda x, h: x * (h[0] + 2 * h[1] + 3 * h[2]), in_axes=(0, None))),
    "plain": lambda: lambda h: h[0] + 2 * h[1] + 3 * h[2],
}


@pytest.fixture(autouse=True)
def tape_is_sound():
    yield
    tape.verify()


def gradients_of(layer, head, expand):
    for p in layer.parameters():
        p.grad = 0
    hidden = layer([3.0, 1.0])
    loss = head(hidden)
    kept = expand(hidden, loss)
    loss.backward()
    del kept
    return [p.grad for p in layer.parameters()]


@pytest.mark.parametrize("expand", EXPANDING.values(), ids=EXPANDING)
@pytest.mark.parametrize("head", ["jit", "vmap"])
@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_gradients_come_through_whatever_happens_before(head, expand, activation):
    layer = Layer(2, 3, activation=activation)
    expected = gradients_of(layer, HEADS["plain"](), EXPANDING["nothing"])
    made = HEADS[head]()
    gradients_of(layer, made, EXPANDING["nothing"])     # traced
    assert gradients_of(layer, made, expand) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("head", ["jit", "vmap"])
def test_operands_are_the_outputs_and_no_more(head):
    layer = Layer(2, 3)
    made = HEADS[head]()
    made(layer([3.0, 1.0]))
    hidden = layer([3.0, 1.0])
    loss = made(hidden)
    run = loss if head == "jit" else next(iter(loss._prev))
    assert run._prev == set(hidden) or {one for node in run._prev for one in node._prev} == set(hidden)


def test_three_sweeps():
    layer = Layer(2, 3)
    made, plain = HEADS["jit"](), HEADS["plain"]()
    made(layer([3.0, 1.0]))
    found = []
    for head in made, plain:
        for p in layer.parameters():
            p.grad = 0
        hidden = layer([3.0, 1.0])
        for _ in range(3):
            for h in hidden:
                h.grad = 0
            head(hidden).backward()
        found.append([p.grad for p in layer.parameters()])
    assert found[0] == pytest.approx(found[1], rel=1e-12)


def test_a_subclass_that_gets_an_operator_late_has_its_say_among_neighbours():
    class Mine(Value):
        pass

    log = []
    ws, xs = [Value(1.0), Mine(2.0), Value(4.0)], [Value(1.0), Value(1.0), Value(1.0)]
    Mine.__mul__ = lambda self, other: log.append("mine") or Value.__mul__(self, other)
    assert sumprod(ws, xs).data == 7.0
    assert log == ["mine"]
