"""One network in three ways of writing it, and programs that must see the same in each.

COMPILED are the layers of nn. SPELLED is the same arithmetic, op by op with Values: what nn must not be told from.
ORIGINAL is micrograd. Knows nothing of how nn records.
"""

import contextlib
import itertools
import random

import micrograd.engine
import micrograd.nn
import pytest

from micrograd_c import nn
from micrograd_c._core.value import copying
from micrograd_c.engine import Value


class Neuron(nn.Neuron):
    def __call__(self, x):
        total = self.b
        for w, one in zip(self.w, x):
            total = total + w * one
        if not self.nonlin:
            return total
        return self.activation(total) if callable(self.activation) else getattr(total, self.activation)()


class Layer(nn.Layer):
    def __init__(self, nin, nout, **kwargs):
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x):
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs


class MLP(nn.MLP):
    def __init__(self, nin, nouts, **kwargs):
        sizes = [nin, *nouts]
        self.layers = [
            Layer(sizes[i], sizes[i + 1], nonlin=i != len(nouts) - 1, **kwargs) for i in range(len(nouts))
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(as_list(x))
        return x


class Way:
    def __init__(self, Value, Neuron, Layer, MLP, operands):
        self.Value, self.Neuron, self.Layer, self.MLP, self.operands = Value, Neuron, Layer, MLP, operands

    def neuron(self, weights, bias, **options):
        neuron = self.Neuron(len(weights), **options)
        neuron.w, neuron.b = weights, bias
        return neuron

    def graph(self, *roots):
        """Every node below as (op, data, grad, label, numbers of its operands)."""
        numbers, todo = {}, list(reversed(roots))
        while todo:
            node = todo.pop()
            if node not in numbers:
                numbers[node] = len(numbers)
                todo.extend(reversed(self.operands(node)))
        return [
            (node._op, node.data, node.grad, getattr(node, "label", ""), [numbers[v] for v in self.operands(node)])
            for node in numbers
        ]

    def order(self, root):
        """micrograd's topological sort, as people write it, over the operands in order."""
        order, visited = [], set()

        def build(node):
            if node not in visited:
                visited.add(node)
                for operand in self.operands(node):
                    build(operand)
                order.append(node)

        build(root)
        build = None    # refers to itself, and would keep all nodes until Python's collector comes by
        return order


COMPILED = Way(Value, nn.Neuron, nn.Layer, nn.MLP, lambda node: copying.in_order(node._prev))
SPELLED = Way(Value, Neuron, Layer, MLP, COMPILED.operands)
ORIGINAL = Way(
    micrograd.engine.Value, micrograd.nn.Neuron, micrograd.nn.Layer, micrograd.nn.MLP,
    lambda node: sorted(node._prev, key=lambda operand: operand.born),
)


def as_list(x):
    return x if isinstance(x, list) else [x]


def agree(program):
    """That the generator function `program` yields the same, to the bit, whether layers are compiled or spelled."""
    compare(run(program, COMPILED), run(program, SPELLED))


def agree_with_original(program):
    """That it yields what micrograd does, to the bit, where that takes its nodes in a certain order."""
    with by_birth():
        there = run(program, ORIGINAL)
    compare(run(program, COMPILED), there)


def run(program, way):
    random.seed(1337)
    return list(program(way))


def compare(here, there):
    assert len(here) == len(there) > 0
    for one, other in zip(here, there):
        assert repr(one) == repr(other)     # tells ints from floats, 0.0 from -0.0, and finds nan equal


@contextlib.contextmanager
def by_birth():
    """micrograd's Values numbered, and swept from the youngest down.

    That is a topological order as good as any; its own depends on addresses, and so does the last bit of its sums.
    """
    born, initialise = itertools.count(), micrograd.engine.Value.__init__

    def __init__(self, *arguments):
        initialise(self, *arguments)
        self.born = next(born)

    def backward(self):
        below, todo = {self}, [self]
        while todo:
            new = todo.pop()._prev - below
            below |= new
            todo.extend(new)
        self.grad = 1
        for node in sorted(below, key=lambda node: -node.born):
            node._backward()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(micrograd.engine.Value, "__init__", __init__)
        patch.setattr(micrograd.engine.Value, "backward", backward)
        yield
