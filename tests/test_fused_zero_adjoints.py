"""Neurons whose adjoint is 0, and what may not be skipped for it.

In an interpreter of its own: once a gradient was set to -0.0, as other tests do, nothing is skipped any more.
"""

import itertools
import math
import os

import pytest
from spelled import agree, agree_with_original

NUMBERS = [math.inf, -math.inf, math.nan, 0, -0.0, 1e308, 3]
GRADS = [0, 0.0, 1, -2.5, math.inf, math.nan, -0.0]     # the last one last, see above
WHEN = ["before", "after", "between sweeps", "between calls"]
PLACES = ["weight", "bias", "input", "output"]


def case(way):
    """A layer of which some neurons are off, and its inputs."""
    layer, x = way.Layer(3, 5), [way.Value(1.0), way.Value(2), way.Value(-0.5)]
    for neuron, bias in zip(layer.neurons, (0, 1.5, -100.0, -1.5, -100.0)):
        neuron.b.data = bias
    return layer, x


def at(place, layer, x, outputs):
    neuron = layer.neurons[2]       # one that is off
    return {"weight": neuron.w[1], "bias": neuron.b, "input": x[1], "output": outputs[2]}[place]


def sweep(outputs, factor):
    for out in outputs:
        (out * factor).backward()


def change_of_data(place, number, when, factor):
    def program(way):
        layer, x = case(way)
        outputs = layer(x)
        node = at(place, layer, x, outputs)
        if when == "before":
            node.data = number
            outputs = layer(x)
        elif when == "after":
            node.data = number
        sweep(outputs, factor)
        yield [(v.data, v.grad) for v in [*layer.parameters(), *x, *outputs]]
        node.data = number
        if when == "between calls":
            outputs += layer(x)
        sweep(outputs, factor)
        yield [(v.data, v.grad) for v in [*layer.parameters(), *x, *outputs]]
        yield way.graph(*outputs)
    return program


def change_of_grad(place, grad, factor):
    def program(way):
        layer, x = case(way)
        outputs = layer(x)
        at(place, layer, x, outputs).grad = grad
        sweep(outputs, factor)
        yield [(v.data, v.grad) for v in [*layer.parameters(), *x, *outputs]]
        yield way.graph(*outputs)
    return program


def through_layers(kind):
    """Zeros that go on below: to a custom op, to other layers, to inputs that are no numbers; ints stay ints."""
    def program(way):
        x = [way.Value(3), way.Value(-2)]
        below, above = way.Layer(2, 3), way.Layer(3, 2, nonlin=kind == "relu")
        for neuron in above.neurons:
            neuron.b.data = -50
        hidden = below(x)
        outputs = above(hidden)
        if kind == "infinite":
            below.neurons[0].w[0].data = math.inf
        elif kind == "swept from the middle":
            hidden[0].backward()
        for out in outputs:
            out.backward()      # from an int 1
            yield [(v.data, v.grad) for v in [*below.parameters(), *above.parameters(), *x]]
        (outputs[0] * 0 + outputs[1] * -0.0).backward()
        yield way.graph(*outputs)
    return program


def check_all():
    for place, number, when, factor in itertools.product(PLACES, NUMBERS, WHEN, (-1.5, 0.0)):
        agree(change_of_data(place, number, when, factor))
        if math.isfinite(number):
            agree_with_original(change_of_data(place, number, when, factor))
    for kind in ("relu", "linear", "infinite", "swept from the middle"):
        agree(through_layers(kind))
        agree_with_original(through_layers(kind))
    for grad, place, factor in itertools.product(GRADS, PLACES, (-1.5, 0.0)):
        agree(change_of_grad(place, grad, factor))
        agree_with_original(change_of_grad(place, grad, factor))


def test_an_adjoint_of_0_leaves_what_it_leaves_in_the_spelling(run_python):
    run_python(f"""
import sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
from {__name__} import check_all
check_all()
""")


@pytest.mark.parametrize("place", PLACES)
def test_a_grad_of_minus_0_is_added_to(place):
    agree(change_of_grad(place, -0.0, -1.5))
    agree_with_original(change_of_grad(place, -0.0, -1.5))
