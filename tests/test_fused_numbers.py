"""Which numbers a layer's nodes and parameters hold, to the bit and the type."""

import math

import numpy as np
import pytest
from spelled import COMPILED, agree, agree_with_original, run

from micrograd_c._core.value import copying
from micrograd_c.engine import Value
from micrograd_c.nn import ACTIVATIONS


@pytest.mark.parametrize("width", [1, 2, 3, 4, 200, 3_000])
@pytest.mark.parametrize("nonlin", [True, False])
def test_neurons_of_any_width(width, nonlin):
    def program(way):
        neuron = way.Neuron(width, nonlin=nonlin)
        x = [way.Value(i / 7) if i % 3 else i - 1 for i in range(width)]
        out = neuron(x)
        out.backward()
        yield out.data, [v.grad for v in [*neuron.parameters(), *x[1::3]]]
        yield way.graph(out)
        out.backward()
        yield way.graph(out)

    agree(program)
    agree_with_original(program)


def test_grads_accumulate_through_hidden_nodes():
    def program(way):
        x = way.Value(3)
        hidden = way.neuron([x], way.Value(0))([x])
        out = way.neuron([x], way.Value(0), nonlin=False)([hidden])
        for _ in range(3):
            out.backward()
            yield out.data, x.grad, hidden.grad, out.grad

    assert [seen[:2] for seen in run(program, COMPILED)] == [(27, 27), (27, 135), (27, 432)]
    agree(program)
    agree_with_original(program)


def test_an_int_root_gives_int_grads_to_what_is_added_and_ints_to_factors_of_ints():
    neuron = COMPILED.neuron([Value(2), Value(3.0)], Value(0), nonlin=False)
    x = [Value(5), Value(7)]
    neuron(x).backward()
    assert repr([v.grad for v in [neuron.b, *neuron.w, *x]]) == "[1, 5, 7, 2, 3.0]"
    neuron.b.grad = 0.0
    neuron(x).backward()
    assert repr([v.grad for v in [neuron.b, *neuron.w, *x]]) == "[1.0, 10, 14, 4, 6.0]"


def test_a_dead_relu_gives_zeros_that_count():
    """0 times a float is a float, times infinity no number; and an int root leaves ints ints."""
    def program(way):
        w, b, x = [way.Value(-1.0), way.Value(2)], way.Value(0), [way.Value(math.inf), way.Value(-3)]
        out = way.neuron(w, b)(x)
        out.backward()
        yield repr(out), [v.grad for v in [*w, b, *x]]
        (out * 0.5).backward()
        yield repr(out), [v.grad for v in [*w, b, *x]]

    assert repr(run(program, COMPILED)[0][1]) == "[nan, 0, 0, 0.0, 0]"
    agree(program)
    agree_with_original(program)


def as_python(numbers):
    """As a layer takes them: no NumPy scalar keeps its type, and none is on the left of an operator."""
    return [number.item() if isinstance(number, np.generic) else number for number in numbers]


@pytest.mark.parametrize("data", [
    [0, -0.0], [-0.0, 1.0], [math.inf, -math.inf], [math.nan, 1], [1e308, 1e308], [5e-324, 0.5], [2**52, 2**52],
    [2**31, -2**31], [-1, -1], [-0.0, -0.0], [-1, -0.0],
    [np.float64(0.5), np.float64(-2)], [np.int64(3), np.float32(0.1)], [True, False],
])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("as_values", [True, False])
def test_numbers_of_every_kind(data, activation, as_values):
    def program(way):
        options = {} if activation == "relu" else {"activation": activation}
        for weights in ([1, -1], [2.5, 0], [-0.0, 3], [1e308, -2]):
            for bias, nonlin in ((0, True), (-0.0, True), (-0.0, False), (-1.5, False), (math.inf, True)):
                x = [way.Value(number) for number in data] if as_values else as_python(data)
                w = [way.Value(number) for number in weights]
                out = way.neuron(w, way.Value(bias), nonlin=nonlin, **options)(x)
                out.backward()
                (out * 0.5).backward()
                yield way.graph(out)

    agree(program)
    if activation == "relu" and not any(isinstance(n, (bool, np.generic)) or n == 2**52 for n in data):
        agree_with_original(program)    # which keeps such data as they are, and larger ints


def test_products_keep_their_data_and_sweeps_take_what_the_operands_hold():
    w, x, b = Value(2.0), Value(3.0), Value(1)
    out = COMPILED.neuron([w, x], b)([x, x])
    w.data, x.data, b.data = 20.0, 30.0, 10
    out.backward()
    assert (out.data, w.grad, x.grad, b.grad) == (16.0, 30.0, 20.0 + 30.0 + 30.0, 1.0)
    (total,) = out._prev
    below, product = copying.in_order(total._prev)
    assert (total.data, below.data, product.data) == (16.0, 7.0, 9.0)
    assert [v.data for v in copying.in_order(below._prev)] == [10, 6.0]
