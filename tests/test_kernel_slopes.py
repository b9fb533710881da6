"""Gradients by vmap on every instruction set are the eager engine's: layers with each activation, and single ops."""

import itertools
import math
import operator
import random

import pytest
from edges import ordered

from micrograd_c import atan2, maximum, minimum, vmap, where
from micrograd_c._core.mapped import executor
from micrograd_c._core.ops import rules
from micrograd_c.engine import Value
from micrograd_c.nn import ACTIVATIONS, MLP, Layer

ROWS = [1, 2, 3, 7, 8, 9, 17]       # that fill vectors of 2, 4 and 8, and do not
SHAPES = [(1, [1, 1]), (2, [3, 2]), (3, [4, 1]), (5, [5, 3]), (9, [8, 9])]      # that fill tiles, and do not
TWO = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
    "maximum": maximum, "minimum": minimum, "atan2": atan2,
    "where": lambda x, y: where(maximum(x - 1.0, 0.0), x * 3.0, y),
}


@pytest.fixture(params=executor.instruction_sets(), autouse=True)
def instruction_set(request, monkeypatch):
    monkeypatch.setenv("MICROGRAD_C_KERNELS", request.param)


def gradients(parameters, loss):
    for parameter in parameters:
        parameter.grad = 0
    loss.backward()
    return [parameter.grad for parameter in parameters]


def agree(mapped, eager):
    return mapped == pytest.approx(eager, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_layers(shape, activation):
    random.seed(3)
    inputs, outputs = shape
    model = MLP(inputs, outputs, activation=activation)     # the last layer has none
    parameters = model.parameters()
    mapped = vmap(model)
    for rows in ROWS:
        xs = [[random.uniform(-2, 2) for _ in range(inputs)] for _ in range(rows)]
        seeds = [[random.uniform(-2, 2) for _ in range(rows)] for _ in range(outputs[-1])]
        batches = as_list(mapped(xs))
        results = [as_list(model(x)) for x in xs]
        for k, batch in enumerate(batches):
            values = [result[k].data for result in results]
            assert all(abs(ordered(x) - ordered(y)) <= 8 for x, y in zip(batch, values)) or agree(list(batch), values)
        by_vmap = sum(batch.sum(weights) for batch, weights in zip(batches, seeds))
        by_row = sum(result[k] * weights[row] for k, weights in enumerate(seeds) for row, result in enumerate(results))
        assert agree(gradients(parameters, by_vmap), gradients(parameters, by_row))


def as_list(output):
    return output if isinstance(output, list) else [output]


def operand(role, row, parameter):
    """A row's number that gradients reach, or a parameter."""
    return row + parameter if role == "r" else parameter


@pytest.mark.parametrize("name", rules.functions())
@pytest.mark.parametrize("role", ["r", "u"])
def test_ops_of_one_operand(name, role):
    random.seed(4)
    w, v = Value(0.75), Value(-1.5)

    def function(x, seed):
        return getattr(operand(role, x, w), name)() * seed + v * x
    if not math.isfinite(rules.value_at(name, 2.0)):        # defined from -1 to 1, and so is an operand of a row's
        compare(function, [w, v], -1.7, 0.2)
    else:
        compare(function, [w, v], -2.0 if math.isfinite(rules.value_at(name, -2.0)) else 0.1)


@pytest.mark.parametrize("name", TWO)
@pytest.mark.parametrize("roles", list(itertools.product("ru", repeat=2)), ids="".join)
def test_ops_of_two_operands(name, roles):
    random.seed(5)
    w, v = Value(0.75), Value(1.25)

    def function(x, seed):
        return TWO[name](operand(roles[0], x, w), operand(roles[1], x * 1.5, v)) * seed
    compare(function, [w, v], 0.1)


@pytest.mark.parametrize("exponent", [2, 3, -1, -2, 0, 1, 0.5, -0.5, 1.5, -1.5, 1.7, -3, 10, 2.5])
@pytest.mark.parametrize("role", ["r", "u"])
def test_powers_by_a_number(exponent, role):
    random.seed(6)
    w = Value(0.75)
    compare(lambda x, seed: operand(role, x, w) ** exponent * seed, [w], 0.1)


def compare(function, parameters, lowest, highest=2):
    mapped = vmap(function)
    for rows in ROWS:
        xs = [random.uniform(lowest, highest) for _ in range(rows)]
        seeds = [random.uniform(-2, 2) for _ in range(rows)]
        batch, eager = mapped(xs, seeds), [function(x, seed) for x, seed in zip(xs, seeds)]
        assert agree(list(batch), [value.data for value in eager])
        assert agree(gradients(parameters, batch.sum()), gradients(parameters, sum(eager)))


@pytest.mark.parametrize("rows", [0, 1, 7, 8, 9, 63, 64, 65, 100, 1000, 2047, 2049, 5000])
def test_any_number_of_rows(rows):
    generator = random.Random(rows)
    xs = [generator.uniform(-2, 2) for _ in range(rows)]
    w, b = Value(1.5), Value(-0.25)
    result = vmap(lambda x: (w * x + b).tanh() * x)(xs)
    mapped = gradients([w, b], result.sum())
    eager = [(w * x + b).tanh() * x for x in map(Value, xs)]
    assert result.tolist() == pytest.approx([one.data for one in eager], rel=9e-16, abs=0)     # 4 ulp
    assert mapped == pytest.approx(gradients([w, b], sum(eager, Value(0))), rel=1e-11)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 7, 9])
def test_lanes_beyond_the_last_row_have_no_say(rows):
    """They hold its numbers and an adjoint of 0, which by its infinite slope is not a number."""
    xs = [4.0] * (rows - 1) + [1.0]
    number, layer = Value(-1.0), Layer(2, 3, activation="linear")
    for p in layer.parameters():
        p.data = 0.5
    for neuron in layer.neurons:
        neuron.b.data = -1.0
    for f, parameters in (
        (lambda x: (x + number).sqrt(), [number]),
        (lambda x: sum(y.sqrt() for y in layer([x, x])), layer.parameters()),
    ):
        assert gradients(parameters, vmap(f)(xs).sum()) == [math.inf] * len(parameters)
