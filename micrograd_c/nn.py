"""Module, Neuron, Layer, MLP, as in micrograd.nn. What is recorded in one go, and how, is vector's business."""

import random

from micrograd_c.engine import Value
from micrograd_c.vector import layer, network, neuron, recognise

__all__ = ["Layer", "MLP", "Module", "Neuron"]


class Module:
    """What has parameters. Subclasses say which."""

    def zero_grad(self):
        """Set the gradient of every parameter to 0."""
        for p in self.parameters():
            p.grad = 0

    def parameters(self):
        """A fresh list of all parameters."""
        return []


class Neuron(Module):
    """relu(b + w[0] * x[0] + w[1] * x[1] + ...), or without relu if not nonlin.

    Weights are drawn by random.uniform(-1, 1), in order; the bias is 0. They may be replaced and shared.

    >>> Neuron(3), Neuron(3, nonlin=False)
    (ReLUNeuron(3), LinearNeuron(3))
    """

    # slots, so that a layer reads them without a lookup; other attributes go to __dict__ as ever
    __slots__ = ("b", "nonlin", "w")

    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x):
        """The output for inputs x, nin numbers or Values. Raises ValueError for another number of them."""
        return neuron(self, x)

    def parameters(self):
        """The weights, then the bias."""
        return [*self.w, self.b]

    def __repr__(self):
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """nout neurons that see the same nin inputs.

    >>> Layer(2, 3)([1.0, -2])[0].backward()
    >>> Layer(2, 2)
    Layer of [ReLUNeuron(2), ReLUNeuron(2)]
    """

    def __init__(self, nin, nout, **kwargs):
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x):
        """The outputs as a list; a single one as it is. Raises ValueError for another number of inputs than nin."""
        out = layer(self.neurons, x)
        return out[0] if len(out) == 1 else out

    def parameters(self):
        """The neurons' parameters in order."""
        parameters = []
        for n in self.neurons:
            parameters += n.parameters()
        return parameters

    def __repr__(self):
        return f"Layer of [{', '.join(str(n) for n in self.neurons)}]"


class MLP(Module):
    """Layers of sizes nouts one after the other, all with relu but the last.

    >>> model = MLP(3, [4, 4, 1])
    >>> len(model.parameters())
    41
    >>> type(model([2.0, 3.0, -1.0])).__name__
    'Value'
    """

    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != len(nouts) - 1) for i in range(len(nouts))
        ]

    def __call__(self, x):
        """The last layer's outputs for inputs x: a list, or one Value if it has one neuron."""
        return network(self.layers, x)

    def parameters(self):
        """The layers' parameters in order."""
        parameters = []
        for one in self.layers:
            parameters += one.parameters()
        return parameters

    def __repr__(self):
        return f"MLP of [{', '.join(str(one) for one in self.layers)}]"


recognise(Neuron, Layer)
