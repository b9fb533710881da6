"""XAD: a tape in C++ driven from Python, one Real per number. The tape is made once and cleared for each pass."""

import xad.adj_1st as adjoint
import xad.math

from micrograd_c.bench import gpt, inputs
from micrograd_c.bench.peers.base import Peer, Program, Training, trained
from micrograd_c.bench.programs import chain, expression, network, squares

__all__ = ["XAD"]


def relu(x):
    return xad.math.max(x, 0.0)


class XAD(Peer):
    """Reals."""

    def __init__(self, sizes):
        super().__init__(sizes)
        self.tape = adjoint.Tape()

    def record(self, function, numbers):
        """Record a function of Reals; what it returned, and the Reals."""
        tape = self.tape
        tape.clearAll()
        reals = list(map(adjoint.Real, numbers))
        tape.registerInputs(reals)
        tape.newRecording()
        return function(reals), reals

    def differentiate(self, function, numbers):
        """A function's value and gradient."""
        with Active(self.tape):
            value, reals = self.record(function, numbers)
            self.tape.registerOutput(value)
            value.derivative = 1.0
            self.tape.computeAdjoints()
            return [value.value, *[real.derivative for real in reals]]

    def differentiated(self, function, numbers, **options):
        def run():
            return self.differentiate(function, numbers)

        return Program(run, run, **options)

    def chain(self, turns):
        return self.differentiated(
            lambda leaves: chain(*leaves, turns), [inputs.START, inputs.ADDEND, inputs.FACTOR], operations=2 * turns
        )

    def op(self):
        turns = self.sizes.turns

        def run():
            with Active(self.tape):
                end, _ = self.record(
                    lambda leaves: chain(*leaves, turns), [inputs.START, inputs.ADDEND, inputs.FACTOR]
                )
                return end.value

        return Program(run, lambda: [run()], operations=2 * turns)

    def op_backward(self):
        return self.chain(self.sizes.turns)

    def deep(self):
        return self.chain(self.sizes.deep_turns)

    def expression(self):
        return self.differentiated(lambda leaves: expression(*leaves, relu), inputs.EXPRESSION)

    def wide(self):
        numbers = inputs.wide_numbers(self.sizes.terms)
        return self.differentiated(squares, numbers, operations=len(numbers))

    def mlp(self):
        point = inputs.point()
        return self.differentiated(
            lambda weights: network(inputs.layered(weights), point, relu), inputs.flat(inputs.layers())
        )

    def demo(self):
        return trained(DemoTraining(self), self.sizes.steps)

    def training(self):
        return trained(DemoTraining(self), self.sizes.loop_steps)

    def gpt(self):
        return trained(GPTTraining(self, self.sizes.names), self.sizes.names)

    def node(self):
        turns = self.sizes.nodes // 2

        def run():
            self.tape.activate()
            return self.record(
                lambda leaves: chain(*leaves, turns), [inputs.START, inputs.ADDEND, inputs.FACTOR]
            )

        return Program(run, results=list, operations=2 * turns)


class Active:
    """Records on a tape that is there already."""

    def __init__(self, tape):
        self.tape = tape

    def __enter__(self):
        self.tape.activate()

    def __exit__(self, *error):
        self.tape.deactivate()


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self, peer):
        self.peer = peer
        self.points, self.labels = inputs.moons()

    def reset(self):
        self.weights = inputs.flat(inputs.layers())

    def loss(self, weights):
        layers = inputs.layered(weights)
        scores = [network(layers, point, relu) for point in self.points]
        losses = [relu(1 + -label * score) for label, score in zip(self.labels, scores)]
        right = [(label > 0) == (score > 0) for label, score in zip(self.labels, scores)]
        self.accuracy = sum(right) / len(right)
        return sum(losses) * (1.0 / len(losses)) + inputs.DECAY * squares(weights)

    def step(self, k):
        loss, *self.last = self.peer.differentiate(self.loss, self.weights)
        rate = inputs.learning_rate(k)
        self.weights = [w - rate * slope for w, slope in zip(self.weights, self.last)]
        return loss

    def gradients(self):
        return self.last


class Weight:
    """What Adam moves."""

    def __init__(self, number):
        self.data, self.grad = number, 0.0


class GPTTraining(Training):
    """The GPT's training."""

    def __init__(self, peer, names):
        self.peer = peer
        self.functions = gpt.Plain(xad.math.exp, xad.math.log, lambda xs: max(x.value for x in xs))
        self.tokens = inputs.token_lists(names)

    def reset(self):
        self.weights = list(map(Weight, inputs.flat_matrices(inputs.matrices())))
        self.optimizer = gpt.Adam(self.weights)

    def step(self, k):
        def loss(weights):
            return gpt.GPT(inputs.shaped(weights), self.functions, relu).loss(self.tokens[k])

        value, *gradients = self.peer.differentiate(loss, [w.data for w in self.weights])
        for w, gradient in zip(self.weights, gradients):
            w.grad = gradient
        self.optimizer.step()
        return value

    def gradients(self):
        return [w.grad for w in self.weights]
