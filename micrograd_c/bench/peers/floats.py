"""Plain Python floats, without any library: what the arithmetic itself takes, and derivatives by hand."""

from micrograd_c.bench import inputs
from micrograd_c.bench.peers.base import Peer, Program, Training, trained
from micrograd_c.bench.programs import fresh_copy

__all__ = ["Floats"]

FORWARD = "forward only: floats have no gradients"


def relu(x):
    return x if x > 0 else 0.0


def backward(layers, inputs_of, slope, gradients):
    """Add slope times the derivative with respect to each weight to gradients, given what went into each layer."""
    slopes = [slope]
    for k in range(len(layers) - 1, -1, -1):
        x = inputs_of[k]
        (rows, _), (row_gradients, bias_gradients) = layers[k], gradients[k]
        below = [0.0] * len(x)
        for j, s in enumerate(slopes):
            if s == 0.0:
                continue
            bias_gradients[j] += s
            row, row_gradient = rows[j], row_gradients[j]
            for i, xi in enumerate(x):
                row_gradient[i] += s * xi
                below[i] += s * row[i]
        slopes = [s if xi > 0 else 0.0 for s, xi in zip(below, x)]


def forward(layers, x):
    """The output, and what went into each layer."""
    inputs_of = []
    for k, (rows, biases) in enumerate(layers):
        inputs_of.append(x)
        x = [sum([w * xi for w, xi in zip(row, x)], bias) for row, bias in zip(rows, biases)]
        if k < len(layers) - 1:
            x = [relu(xi) for xi in x]
    return x[0], inputs_of


def zeros(layers):
    """Gradients to add to."""
    return [([[0.0] * len(row) for row in rows], [0.0] * len(biases)) for rows, biases in layers]


class Floats(Peer):
    """The programs, and a backward pass by hand where somebody would write one."""

    cannot = {"node": "floats keep no graph",
              "gpt": "its derivatives by hand, in loops over floats, are more than anybody writes"}

    def __init__(self, sizes):
        super().__init__(sizes)
        self.programs = fresh_copy("micrograd_c.bench.programs")

    def op(self):
        chain, turns = self.programs.chain, self.sizes.turns

        def run():
            return chain(inputs.START, inputs.ADDEND, inputs.FACTOR, turns)

        return Program(run, lambda: [run()], operations=2 * turns)

    def op_backward(self):
        program = self.op()
        program.note, program.values = FORWARD, 1
        return program

    def expression(self):
        expression = self.programs.expression

        def run():
            return expression(*inputs.EXPRESSION, relu)

        return Program(run, lambda: [run()], note=FORWARD, values=1)

    def deep(self):
        turns = self.sizes.deep_turns

        def run():
            x, a, b = inputs.START, inputs.ADDEND, inputs.FACTOR
            xs = []
            for _ in range(turns):
                xs.append(x)
                x = x * b + a
            slope, slope_a, slope_b = 1.0, 0.0, 0.0
            for before in reversed(xs):
                slope_a += slope
                slope_b += slope * before
                slope *= b
            return [x, slope, slope_a, slope_b]

        return Program(run, run, operations=2 * turns)

    def wide(self):
        xs = inputs.wide_numbers(self.sizes.terms)
        squares = self.programs.squares

        def run():
            return [squares(xs), *[2.0 * x for x in xs]]

        return Program(run, run, operations=len(xs))

    def mlp(self):
        layers, point = inputs.layers(), inputs.point()

        def run():
            gradients = zeros(layers)
            output, inputs_of = forward(layers, point)
            backward(layers, inputs_of, 1.0, gradients)
            return output, gradients

        def results():
            output, gradients = run()
            return [output, *inputs.flat(gradients)]

        return Program(run, results)

    def demo(self):
        return trained(DemoTraining(), self.sizes.steps)

    def training(self):
        return trained(DemoTraining(), self.sizes.loop_steps)


class DemoTraining(Training):
    """The demo's training, with derivatives by hand."""

    def __init__(self):
        self.points, self.labels = inputs.moons()

    def reset(self):
        self.layers = inputs.layers()

    def step(self, k):
        self.gradients_of_layers = gradients = zeros(self.layers)
        count = len(self.points)
        data_loss = right = 0.0
        for point, label in zip(self.points, self.labels):
            score, inputs_of = forward(self.layers, point)
            right += (label > 0) == (score > 0)
            if label * score < 1:
                data_loss += 1 - label * score
                backward(self.layers, inputs_of, -label / count, gradients)
        regularisation = sum(p * p for p in inputs.flat(self.layers))
        rate = inputs.learning_rate(k)
        for (rows, biases), (row_gradients, bias_gradients) in zip(self.layers, gradients):
            for numbers, slopes in [*zip(rows, row_gradients), (biases, bias_gradients)]:
                for i, number in enumerate(numbers):
                    slopes[i] += 2 * inputs.DECAY * number
                    numbers[i] = number - rate * slopes[i]
        self.accuracy = right / count
        return data_loss / count + inputs.DECAY * regularisation

    def gradients(self):
        return inputs.flat(self.gradients_of_layers)
