"""One network in three ways of writing it, and everything that can be done to its graph.

COMPILED are the layers of nn. SPELLED is the same arithmetic, op by op with Values: what nn must not be told from.
ORIGINAL is micrograd. A Scene is a network that was called once, in one way; its methods up to `thread` are actions.
What they return is what somebody saw, and must be the same in every way. A node is named by a path: the number of a
root, then the numbers of operands in the order in which they were recorded.

Knows nothing of how nn records.
"""

import contextlib
import copy
import gc
import itertools
import math
import pickle
import random
import threading
import weakref

import micrograd.engine
import micrograd.nn
import pytest

from micrograd_c import copying, nn, no_grad, optim, tape, viz
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


# --- networks: functions of a way that return what is called, its parameters and its inputs ---

def mlp(activation="relu", kind="values", nouts=(2, 3, 2), whole=False):
    def build(way):
        options = {} if activation == "relu" else {"activation": activation}
        model = way.MLP(2, list(nouts), **options)
        for p in model.parameters() if whole else []:
            p.data = round(3 * p.data)
        first = {"values": [way.Value(0.75), way.Value(-1.5)], "numbers": [0.75, -1.5], "ints": [3, -2],
                 "mixed": [way.Value(2), -1.5], "computed": [way.Value(0.5) * 3 + 1, way.Value(2.0).relu()],
                 "dead": [way.Value(math.inf), way.Value(-0.0)], "huge": [way.Value(1e308), way.Value(-3e307)]}[kind]
        return model, model.parameters(), first
    return build


def layer(**options):
    def build(way):
        model = way.Layer(3, 3, **options)
        return model, model.parameters(), [way.Value(1), 2.5, way.Value(-0.25)]
    return build


def shared(way):
    """A weight twice in a neuron, in the next neuron and layer; an input twice, as a weight, as a bias."""
    v, w, x = way.Value(0.5), way.Value(-2), way.Value(1.5)
    hidden = [way.neuron([v, v, x], x), way.neuron([w, x, v], way.Value(0)), way.neuron([x, w, v], v, nonlin=False)]
    top = [way.neuron([v, w, w], hidden[1].b), way.neuron([v, x, v], v, nonlin=False)]
    return (lambda inputs: [n(h) for h in [[n(inputs) for n in hidden]] for n in top]), [v, w, hidden[1].b], [x, x, v]


def single(**options):
    def build(way):
        neuron = way.neuron([way.Value(2), way.Value(-3)], way.Value(0), **options)
        return neuron, neuron.parameters(), [way.Value(4), way.Value(1)]
    return build


def with_custom_between(way):
    """A custom op, and a label, between two layers."""
    below, above = way.Layer(2, 3), way.Layer(3, 2, nonlin=False)

    def model(x):
        hidden = below(x)
        hidden[0].label = "hidden"
        hidden[2] = custom(way, hidden[1:])
        return above(hidden)

    return model, below.parameters() + above.parameters(), [way.Value(1.25), 2]


def custom(way, children):
    out = way.Value(sum(3 * child.data for child in children), tuple(children), "mix")

    def _backward():
        for child in children:
            child.grad += 3 * out.grad

    out._backward = _backward
    return out


NETWORKS = {    # these also micrograd has
    "mlp": mlp(), "mlp of numbers": mlp(kind="numbers"), "mlp of mixed inputs": mlp(kind="mixed", nouts=(2, 2)),
    "mlp of ints": mlp(kind="ints", whole=True), "mlp of computed inputs": mlp(kind="computed", nouts=(4, 1)),
    "infinite inputs": mlp(kind="dead", nouts=(4, 2)), "huge inputs": mlp(kind="huge"), "layer": layer(),
    "linear layer": layer(nonlin=False), "shared": shared, "neuron": single(), "linear neuron": single(nonlin=False),
    "custom op between": with_custom_between, "one layer": mlp(nouts=(1,)),
}
OURS = {
    "mlp of tanh": mlp(activation="tanh"), "mlp of sigmoid": mlp(activation="sigmoid", kind="numbers"),
    "callable": mlp(activation=lambda v: v.relu() * 2), "layers of one neuron": mlp(nouts=(1, 1, 1)),
    "tanh neuron": single(activation="tanh"), "sigmoid layer": layer(activation="sigmoid"),
}
HOOKS = {
    "double": lambda node, native, seen: [setattr(v, "grad", v.grad + 2 * node.grad) for v in node._prev],
    "wrap": lambda node, native, seen: (seen.append(node.grad), native()),
    "record": lambda node, native, seen: (seen.append(sum([node] * 50, node * 2).data), native()),
    "garbage": lambda node, native, seen: (tape.collect(), gc.collect(0), native()),
    "walk": lambda node, native, seen: (seen.append(len(node._prev)), native()),
}
ERRORS = (ArithmeticError, TypeError, ValueError, RuntimeError)


