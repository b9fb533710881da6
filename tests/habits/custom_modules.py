"""Modules of one's own on Module, Neuron and Layer: tanh units, dropout, a Sequential, an embedding."""
import math
import random

from micrograd.engine import Value
from micrograd.nn import MLP, Layer, Module, Neuron


def tanh(v):
    t = math.tanh(v.data)
    out = Value(t, (v,), "tanh")

    def _backward():
        v.grad += (1 - t * t) * out.grad
    out._backward = _backward
    return out


class TanhNeuron(Neuron):
    def __init__(self, nin, gain=1.0, **kwargs):
        super().__init__(nin, **kwargs)
        self.gain = Value(gain)

    def __call__(self, x):
        return tanh(sum((w * xi for w, xi in zip(self.w, x)), self.b)) * self.gain

    def parameters(self):
        return [*super().parameters(), self.gain]

    def __repr__(self):
        return f"Tanh{super().__repr__()}"


class Embedding(Module):
    def __init__(self, rows, size):
        self.table = [[Value(random.gauss(0, 1)) for _ in range(size)] for _ in range(rows)]

    def __call__(self, index):
        return self.table[index]

    def parameters(self):
        return [v for row in self.table for v in row]


class Sequential(Module):
    def __init__(self, *parts):
        self.parts = parts

    def __call__(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def parameters(self):
        return [p for part in self.parts for p in part.parameters()]


class Pair(Layer):
    def __init__(self, nin):
        super().__init__(nin, 2, nonlin=False)
        self.neurons[1] = TanhNeuron(nin, gain=2)


random.seed(8)
net = Sequential(Embedding(3, 2), Pair(2), MLP(2, [2, 1]))
print(len(net.parameters()), net.parts[1], net.parts[2], isinstance(net.parts[1], Layer), Pair(1).neurons)
for step in range(5):
    loss = sum((net(i) - i) ** 2 for i in range(3))
    net.zero_grad()
    loss.backward()
    for p in net.parameters():
        p.data -= 0.02 * p.grad
    print(step, loss, net.parts[1].neurons[1].gain)
print(*net.parameters(), sep="\n")
net.zero_grad()
print({p.grad for p in net.parameters()}, net.parts[1]([1, 2]), random.random())
