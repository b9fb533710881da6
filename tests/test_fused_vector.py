"""Layers mixed with the functions of vector: together, too, they leave what their plain spellings leave."""

import math

import pytest
from spelled import COMPILED, agree

from micrograd_c import no_grad, tape, vector
from micrograd_c._core.bulk import plain_lines


def functions(way):
    """linear, softmax, mean and cross_entropy in one way."""
    if way is COMPILED:
        return vector.linear, vector.softmax, vector.mean, vector.cross_entropy
    linear = lambda rows, xs, biases: [plain_lines.sumprod(row, xs, b) for row, b in zip(rows, biases)]    # noqa: E731
    return linear, plain_lines.softmax, plain_lines.mean, plain_lines.cross_entropy


def values(way, *numbers):
    return [way.Value(number) for number in numbers]


def attention(way):
    """Layers on attention on layers: outputs of dots are weights of others."""
    linear, softmax, mean, cross_entropy = functions(way)
    embed, head = way.Layer(2, 4, activation="tanh"), way.Layer(4, 3, nonlin=False)
    zeros = values(way, 0.0, 0.0, 0.0, 0.0)
    steps = [embed(values(way, 0.5 * k, 1 - k)) for k in range(3)]
    weights = softmax(linear(steps, steps[-1], zeros[:3]))
    mixed = linear([list(column) for column in zip(*steps)], weights, zeros)
    logits = head(mixed)
    return [cross_entropy(logits, 1) + mean(mixed), *logits], [*embed.parameters(), *head.parameters(), *zeros]


def many_rows(way):
    """More rows than are recorded at once, of Values one after the other; relu layers above and below."""
    linear, _, mean, _ = functions(way)
    below, above = way.Layer(2, 3), way.Layer(9, 2)
    rows = [values(way, i, -0.5 * i, 2.5) if i == 4 else values(way, 0.25 * i, -0.5, i / 3) for i in range(9)]
    biases = values(way, *range(-4, 5))
    middle = linear(rows, below([way.Value(1.0), 2]), biases)
    top = above(middle)
    leaves = [*below.parameters(), *above.parameters(), *[v for row in rows for v in row], *biases]
    return [mean([*top, *middle]), *top], leaves


def generated_weights(way):
    """A network whose outputs are the weights, biases and inputs of sums, and of another network's neurons."""
    linear, softmax, _, _ = functions(way)
    source, x = way.Layer(2, 6), values(way, 0.5, -1.5)
    w = source(x)
    first = linear([w[:2], w[2:4], [w[5], w[5]]], [w[4], x[0]], [w[0], x[1], w[5]])
    unit = way.neuron(w[:3], first[0], nonlin=False)
    return [unit(first), *softmax(first)], [*source.parameters(), *x]


def without_graph(way):
    linear, _, mean, _ = functions(way)
    layer, rows = way.Layer(2, 2), [values(way, 1.5, -2.0), values(way, 0.5, 3.0)]
    with no_grad():
        fixed = linear(rows, layer(values(way, 1.0, 2.0)), rows[0])
    outputs = linear(rows, layer(fixed), fixed)
    return [mean(outputs), *outputs], [*layer.parameters(), *rows[0], *rows[1], *fixed]


def not_finite(way):
    linear, softmax, mean, _ = functions(way)
    layer, xs = way.Layer(2, 3), values(way, math.inf, -0.0)
    hidden = layer(xs)
    outputs = linear([values(way, 0.0, -1.0, 1e308)] * 2, hidden, values(way, 1e308, -0.0))
    return [mean(softmax(hidden)), *outputs], [*layer.parameters(), *xs]


@pytest.mark.parametrize("build", [attention, many_rows, generated_weights, without_graph, not_finite])
@pytest.mark.parametrize("order", [
    "sweep sweep look", "look sweep sweep look", "sweep change sweep look", "change sweep collect look sweep",
    "label sweep look sweep", "hook sweep look sweep",
])
def test_layers_and_sums_of_products_together(build, order):
    def program(way):
        roots, leaves = build(way)
        heard = []
        for action in order.split():
            if action == "sweep":
                for root in roots:
                    root.backward()
            elif action == "look":
                yield way.graph(*roots)
            elif action == "change":
                leaves[0].data, leaves[-1].data, roots[1].data = 3, -7.5, 0.0
            elif action == "collect":
                sum([1.0] * 18_000, way.Value(0.5))
                tape.collect()
            elif action == "label":
                leaves[2].label = roots[-1].label = "mine"
            else:
                native, root = roots[-1]._backward, roots[-1]
                root._backward = lambda native=native, root=root: (heard.append(root.grad), native())
            yield [(v.data, v.grad) for v in [*roots, *leaves]], heard

    agree(program)
