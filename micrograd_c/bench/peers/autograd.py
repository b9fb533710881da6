"""HIPS autograd: NumPy's functions, traced anew at each call. On whole arrays where there are any."""

import autograd.numpy as np
from autograd import value_and_grad
from autograd.core import make_vjp

from micrograd_c.bench import inputs
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Peer, Program, Training, Trainings
from micrograd_c.bench.programs import chain, expression

__all__ = ["Autograd"]

CHAIN = inputs.START, inputs.ADDEND, inputs.FACTOR


def relu(x):
    return np.maximum(x, 0.0)


def floats(result):
    """Value and gradients of value_and_grad as one list."""
    value, gradients = result
    return [float(value), *map(float, gradients)]


class Autograd(Trainings, Peer):
    """Functions of NumPy arrays."""

    limits = {"deep": ("deep_turns", 5_000, "of 10,000 ops at most, to be done in time"),
              "node": ("nodes", 50_000, "")}

    def chain(self, turns):
        function = value_and_grad(lambda x, a, b: chain(x, a, b, turns), argnum=(0, 1, 2))
        return Program(lambda: function(*CHAIN), lambda: floats(function(*CHAIN)), operations=2 * turns)

    def op(self):
        turns = self.sizes.turns

        def run():
            return make_vjp(lambda x: chain(x, *CHAIN[1:], turns), inputs.START)

        return Program(run, lambda: [float(run()[1])], operations=2 * turns)

    def op_backward(self):
        return self.chain(self.sizes.turns)

    def deep(self):
        return self.chain(self.sizes.deep_turns)

    def expression(self):
        function = value_and_grad(lambda a, b: expression(a, b, relu), argnum=(0, 1))
        return Program(lambda: function(*inputs.EXPRESSION), lambda: floats(function(*inputs.EXPRESSION)))

    def wide(self):
        xs = np.array(inputs.wide_numbers(self.sizes.terms))
        function = value_and_grad(lambda xs: np.sum(xs * xs))
        return Program(lambda: function(xs), lambda: floats(function(xs)), operations=len(xs),
                       note="one array of all terms")

    def mlp(self):
        layers, point = arrays.as_arrays(np.array), np.array(inputs.point())
        function = value_and_grad(lambda layers: arrays.network(layers, point, relu))

        def results():
            output, gradients = function(layers)
            return [float(output), *flat(gradients)]

        return Program(lambda: function(layers), results)

    def demo_training(self):
        return DemoTraining()

    def gpt_training(self, names):
        return GPTTraining(names)

    def node(self):
        turns = self.sizes.nodes // 2
        return Program(lambda: make_vjp(lambda x: chain(x, *CHAIN[1:], turns), inputs.START), results=list,
                       operations=2 * turns)


def flat(layers):
    return inputs.flat([(rows.tolist(), biases.tolist()) for rows, biases in layers])


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self):
        points, labels = map(np.array, inputs.moons())

        def loss(layers):
            value, self.scores = arrays.demo_loss(layers, points, labels, relu)
            return value

        self.labels, self.function = labels, value_and_grad(loss)

    def reset(self):
        self.layers = arrays.as_arrays(np.array)

    def step(self, k):
        value, self.last = self.function(self.layers)
        rate = inputs.learning_rate(k)
        self.layers = [
            tuple(p - rate * gradient for p, gradient in zip(*pair)) for pair in zip(self.layers, self.last)
        ]
        self.accuracy = float(((self.labels > 0) == (self.scores._value > 0)).mean())
        return float(value)

    def gradients(self):
        return flat(self.last)


class Library:
    """See arrays."""

    relu = staticmethod(relu)
    swap = staticmethod(np.swapaxes)

    @staticmethod
    def softmax(x):
        exps = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return exps / np.sum(exps, axis=-1, keepdims=True)

    @staticmethod
    def norm(x):
        return x * (np.mean(x * x, axis=-1, keepdims=True) + 1e-5) ** -0.5

    @staticmethod
    def cross_entropy(logits, targets):
        chances = Library.softmax(logits)
        return -np.mean(np.log(chances[np.arange(len(targets)), targets]))


class GPTTraining(Training):
    """The GPT's training, with Adam by hand."""

    def __init__(self, names):
        self.names = [
            (np.array(tokens[:-1]), np.array(tokens[1:]), np.array(arrays.mask(len(tokens) - 1)))
            for tokens in inputs.token_lists(names)
        ]
        self.function = value_and_grad(lambda parameters, *name: arrays.gpt_loss(parameters, *name, Library))

    def reset(self):
        self.parameters = {name: np.array(numbers) for name, numbers in arrays.stacked().items()}
        self.means, self.squares = (
            {name: np.zeros(p.shape) for name, p in self.parameters.items()} for _ in range(2)
        )

    def step(self, k):
        value, self.last = self.function(self.parameters, *self.names[k])
        arrays.adam(self.parameters, self.last, self.means, self.squares, k + 1)
        return float(value)

    def gradients(self):
        return arrays.in_order(self.last)
