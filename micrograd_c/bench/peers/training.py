"""Training as the libraries that have micrograd's Value do it, each with bytecode of its own."""

from micrograd_c.bench import inputs
from micrograd_c.bench.peers.base import Training
from micrograd_c.bench.programs import fresh_copy
from micrograd_c.optim import Adam

__all__ = ["DemoTraining", "GPTTraining", "VmapDemoTraining", "helpers_adam"]


class DemoTraining(Training):
    """The demo's training, which can start again."""

    kind = "Training"

    def __init__(self, package):
        self.training = getattr(fresh_copy("micrograd_c.demo"), self.kind)(package)
        self.weights = [p.data for p in self.training.model.parameters()]

    def reset(self):
        self.training.k = 0
        for p, weight in zip(self.training.model.parameters(), self.weights):
            p.data = weight

    def step(self, k):
        return self.training.step()[0]

    def gradients(self):
        return [p.grad for p in self.training.model.parameters()]


class VmapDemoTraining(DemoTraining):
    """The same with all points at once."""

    kind = "VmapTraining"


class GPTTraining(Training):
    """The GPT's training. Each graph lives until the next one has replaced it, as in most scripts."""

    def __init__(self, Value, functions, make_optimizer, names):
        self.weights = inputs.flat_matrices(inputs.matrices())
        self.parameters = list(map(Value, self.weights))
        matrices = inputs.shaped(self.parameters)
        self.model = fresh_copy("micrograd_c.bench.gpt").GPT(matrices, functions, Value.relu)
        self.make_optimizer = make_optimizer
        self.tokens = inputs.token_lists(names)

    def reset(self):
        self.optimizer = self.make_optimizer(self.parameters)
        for p, weight in zip(self.parameters, self.weights):
            p.data = weight

    def loss(self, tokens):
        return self.model.loss(tokens)

    def run(self, steps):
        losses = []
        for tokens in self.tokens:
            loss = self.loss(tokens)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            losses.append(loss.data)
        return losses

    def gradients(self):
        return [p.grad for p in self.parameters]


def helpers_adam(parameters):
    """micrograd_c's own."""
    return Adam(parameters, inputs.LEARNING_RATE, inputs.BETAS, inputs.EPSILON)
