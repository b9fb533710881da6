"""Everything that can be done to a network and its graph, in any of the ways of spelled.py.

A Scene is a network that was called once, in one way; its methods are actions. What they return is what somebody saw,
and must be the same in every way. A node is named by a path: the number of a root, then the numbers of operands in the
order in which they were recorded.
"""

import copy
import gc
import pickle
import threading
import weakref

from networks import custom
from spelled import as_list

from micrograd_c import nn, no_grad, optim, tape, viz
from micrograd_c._core.value import copying
from micrograd_c.engine import Value

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
        if self.references:
            gc.collect()        # functions of users make cycles
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
        nodes, edges = viz.nodes_and_edges(node)
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