class Scene:
    """A network called once. Roots are what the program holds: outputs, and what it made or took from the graph."""

    def __init__(self, way, build):
        self.way = way
        self.model, self.parameters, self.inputs = build(way)
        self.roots, self.references, self.heard = [], [], []
        self.forward()

    def act(self, name, *arguments):
        try:
            return getattr(self, name)(*arguments)
        except ERRORS as error:
            return type(error).__name__, str(error)

    def pick(self, path):
        node = self.roots[path[0] % len(self.roots)]
        for k in path[1:]:
            operands = self.way.operands(node)
            if not operands:
                break
            node = operands[k % len(operands)]
        return node

    def see(self):
        """Everything there is to see."""
        numbers = [(v.data, v.grad) for v in [*self.parameters, *self.roots]]
        alive = [reference() is not None for reference in self.references]
        return numbers, alive, self.heard, self.way.graph(*self.roots)

    # --- actions ---

    def call(self):
        self.roots += as_list(self.model(self.inputs))

    def forward(self):
        before = len(self.roots)
        self.call()
        self.roots.append(sum((out * out for out in self.roots[before:]), 0))

    def look(self, path):
        node = self.pick(path)
        same = node._prev is node._prev and {id(v) for v in node._prev} == {id(v) for v in self.way.operands(node)}
        return node._op, node.data, node.grad, len(node._prev), same or not node._prev, {node: 1}[self.pick(path)]

    def walk(self, path):
        return self.way.graph(self.pick(path))

    def keep(self, path):
        self.roots.append(self.pick(path))

    def drop(self, k):
        if len(self.roots) > 1:
            del self.roots[k % len(self.roots)]

    def drop_all_but(self, k):
        self.roots = [self.roots[k % len(self.roots)]]

    def backward(self, path):
        self.pick(path).backward()

    def step(self, path):
        self.pick(path)._backward()

    def sweep_by_hand(self, path, count):
        """The last `count` nodes of backward(), one by one."""
        root = self.pick(path)
        root.grad = 1
        for node in self.way.order(root)[:-count - 1:-1]:
            node._backward()

    def set_data(self, path, number):
        self.pick(path).data = number

    def set_parameter(self, k, number):
        self.parameters[k % len(self.parameters)].data = number

    def set_grad(self, path, number):
        self.pick(path).grad = number

    def zero_grad(self):
        for p in self.parameters:
            p.grad = 0

    def update(self):
        for p in self.parameters:
            p.data -= 0.25 * p.grad

    def label(self, path, text):
        self.pick(path).label = text

    def hook(self, path, kind):
        node = self.pick(path)
        node._backward = lambda native=node._backward: HOOKS[kind](node, native, self.heard)

    def combine(self, path, other):
        self.roots.append(self.pick(path) * self.pick(other) + 0.5)

    def custom(self, path, other):
        self.roots.append(custom(self.way, [self.pick(path), self.pick(other)]))

    def feed(self, path, other):
        """A neuron that gets nodes of the graph as input, weight and bias."""
        node = self.pick(path)
        unit = self.way.neuron([self.parameters[0], node], self.pick(other))
        self.roots.append(unit([node, 2.0]))

    def stress(self, kind):
        if kind == "fill the tape":
            sum([1.0] * 18_000, Value(0.5))
        elif kind == "collect the tape":
            tape.collect()
        else:
            gc.collect(1)

    def divide(self, path, number):
        """A power whose slope raises, where `number` is 0.0, above the node and beside it."""
        divisor = self.way.Value(1.0)
        self.roots.append(divisor**-2 + self.pick(path) * divisor**-1)
        divisor.data = number

    # --- actions that micrograd does not have, or has otherwise ---

    def copy(self, path):
        self.roots.append(copy.copy(self.pick(path)))

    def deepcopy(self, path):
        self.roots.append(copy.deepcopy(self.pick(path)))

    def pickle(self, path):
        return repr(pickle.loads(pickle.dumps(self.pick(path))))

    def picture(self, path):
        node = self.pick(path)
        counts = copying.count_ops(node)
        nodes, edges = viz.trace(node)
        return counts, viz.to_dot(node, limit=None), viz.to_dot(node, limit=5), len(nodes), len(edges)

    def reference(self, path):
        self.references.append(weakref.ref(self.pick(path)))

    def name(self, path, text):
        self.pick(path)._op = text

    def replace_operands(self, path, other):
        self.pick(path)._prev = (self.pick(other), self.parameters[0])

    def optimize(self, kind):
        getattr(optim, kind)(self.parameters, lr=0.125).step()

    def load(self, number):
        module = nn.Module()
        module.parameters = lambda: self.parameters
        module.all = self.parameters
        module.load_state_dict({"all": [number] * len(self.parameters)})

    def forward_without_graph(self):
        with no_grad():
            self.forward()

    def backward_without_graph(self, path):
        with no_grad():
            self.backward(path)

    def walk_without_graph(self, path):
        with no_grad():
            return self.walk(path)

    def thread(self, path):
        thread = threading.Thread(target=lambda: self.act("backward", path) or self.forward())
        thread.start()
        thread.join()
