"""The demo's training step in PyTorch: batched, float64, one thread. For context only; knows nothing of clocks."""

import torch

torch.set_num_threads(1)


class TorchTraining:
    """Starts from the weights of a micrograd_c.demo.Training, and takes the same steps."""

    def __init__(self, training):
        self.X = torch.tensor(training.X, dtype=torch.float64)
        self.y = torch.tensor(training.y, dtype=torch.float64)
        self.k = training.k
        self.layers = [
            (
                parameter([[w.data for w in neuron.w] for neuron in layer.neurons]),
                parameter([neuron.b.data for neuron in layer.neurons]),
            )
            for layer in training.model.layers
        ]

    def step(self):
        """One step of gradient descent; the loss as a number and the accuracy before it."""
        *hidden, last = self.layers
        outputs = self.X
        for weights, biases in hidden:
            outputs = torch.relu(outputs @ weights.T + biases)
        scores = (outputs @ last[0].T + last[1])[:, 0]
        parameters = [p for layer in self.layers for p in layer]
        loss = torch.relu(1 - self.y * scores).mean() + 1e-4 * sum((p * p).sum() for p in parameters)
        for p in parameters:
            p.grad = None
        loss.backward()
        learning_rate = 1.0 - 0.9 * self.k / 100
        with torch.no_grad():
            for p in parameters:
                p -= learning_rate * p.grad
        self.k += 1
        return loss.item(), ((self.y > 0) == (scores > 0)).double().mean().item()


def parameter(values):
    """A float64 tensor that gets a gradient."""
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)
