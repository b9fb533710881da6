"""tinygrad: float64 on the CPU, with TinyJit. What that captures in its first two calls is replayed from the third on.

Wants clang on PATH, as tinygrad does.
"""

import numpy as np
from tinygrad import Device, Tensor, TinyJit, dtypes

from micrograd_c.bench import inputs
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Cannot, Peer, Program, Training, Trainings
from micrograd_c.bench.programs import expression

__all__ = ["Tinygrad"]

LONG = "compiling 500 ops on single numbers takes it ten seconds, and more ops much longer"


def array(numbers, dtype=np.float64):
    # clone(), since TinyJit wants buffers of its own
    return Tensor(np.array(numbers, dtype=dtype), device="CPU").clone().realize()


def compiled(function, *arguments):
    """A replayed function of Tensors; two calls with these arguments capture it."""
    jit = TinyJit(lambda *arguments: [part.realize() for part in function(*arguments)])
    for _ in range(2):
        jit(*arguments)
    return jit


class Tinygrad(Trainings, Peer):
    """Replayed kernels; each timed call waits for its numbers."""

    notes = {"demo": "all points at once; the whole step is replayed", "training": "",
             "gpt": "all positions of a name at once; the whole step is replayed"}

    cannot = {"op": LONG, "op-backward": LONG, "deep": LONG, "node": "replayed kernels keep no graph"}

    limits = {"gpt": ("names", 1, "the first name only, as capturing a step takes half a minute")}

    def program(self, workload):
        try:
            Device["CPU"]       # compiles a few lines of C
        except FileNotFoundError as error:
            raise Cannot(f"tinygrad needs {error.filename!r}, which is not on PATH") from None
        return super().program(workload)

    def differentiated(self, function, leaves, **options):
        """A Program for value and gradients of a function of Tensors."""
        def value_and_gradients(*leaves):
            value = function(*leaves)
            return [value, *value.gradient(*leaves)]

        jit = compiled(value_and_gradients, *leaves)

        def run():
            return [part.numpy() for part in jit(*leaves)]

        def results():
            return [number for part in run() for number in np.ravel(part).tolist()]

        return Program(run, results, **options)

    def expression(self):
        return self.differentiated(lambda a, b: expression(a, b, Tensor.relu), list(map(array, inputs.EXPRESSION)))

    def wide(self):
        xs = array(inputs.wide_numbers(self.sizes.terms))
        return self.differentiated(lambda xs: (xs * xs).sum(), [xs], operations=self.sizes.terms,
                                   note="one array of all terms")

    def mlp(self):
        leaves, point = arrays_of_layers(), array(inputs.point())
        program = self.differentiated(lambda *leaves: arrays.network(paired(leaves), point, Tensor.relu), leaves)
        run = program.run

        def results():
            output, *gradients = run()
            return [float(output), *flat(gradients)]

        program.results = results
        return program

    def demo_training(self):
        return DemoTraining()

    def gpt_training(self, names):
        return GPTTraining(names)


def arrays_of_layers():
    """Weights and biases of the demo's layers as one list."""
    return [part for layer in arrays.as_arrays(array) for part in layer]


def paired(leaves):
    return list(zip(leaves[::2], leaves[1::2]))


def flat(gradients):
    return inputs.flat([(rows.tolist(), biases.tolist()) for rows, biases in paired(gradients)])


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self):
        points, labels = map(array, inputs.moons())

        def step(rate, *leaves):
            loss, scores = arrays.demo_loss(paired(leaves), points, labels, Tensor.relu)
            gradients = loss.gradient(*leaves)
            accuracy = ((labels > 0) == (scores > 0)).cast(dtypes.float64).mean()
            moved = [p - rate * gradient for p, gradient in zip(leaves, gradients)]
            return [loss, accuracy, *moved, *gradients]

        self.jit = compiled(step, array([1.0]), *arrays_of_layers())

    def reset(self):
        self.leaves = arrays_of_layers()

    def step(self, k):
        loss, accuracy, *rest = self.jit(array([inputs.learning_rate(k)]), *self.leaves)
        self.leaves, self.last = [p.clone().realize() for p in rest[:len(self.leaves)]], rest[len(self.leaves):]
        self.accuracy = accuracy.item()
        return loss.item()

    def gradients(self):
        return flat([gradient.numpy() for gradient in self.last])


class Library:
    """See arrays."""

    relu = staticmethod(Tensor.relu)
    softmax = staticmethod(Tensor.softmax)
    swap = staticmethod(Tensor.transpose)

    @staticmethod
    def norm(x):
        return x * ((x * x).mean(-1, keepdim=True) + 1e-5).rsqrt()

    @staticmethod
    def cross_entropy(logits, targets):
        return logits.sparse_categorical_crossentropy(targets)


class GPTTraining(Training):
    """The GPT's training, with Adam in the replayed step."""

    def __init__(self, names):
        self.jits = [compiled(self.of(tokens), array([1.0]), array([1.0]), *[
            array(numbers) for numbers in arrays.stacked().values() for _ in range(3)
        ]) for tokens in inputs.token_lists(names)]

    @staticmethod
    def of(tokens):
        """A name's training step."""
        name = array(tokens[:-1], np.int32), array(tokens[1:], np.int32), array(arrays.mask(len(tokens) - 1))
        beta, beta_of_squares = inputs.BETAS

        def step(size, correction, *state):
            parameters, means, squares = state[0::3], state[1::3], state[2::3]
            by_name = dict(zip(arrays.NAMES, parameters))
            loss = arrays.gpt_loss(by_name, name[0], name[1], name[2], Library)
            gradients = loss.gradient(*parameters)
            moved = []
            for p, mean, square, gradient in zip(parameters, means, squares, gradients):
                mean = beta * mean + (1 - beta) * gradient
                square = beta_of_squares * square + (1 - beta_of_squares) * gradient * gradient
                moved += [p - size * mean / (square.sqrt() / correction + inputs.EPSILON), mean, square]
            return [loss, *moved, *gradients]

        return step

    def reset(self):
        self.state = []
        for numbers in arrays.stacked().values():
            zeros = np.zeros_like(numbers)
            self.state += [array(numbers), array(zeros), array(zeros)]

    def step(self, k):
        beta, beta_of_squares = inputs.BETAS
        size = array([inputs.LEARNING_RATE / (1 - beta ** (k + 1))])
        correction = array([(1 - beta_of_squares ** (k + 1)) ** 0.5])
        loss, *rest = self.jits[k](size, correction, *self.state)
        self.last = rest[len(self.state):]
        self.state = [part.clone().realize() for part in rest[:len(self.state)]]
        return loss.item()

    def gradients(self):
        return arrays.in_order({name: gradient.numpy() for name, gradient in zip(arrays.NAMES, self.last)})
