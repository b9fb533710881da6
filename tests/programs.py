"""Random expression programs, and what runs one on any Value class and writes down what it sees.

A program is a list of instructions (name, *arguments), each a method of Run. Variables are named by how recently they
were made, so every program makes sense. An observation is (instruction, facts, gradients): facts hold forward values to
the last bit and are to be equal; gradients come in groups of nodes that cannot be told apart.
"""

import math
import operator

from hypothesis import strategies as st

ARITHMETIC = (ZeroDivisionError, OverflowError, ValueError)
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
IN_PLACE = {"+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv}

variables = st.integers(0, 9)
numbers = st.one_of(
    st.sampled_from([0, 1, -1, 2, 3, -7, 0.0, -0.0, 0.5, 1.0, -1.5, 2.5, 1e-3]),
    st.sampled_from([0, 1, -1, 2, 3, -7, 0.0, -0.0, 0.5, 1.0, -1e100, 1e300, math.inf]),
    st.integers(-20, 20),
    st.floats(-8, 8),
)
exponents = st.sampled_from([2, 3, -1, 0, 1, 4, -2, 0.5, -0.5, 1.5, 2.0, -1.0, 0.0, 3.0])
operators = st.sampled_from("+-*/")
terms = st.lists(st.tuples(variables, st.sampled_from([1, -2, 0.5, 3, -1.25])), min_size=1, max_size=5)
stresses = st.sampled_from(["fill the tape", "collect the tape", "collect garbage"])
ARGUMENTS = {   # how often, and what
    "leaf": (5, st.tuples(numbers)),
    "binary": (18, st.tuples(operators, variables, variables)),
    "with_number": (10, st.tuples(operators, variables, numbers)),
    "with_number_left": (6, st.tuples(operators, variables, numbers)),
    "multiply_add": (6, st.tuples(variables, variables, variables)),
    "power": (6, st.tuples(variables, exponents)),
    "negative": (3, st.tuples(variables)),
    "relu": (6, st.tuples(variables)),
    "in_place": (5, st.tuples(operators, variables, variables)),
    "custom": (4, st.tuples(terms, st.booleans())),
    "override": (3, st.tuples(variables, st.booleans())),
    "label": (4, st.tuples(variables, st.sampled_from("xy"), st.booleans())),
    "drop": (8, st.tuples(variables)),
    "backward": (6, st.tuples(variables)),
    "step": (2, st.tuples(variables)),
    "set_data": (4, st.tuples(variables, numbers)),
    "set_grad": (4, st.tuples(variables, st.sampled_from([0, 0.0, 2, -0.5]))),
    "look": (3, st.tuples(variables)),
    "inspect": (2, st.just(())),
    "stress": (5, st.tuples(stresses)),
}
names = st.sampled_from([name for name, (weight, _) in ARGUMENTS.items() for _ in range(weight)])
instructions = names.flatmap(lambda name: ARGUMENTS[name][1].map(lambda arguments: (name, *arguments)))
leaves = st.lists(st.tuples(st.just("leaf"), numbers), min_size=1, max_size=4)
ENDING = [("inspect",), ("backward", 0), ("inspect",), ("backward", 1), ("backward", 2), ("inspect",)]
programs = st.tuples(leaves, st.lists(instructions, min_size=12, max_size=40)).map(lambda parts: [*parts[0], *parts[1]])


class TooLarge(Exception):
    """An int past 2**53: micrograd's stay ints, ours become floats."""


class Run:
    """Runs programs on one Value class. The methods up to `stress` are there to be overridden."""

    def __init__(self, Value):
        self.Value = Value
        self.live = []
        self.seen = []

    def check_data(self, data):
        """Called with the data of every new variable."""

    def before_steps(self, root):
        """Called before backward() and _backward()."""

    def after_steps(self, root):
        """Called after backward() and _backward(), unless they raised."""

    def stress(self, kind):
        return None, []

    def execute(self, program):
        for instruction in program:
            try:
                facts, gradients = getattr(self, instruction[0])(*instruction[1:])
            except ARITHMETIC as error:
                facts, gradients = type(error).__name__, []
            self.seen.append((instruction, facts, gradients))
        return self.seen

    def place(self, k):
        return len(self.live) - 1 - k % len(self.live)

    def pick(self, k):
        return self.live[self.place(k)]

    def keep(self, made):
        self.check_data(made.data)
        self.live.append(made)
        return (number(made.data), made._op, repr(made)), []

    def leaf(self, data):
        return self.keep(self.Value(data))

    def binary(self, name, i, j):
        return self.keep(OPERATORS[name](self.pick(i), self.pick(j)))

    def multiply_add(self, i, j, k):
        return self.keep(self.pick(i) + self.pick(j) * self.pick(k))

    def with_number(self, name, i, other):
        return self.keep(OPERATORS[name](self.pick(i), other))

    def with_number_left(self, name, i, other):
        return self.keep(OPERATORS[name](other, self.pick(i)))

    def power(self, i, exponent):
        return self.keep(self.pick(i) ** exponent)

    def negative(self, i):
        return self.keep(-self.pick(i))

    def relu(self, i):
        return self.keep(self.pick(i).relu())

    def in_place(self, name, i, j):
        place = self.place(i)
        seen = self.keep(IN_PLACE[name](self.live[place], self.pick(j)))
        self.live[place] = self.live.pop()
        return seen

    def custom(self, terms, with_rule):
        """An op of the user's own, a weighted sum of its children; or a node without a rule."""
        children = [(self.pick(i), factor) for i, factor in terms]
        out = self.Value(sum(factor * child.data for child, factor in children), tuple(c for c, _ in children), "mix")

        def _backward():
            for child, factor in children:
                child.grad += factor * out.grad

        if with_rule:
            out._backward = _backward
        return self.keep(out)

    def override(self, i, let_go):
        node = self.pick(i)

        def _backward():
            for child in node._prev:
                child.grad += 2 * node.grad

        node._backward = _backward
        return self.drop(i) if let_go else (None, [])

    def label(self, i, text, let_go):
        self.pick(i).label = text
        return self.drop(i) if let_go else (None, [])

    def drop(self, i):
        if len(self.live) > 1:
            del self.live[self.place(i)]
        return len(self.live), []

    def backward(self, i):
        return self.run_steps(self.pick(i), "backward")

    def step(self, i):
        return self.run_steps(self.pick(i), "_backward")

    def run_steps(self, root, method):
        self.before_steps(root)
        try:
            getattr(root, method)()
            self.after_steps(root)
        except ARITHMETIC as error:
            # how far it came depends on the order of a set, and so does which culprit it met, if there are several
            raised = self.failures(nodes_below([root]) if method == "backward" else [root])
            return sorted(raised | {type(error).__name__}), []
        return None, [[variable.grad] for variable in self.live]

    def failures(self, nodes):
        """What the nodes' own steps raise, done one by one. Leaves all gradients 0."""
        raised = set()
        for node in nodes:
            self.clear_gradients()
            try:
                node._backward()
                self.after_steps(node)
            except ARITHMETIC as error:
                raised.add(type(error).__name__)
        self.clear_gradients()
        return raised

    def clear_gradients(self):
        for node in nodes_below(self.live):
            node.grad = 0

    def set_data(self, i, data):
        self.pick(i).data = data
        return repr(self.pick(i).data), []

    def set_grad(self, i, grad):
        self.pick(i).grad = grad
        return repr(self.pick(i).grad), []

    def look(self, i):
        node = self.pick(i)
        children = sorted((child._op, number(child.data)) for child in node._prev)
        written = f"Value(data={node.data}, grad={node.grad})"
        return (node._op, children, not node._prev or node._prev is node._prev, repr(node) == written), []

    def inspect(self):
        """The whole graph, however its sets are ordered: of each node a hash of all that is below it and around it."""
        nodes = nodes_below(self.live)
        facts = {
            node: (node._op, number(node.data), getattr(node, "label", ""), [v is node for v in self.live])
            for node in nodes
        }
        below, above, around, groups = {}, {node: [] for node in nodes}, {}, {}
        for node in nodes:
            below[node] = hash((repr(facts[node]), *sorted(below[child] for child in node._prev)))
        for node in reversed(nodes):
            around[node] = hash((below[node], *sorted(above[node])))
            for child in node._prev:
                above[child].append(around[node])
        for node in nodes:
            groups.setdefault((repr(facts[node]), around[node]), []).append(node.grad)
        return [(key, len(groups[key])) for key in sorted(groups)], [groups[key] for key in sorted(groups)]


def number(x):
    """A number's type and bits."""
    return type(x).__name__, x.hex() if isinstance(x, float) else str(x)


def nodes_below(roots):
    """The roots and all they were computed from, operands first."""
    found = {}

    def visit(node):
        if node not in found:
            found[node] = False
            for child in node._prev:
                visit(child)
            del found[node]     # its place is after its operands
            found[node] = True

    for root in roots:
        visit(root)
    return list(found)
