"""CasADi's SX: scalar graphs made once and replayed by its virtual machine, or made anew at each call ("eager")."""

import casadi
import numpy as np

from micrograd_c.bench import inputs
from micrograd_c.bench.gpt import GPT, Plain
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Chains, Peer, Program, Training, trained
from micrograd_c.bench.programs import chain, expression, network

__all__ = ["Eager", "Replayed"]


def relu(x):
    return casadi.fmax(x, 0)


class CasADi(Chains, Peer):
    """`graph()` of each workload gives its inputs, as one SX, and its outputs; subclasses say when it is made."""

    def chain(self, turns, backward):
        numbers = casadi.DM([inputs.START, inputs.ADDEND, inputs.FACTOR])

        def graph():
            leaves = casadi.SX.sym("leaves", 3)
            end = chain(*casadi.vertsplit(leaves), turns)
            return leaves, [end, casadi.gradient(end, leaves)] if backward else [end]

        return self.called(graph, numbers, operations=2 * turns)

    def expression(self):
        def graph():
            leaves = casadi.SX.sym("leaves", 2)
            g = expression(*casadi.vertsplit(leaves), relu)
            return leaves, [g, casadi.gradient(g, leaves)]

        return self.called(graph, casadi.DM(inputs.EXPRESSION))

    def wide(self):
        numbers = inputs.wide_numbers(self.sizes.terms)

        def graph():
            xs = casadi.SX.sym("xs", len(numbers))
            total = casadi.sumsqr(xs)
            return xs, [total, casadi.gradient(total, xs)]

        return self.called(graph, casadi.DM(numbers), operations=len(numbers))

    def mlp(self):
        point = inputs.point()

        def graph():
            weights = casadi.SX.sym("weights", COUNT)
            output = network(inputs.layered(casadi.vertsplit(weights)), point, relu)
            return weights, [output, casadi.gradient(output, weights)]

        return self.called(graph, casadi.DM(inputs.flat(inputs.layers())))

    def demo(self):
        return trained(DemoTraining(self), self.sizes.steps)

    def training(self):
        return trained(DemoTraining(self), self.sizes.loop_steps)

    def gpt(self):
        return trained(GPTTraining(self, self.sizes.names), self.sizes.names)

    def called(self, graph, numbers, **options):
        """A Program that calls the function of a graph."""
        function = self.function(graph)

        def results():
            return [number for part in listed(function(numbers)) for number in part.full().ravel().tolist()]

        return Program(lambda: function(numbers), results, **options)


class Replayed(CasADi):
    """Makes each graph once, before the clock runs."""

    cannot = {"node": "see eager"}
    limits = {"deep": ("deep_turns", 100_000, "of 200,000 ops at most, as making their graph takes long")}

    def function(self, graph):
        parameters, outputs = graph()
        return casadi.Function("f", [parameters], outputs)


class Eager(CasADi):
    """Makes each graph, and its derivative, at each call."""

    limits = {"deep": ("deep_turns", 25_000, "of 50,000 ops at most, to be done in time"),
              "demo": ("steps", 1, ""), "node": ("nodes", 100_000, ""),
              "training": ("loop_steps", 3, "of 3 steps at most"),
              "gpt": ("names", 1, "the first name only, to be done in time")}

    def function(self, graph):
        def call(numbers):
            parameters, outputs = graph()
            return casadi.Function("f", [parameters], outputs)(numbers)

        return call

    def node(self):
        leaves = casadi.vertsplit(casadi.SX.sym("leaves", 3))
        turns = self.sizes.nodes // 2
        return Program(lambda: chain(*leaves, turns), results=list, operations=2 * turns)


COUNT = len(inputs.flat(inputs.layers()))


def listed(outputs):
    """A function of one output returns it bare."""
    return outputs if isinstance(outputs, tuple) else [outputs]


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self, peer):
        points, labels = inputs.moons()

        def graph():
            weights = casadi.SX.sym("weights", COUNT)
            layers = inputs.layered(casadi.vertsplit(weights))
            scores = casadi.vertcat(*[network(layers, point, relu) for point in points])
            losses = casadi.fmax(1 - casadi.DM(labels) * scores, 0)
            loss = casadi.sum1(losses) / len(labels) + inputs.DECAY * casadi.sumsqr(weights)
            return weights, [loss, scores, casadi.gradient(loss, weights)]

        self.function = peer.function(graph)
        self.positive = np.array(labels) > 0

    def reset(self):
        self.weights = casadi.DM(inputs.flat(inputs.layers()))

    def step(self, k):
        loss, scores, self.last = self.function(self.weights)
        self.weights = self.weights - inputs.learning_rate(k) * self.last
        self.accuracy = float(((scores.full().ravel() > 0) == self.positive).mean())
        return float(loss)

    def gradients(self):
        return self.last.full().ravel().tolist()


class GPTTraining(Training):
    """The GPT's training, with Adam by hand."""

    def __init__(self, peer, names):
        self.first = np.array(inputs.flat_matrices(inputs.matrices()))
        functions = Plain(casadi.exp, casadi.log, lambda xs: 0)     # logits this small do not overflow

        def graph(tokens):
            weights = casadi.SX.sym("weights", len(self.first))
            loss = GPT(inputs.shaped(casadi.vertsplit(weights)), functions, relu).loss(tokens)
            return weights, [loss, casadi.gradient(loss, weights)]

        self.functions = [
            peer.function(lambda tokens=tokens: graph(tokens)) for tokens in inputs.token_lists(names)
        ]

    def reset(self):
        self.weights = self.first.copy()
        self.mean, self.square = np.zeros_like(self.weights), np.zeros_like(self.weights)

    def step(self, k):
        loss, gradient = self.functions[k](self.weights)
        self.last = gradient.full().ravel()
        arrays.adam(*({"weights": array} for array in (self.weights, self.last, self.mean, self.square)), k + 1)
        return float(loss)

    def gradients(self):
        return self.last.tolist()
