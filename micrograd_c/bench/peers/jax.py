"""JAX: float64, jit-compiled on the CPU. Compiling happens before the clock runs, once for each shape."""

import jax
import jax.numpy as jnp
import numpy as np

from micrograd_c.bench import inputs
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Chains, Peer, Program, Training, Trainings
from micrograd_c.bench.programs import expression

__all__ = ["JAX"]

ONE_LOOP = "lax.scan: a compiled loop, no Python in it"


def array(numbers):
    return jnp.array(numbers, dtype=jnp.float64)


class JAX(Chains, Trainings, Peer):
    """Compiled functions; each timed call waits for what it has computed."""

    notes = {"demo": "all points at once; the whole step is compiled", "training": "compiling included",
             "gpt": "all positions of a name at once; the whole step is compiled, for each length of a name"}

    cannot = {"node": "compiled code keeps no graph"}

    def __init__(self, sizes):
        super().__init__(sizes)
        jax.config.update("jax_enable_x64", True)

    def called(self, function, *arguments, **options):
        """A Program that calls a compiled function of arrays."""
        compiled = jax.jit(function)

        def run():
            return jax.block_until_ready(compiled(*arguments))

        def results():
            return [number for part in jax.tree.leaves(run()) for number in np.ravel(part).tolist()]

        return Program(run, results, **options)

    def chain(self, turns, backward):
        def loop(x, a, b):
            return jax.lax.scan(lambda x, _: (x * b + a, None), x, length=turns)[0]

        function = jax.value_and_grad(loop, argnums=(0, 1, 2)) if backward else loop
        leaves = [array(number) for number in (inputs.START, inputs.ADDEND, inputs.FACTOR)]
        return self.called(function, *leaves, operations=2 * turns, note=ONE_LOOP)

    def expression(self):
        function = jax.value_and_grad(lambda a, b: expression(a, b, jax.nn.relu), argnums=(0, 1))
        return self.called(function, *map(array, inputs.EXPRESSION))

    def wide(self):
        xs = array(inputs.wide_numbers(self.sizes.terms))
        return self.called(jax.value_and_grad(lambda xs: (xs * xs).sum()), xs, operations=len(xs),
                           note="one array of all terms")

    def mlp(self):
        point = array(inputs.point())
        program = self.called(
            jax.value_and_grad(lambda layers: arrays.network(layers, point, jax.nn.relu)), arrays.as_arrays(array)
        )
        run = program.run

        def results():
            output, gradients = run()
            return [float(output), *flat(gradients)]

        program.results = results
        return program

    def demo_training(self):
        return DemoTraining()

    def gpt_training(self, names):
        return GPTTraining(names)


def flat(layers):
    return inputs.flat([(rows.tolist(), biases.tolist()) for rows, biases in layers])


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self):
        points, labels = map(array, inputs.moons())
        loss = jax.value_and_grad(
            lambda layers: arrays.demo_loss(layers, points, labels, jax.nn.relu), has_aux=True
        )

        @jax.jit
        def step(layers, rate):
            (value, scores), gradients = loss(layers)
            layers = jax.tree.map(lambda p, gradient: p - rate * gradient, layers, gradients)
            return value, ((labels > 0) == (scores > 0)).mean(), layers, gradients

        self.compiled = step

    def reset(self):
        self.layers = arrays.as_arrays(array)

    def step(self, k):
        value, accuracy, self.layers, self.last = self.compiled(self.layers, inputs.learning_rate(k))
        self.accuracy = float(accuracy)
        return float(value)

    def gradients(self):
        return flat(self.last)


class Library:
    """See arrays."""

    relu = staticmethod(jax.nn.relu)
    softmax = staticmethod(jax.nn.softmax)
    swap = staticmethod(jnp.swapaxes)

    @staticmethod
    def norm(x):
        return x * ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5

    @staticmethod
    def cross_entropy(logits, targets):
        return -jnp.take_along_axis(jax.nn.log_softmax(logits), targets[:, None], axis=1).mean()


class GPTTraining(Training):
    """The GPT's training, with Adam in the compiled step."""

    def __init__(self, names):
        self.names = [
            (jnp.array(tokens[:-1]), jnp.array(tokens[1:]), array(arrays.mask(len(tokens) - 1)))
            for tokens in inputs.token_lists(names)
        ]
        loss = jax.value_and_grad(lambda parameters, *name: arrays.gpt_loss(parameters, *name, Library))
        beta, beta_of_squares = inputs.BETAS

        @jax.jit
        def step(parameters, means, squares, count, name):
            value, gradients = loss(parameters, *name)
            means = jax.tree.map(lambda m, g: beta * m + (1 - beta) * g, means, gradients)
            squares = jax.tree.map(lambda s, g: beta_of_squares * s + (1 - beta_of_squares) * g * g, squares, gradients)
            size = inputs.LEARNING_RATE / (1 - beta**count)
            correction = jnp.sqrt(1 - beta_of_squares**count)
            parameters = jax.tree.map(
                lambda p, m, s: p - size * m / (jnp.sqrt(s) / correction + inputs.EPSILON), parameters, means, squares
            )
            return value, parameters, means, squares, gradients

        self.compiled = step

    def reset(self):
        self.parameters = {name: array(numbers) for name, numbers in arrays.stacked().items()}
        self.means = self.squares = jax.tree.map(jnp.zeros_like, self.parameters)

    def step(self, k):
        value, self.parameters, self.means, self.squares, self.last = self.compiled(
            self.parameters, self.means, self.squares, k + 1.0, self.names[k]
        )
        return float(value)

    def gradients(self):
        return arrays.in_order({name: np.asarray(gradient) for name, gradient in self.last.items()})
