"""PyTorch: float64, one thread, eager, written as its users write it, on whole arrays where there are any."""

import torch
import torch.nn.functional as F

from micrograd_c.bench import inputs
from micrograd_c.bench.peers import arrays
from micrograd_c.bench.peers.base import Chains, Peer, Program, Training, Trainings
from micrograd_c.bench.programs import chain, expression

__all__ = ["PyTorch"]

def parameter(numbers):
    return torch.tensor(numbers, dtype=torch.float64, requires_grad=True)


class PyTorch(Chains, Trainings, Peer):
    """Tensors."""

    limits = {"deep": ("deep_turns", 25_000, "of 50,000 ops at most, to be done in time"),
              "node": ("nodes", 100_000, "")}

    def __init__(self, sizes):
        super().__init__(sizes)
        torch.set_num_threads(1)

    def chain(self, turns, backward):
        leaves = [parameter(number) for number in (inputs.START, inputs.ADDEND, inputs.FACTOR)]

        def run():
            end = chain(*leaves, turns)
            if backward:
                for leaf in leaves:
                    leaf.grad = None
                end.backward()
            return end

        def results():
            return [run().item(), *(leaf.grad.item() for leaf in leaves if backward)]

        return Program(run, results, operations=2 * turns)

    def expression(self):
        def run():
            a, b = map(parameter, inputs.EXPRESSION)
            g = expression(a, b, torch.relu)
            g.backward()
            return g, a, b

        def results():
            g, a, b = run()
            return [g.item(), a.grad.item(), b.grad.item()]

        return Program(run, results)

    def wide(self):
        xs = parameter(inputs.wide_numbers(self.sizes.terms))

        def run():
            xs.grad = None
            total = (xs * xs).sum()
            total.backward()
            return total

        return Program(run, lambda: [run().item(), *xs.grad.tolist()], operations=len(xs),
                       note="one array of all terms")

    def mlp(self):
        layers, point = arrays.as_arrays(parameter), torch.tensor(inputs.point(), dtype=torch.float64)

        def run():
            output = arrays.network(layers, point, torch.relu)
            output.backward()
            return output

        def results():
            for p in (p for layer in layers for p in layer):
                p.grad = None
            return [run().item(), *gradients(layers)]

        return Program(run, results)

    def demo_training(self):
        return DemoTraining()

    def gpt_training(self, names):
        return GPTTraining(names)

    def node(self):
        leaves = [parameter(number) for number in (inputs.START, inputs.ADDEND, inputs.FACTOR)]
        turns = self.sizes.nodes // 2
        return Program(lambda: chain(*leaves, turns), results=list, operations=2 * turns)


def gradients(layers):
    return inputs.flat([(rows.grad.tolist(), biases.grad.tolist()) for rows, biases in layers])


class DemoTraining(Training):
    """The demo's training."""

    def __init__(self):
        self.points, self.labels = (torch.tensor(numbers, dtype=torch.float64) for numbers in inputs.moons())

    def reset(self):
        self.layers = arrays.as_arrays(parameter)
        self.parameters = [p for layer in self.layers for p in layer]

    def step(self, k):
        loss, scores = arrays.demo_loss(self.layers, self.points, self.labels, torch.relu)
        for p in self.parameters:
            p.grad = None
        loss.backward()
        with torch.no_grad():
            for p in self.parameters:
                p -= inputs.learning_rate(k) * p.grad
        self.accuracy = ((self.labels > 0) == (scores > 0)).double().mean().item()
        return loss.item()

    def gradients(self):
        return gradients(self.layers)


class Library:
    """See arrays."""

    relu = staticmethod(torch.relu)
    swap = staticmethod(torch.transpose)
    cross_entropy = staticmethod(F.cross_entropy)

    @staticmethod
    def softmax(x):
        return torch.softmax(x, -1)

    @staticmethod
    def norm(x):
        return F.rms_norm(x, (inputs.WIDTH,), eps=1e-5)


class GPTTraining(Training):
    """The GPT's training, with torch.optim.Adam."""

    def __init__(self, names):
        self.names = [
            (torch.tensor(tokens[:-1]), torch.tensor(tokens[1:]),
             torch.tensor(arrays.mask(len(tokens) - 1), dtype=torch.float64))
            for tokens in inputs.token_lists(names)
        ]

    def reset(self):
        self.parameters = {name: parameter(numbers) for name, numbers in arrays.stacked().items()}
        self.optimizer = torch.optim.Adam(
            self.parameters.values(), lr=inputs.LEARNING_RATE, betas=inputs.BETAS, eps=inputs.EPSILON
        )

    def step(self, k):
        loss = arrays.gpt_loss(self.parameters, *self.names[k], Library)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def gradients(self):
        return arrays.in_order({name: p.grad.numpy() for name, p in self.parameters.items()})
