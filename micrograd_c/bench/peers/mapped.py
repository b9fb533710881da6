"""micrograd_c by vmap: scalar code that is traced once and runs for all rows at once."""

from array import array

from micrograd_c import linear, logsumexp, sumprod, value_and_grad, vector, vmap
from micrograd_c.bench import inputs
from micrograd_c.bench.gpt import GPT
from micrograd_c.bench.peers.base import Peer, Program, trained
from micrograd_c.bench.peers.training import GPTTraining, VmapDemoTraining, helpers_adam
from micrograd_c.engine import Value

__all__ = ["Mapped"]


class Mapped(Peer):
    """Rows are the demo's points, the sum's terms, and names, of which the GPT sees one at a time."""

    def demo(self):
        return trained(VmapDemoTraining("micrograd_c"), self.sizes.steps, "all points at once")

    def wide(self):
        xs = array("d", inputs.wide_numbers(self.sizes.terms))
        square = vmap(value_and_grad(lambda x: x * x))

        def run():
            squares, slopes = square(xs)
            return sum(squares), slopes

        def results():
            total, slopes = run()
            return [total, *slopes]

        return Program(run, results, operations=len(xs), note="one row for each term")

    def gpt(self):
        names = self.sizes.names
        return trained(MappedGPTTraining(names), names)


class MappedGPTTraining(GPTTraining):
    """The GPT's training, with the loss of a name as a function that vmap runs. A token is a row with a single 1."""

    def __init__(self, names):
        super().__init__(Value, vector, helpers_adam, names)
        self.losses = vmap(MappedGPT(inputs.shaped(self.parameters), vector, Value.relu).loss)
        self.tokens = [one_hot(tokens) for tokens in self.tokens]

    def loss(self, tokens):
        return self.losses([tokens]).sum()


class MappedGPT(GPT):
    """With rows in the place of tokens."""

    def embedding(self, hot, position):
        return linear(list(zip(*self.characters)), hot, self.positions[position])

    def surprise(self, logits, target):
        return logsumexp(logits) - sumprod(target, logits)


def one_hot(tokens):
    return [[float(k == token) for k in range(inputs.VOCABULARY)] for token in tokens]
