"""The model's networks and optimizers, op by op as micrograd and PyTorch spell them."""

import math
import random

from model import Value

from micrograd_c import nn


def parts(module):
    """(name, list of weights or bias) in order."""
    if isinstance(module, Neuron):
        return [("w", module.w), ("b", module.b)]
    inside = [("neurons", module.neurons)] if isinstance(module, Layer) else [("layers", module.layers)]
    return [(f"{name}.{k}.{rest}", tree) for name, list_of in inside for k, part in enumerate(list_of)
            for rest, tree in parts(part)]


def floats(tree):
    return [float(p.data) for p in tree] if isinstance(tree, list) else float(tree.data)


class Module:
    def zero_grad(self, set_to_none=False):
        for p in self.parameters():
            p.grad = None if set_to_none else 0

    def parameters(self):
        return []

    def num_parameters(self):
        return len({id(p) for p in self.parameters()})

    def named_parameters(self):
        named = {}
        for name, tree in parts(self):
            listed = [(f"{name}.{k}", p) for k, p in enumerate(tree)] if isinstance(tree, list) else [(name, tree)]
            for path, p in listed:
                named.setdefault(id(p), (path, p))
        return list(named.values())

    def state_dict(self):
        return {name: floats(tree) for name, tree in parts(self)}

    def load_state_dict(self, state):
        trees = dict(parts(self))
        if trees.keys() != state.keys():
            raise ValueError
        for name, tree in trees.items():
            if isinstance(tree, list) and len(tree) != len(state[name]):
                raise ValueError
        for name, tree in trees.items():
            for p, data in zip(tree, state[name]) if isinstance(tree, list) else [(tree, state[name])]:
                p.data = data


class Neuron(Module):
    def __init__(self, nin, nonlin=True, activation="relu"):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0)
        self.nonlin, self._activation = nonlin, "relu"
        self.activation = activation

    @property
    def activation(self):
        return self._activation

    @activation.setter
    def activation(self, activation):
        if "linear" in (activation, self._activation):
            self.nonlin = activation != "linear"
        self._activation = activation

    def __call__(self, x):
        x = list(x)
        if len(x) != len(self.w):
            raise ValueError
        total = sum((w * one for w, one in zip(self.w, x)), self.b)
        if not self.nonlin:
            return total
        return self.activation(total) if callable(self.activation) else getattr(total, self.activation)()

    def parameters(self):
        return [*self.w, self.b]

    def __repr__(self):
        name = getattr(self.activation, "__name__", None) or nn.ACTIVATIONS[self.activation]
        return f"{name if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    def __init__(self, nin, nout, **kwargs):
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x):
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def __repr__(self):
        return f"Layer of [{', '.join(str(neuron) for neuron in self.neurons)}]"


class MLP(Module):
    def __init__(self, nin, nouts, activation="relu"):
        sizes = [nin, *nouts]
        if not isinstance(activation, list):
            activation = [activation] * (len(nouts) - 1) + ["linear"]
        self.layers = [Layer(sizes[i], sizes[i + 1], activation=activation[i]) for i in range(len(nouts))]

    def __call__(self, x):
        for i, layer in enumerate(self.layers):
            x = layer([x] if i and isinstance(x, Value) else x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self):
        return f"MLP of [{', '.join(str(layer) for layer in self.layers)}]"


class Optimizer:
    def __init__(self, params, **options):
        params = [p[1] if isinstance(p, tuple) else p for p in params]
        self.params = list({id(p): p for p in params}.values())
        self.param_groups = [{"params": self.params}]
        self.options, self.states = options, [{} for _ in self.params]

    def zero_grad(self, set_to_none=False):
        for p in self.params:
            p.grad = None if set_to_none else 0

    def step(self, closure=None):
        outcome = None if closure is None else closure()
        for p, state in zip(self.params, self.states):
            if p.grad is None:
                continue
            state["steps"] = state.get("steps", 0) + 1
            grad = -float(p.grad) if self.options.get("maximize") else float(p.grad)
            p.data = self.updated(float(p.data), grad, state, **self.options)
        return outcome


class SGD(Optimizer):
    def updated(self, x, g, state, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, maximize=False):
        if weight_decay:
            g += weight_decay * x
        if momentum:
            b = state["b"] = momentum * state["b"] + (1.0 - dampening) * g if "b" in state else g
            g = g + momentum * b if nesterov else b
        return x - lr * g


class Adam(Optimizer):
    decoupled, decay = False, 0

    def updated(self, x, g, state, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=None, amsgrad=False,
                maximize=False):
        weight_decay = self.decay if weight_decay is None else weight_decay
        if self.decoupled:
            x *= 1.0 - lr * weight_decay
        elif weight_decay:
            g += weight_decay * x
        m, v = state.get("m", 0.0), state.get("v", 0.0)
        part = 1.0 - betas[0]
        m = m + part * (g - m) if part < 0.5 else g - (g - m) * betas[0]
        v = v * betas[1] + (1.0 - betas[1]) * g * g
        state["m"], state["v"] = m, v
        size = v
        if amsgrad:
            size = state["most"] = max(state.get("most", 0.0), v)
        steps = state["steps"]
        step_size = lr / (1.0 - betas[0] ** steps)
        return x - step_size * m / (math.sqrt(size) / (1.0 - betas[1] ** steps) ** 0.5 + eps)


class AdamW(Adam):
    decoupled, decay = True, 1e-2
