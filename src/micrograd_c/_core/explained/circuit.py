"""A graph as an explanation needs it: gates in order, local derivatives, what flows back. Plain data, no Values.

Everything is read; nothing of the graph changes. The numbers are the engine's: `data`, and `_local_grads` times the
gradient from above, added in the order of a sweep. Functions that users gave to nodes are not called.
"""

from __future__ import annotations

import functools
import operator

from micrograd_c._core.explained.formulas import evaluate
from micrograd_c._core.explained.rule_texts import CHOICES, RULES, Rule, rule_of
from micrograd_c._core.value.copying import count_ops, in_order
from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Circuit", "Node", "Share", "read_circuit"]

GIVEN = "GIVEN BY ITS AUTHOR"       # an op whose local derivatives are known as numbers only
SLOPES = {0.0: "0", 1.0: "1", 2.0: "n * x"}        # of these powers n * x**m is not how people write it
AGREE = 1e-6        # how near a text's number must be to the engine's: what differs more is another op of that name


class Node:
    """A leaf, a constant, a gate; or, of a graph too large, one whose own operands are left out."""

    def __init__(self, place: int, data: float) -> None:
        self.place = place
        self.data = data
        self.name = ""
        self.kind = "leaf"              # "leaf", "constant", "gate" or "left out"
        self.is_leaf = True
        self.op = ""                    # as the graph shows it
        self.rule = ""                  # the name of its text, or GIVEN
        self.number: float | None = None        # of a power by a number
        self.operands: list[int] = []
        self.locals: list[float] = []
        self.several: list[bool] = []   # per operand, whether it has other ways to this gate, too
        self.shares: list[Share] = []   # what arrives from the gates above, in the order of a sweep
        self.passed: list[Share] = []   # per operand, what goes to it from here
        self.grad = 0.0
        self.is_old = False             # whether an operand has changed since it was computed

    def formulas(self) -> Rule:
        """The texts of its op."""
        if self.rule == GIVEN:
            return Rule("", *("" for _ in self.operands))
        if self.rule == "POWER" and self.number in SLOPES:
            return Rule("x**n", SLOPES[self.number])
        return RULES[self.rule]

    def numbers(self) -> dict[str, float]:
        return {"n": self.number, "m": self.number - 1} if self.number is not None else {}


class Share:
    """What one gate adds to the gradient of one of its operands."""

    __slots__ = ("gate", "number", "slot")

    def __init__(self, gate: int, slot: int, number: float) -> None:
        self.gate = gate
        self.slot = slot
        self.number = number


class Circuit:
    """Nodes in the order in which they were recorded, the root last."""

    def __init__(self, nodes: list[Node], taken: int, counts: Mapping[object, int]) -> None:
        self.nodes = nodes
        self.taken = taken              # how many of them are explained
        self.counts = counts            # if these are not all: how many Values of which ops the graph has

    @property
    def root(self) -> Node:
        return self.nodes[-1]

    def gates(self) -> list[Node]:
        return [node for node in self.nodes if node.kind == "gate"]

    def is_cut(self) -> bool:
        return self.taken < len(self.nodes)


# --- which Values ---

def last_recorded(root: Value, limit: int | None) -> tuple[list[Value], set[int]]:
    """Root and what it was computed from, in order; and by id() those whose operands are left out.

    Taken are the `limit` Values that a sweep reaches first: all that flows to them comes from among these.
    """
    taken: list[Value] = []
    known = {id(root)}
    waiting = [root]
    while waiting and (limit is None or len(taken) < limit):
        value = waiting.pop()
        taken.append(value)
        fresh = {id(operand): operand for operand in value._children if id(operand) not in known}
        known.update(fresh)
        waiting += fresh.values()
        if fresh and limit is not None:
            waiting = in_order(waiting)
    return in_order([*waiting, *taken]), {id(value) for value in waiting}


def read_circuit(root: Value, limit: int | None) -> tuple[Circuit, list[Value]]:
    """The graph below root, and its Values in the same order. Names come later."""
    values, left_out = last_recorded(root, limit)
    places = {id(value): place for place, value in enumerate(values)}
    nodes: list[Node] = []
    for place, value in enumerate(values):
        node = Node(place, value.data)
        node.is_leaf = not value._children
        if id(value) in left_out:
            node.kind = "left out"
        elif not node.is_leaf:
            read_gate(node, value, places, nodes)
        nodes.append(node)
    mark_several(nodes)
    send_back(nodes)
    return Circuit(nodes, len(nodes) - len(left_out), count_ops(root) if left_out else {}), values


def read_gate(node: Node, value: Value, places: Mapping[int, int], nodes: list[Node]) -> None:
    node.kind = "gate"
    node.op = str(value._op)
    node.operands = [places[id(operand)] for operand in value._children]
    try:
        node.locals = [float(local) for local in value._local_grads]
    except AttributeError as error:
        advice = "make it as Value(data, children, local_grads)"
        if node.op == "vmap":
            advice = "explain one row, without vmap"
        raise ValueError(f"cannot explain the node {node.op!r}: {error}; {advice}") from None
    if len(node.locals) != len(node.operands):
        raise ValueError(f"cannot explain the node {node.op!r}: its operands were replaced, and its rule was not")
    data = [nodes[place].data for place in node.operands]
    found = rule_of(node.op)
    node.rule = GIVEN
    if found is not None:
        node.rule, node.number = found
        if not says_the_same(node, data):
            node.rule, node.number = GIVEN, None
        else:
            node.is_old = is_old(node, data)


def says_the_same(node: Node, data: list[float]) -> bool:
    """Whether the texts of the op give the engine's local derivatives. What has none, as 1 / 0, says nothing else."""
    slopes = node.formulas().slopes
    if len(slopes) != len(node.operands):
        return False
    numbers = {**dict(zip("xy", data)), "z": node.data, **node.numbers()}
    for slope, local in zip(slopes, node.locals):
        try:
            number = evaluate(slope, numbers)
        except (ArithmeticError, ValueError):
            continue
        if abs(number - local) > AGREE * max(1.0, abs(local)):
            return False
    return True


def is_old(node: Node, data: list[float]) -> bool:
    """Whether a sum, product or power is not that of its operands' data as it is now."""
    if node.rule not in ("ADD", "MUL", "POWER"):
        return False
    try:
        now = evaluate(node.formulas().value, {**dict(zip("xy", data)), **node.numbers()})
    except (ArithmeticError, ValueError):
        return False
    return abs(now - node.data) > AGREE * max(1.0, abs(now))


# --- what flows back ---

def mark_several(nodes: list[Node]) -> None:
    """Where an operand reaches its gate by other operands too, d would be the derivative along all ways."""
    last_use = {place: node.place for node in nodes for place in node.operands}
    below: dict[int, int] = {}      # of each gate, those it was computed from and itself, as bits, until its last use
    for node in nodes:
        masks = [below.get(place, 1 << place) for place in node.operands]
        for slot, place in enumerate(node.operands):
            node.several.append(any(mask >> place & 1 for k, mask in enumerate(masks) if k != slot))
        if node.operands:
            below[node.place] = functools.reduce(operator.or_, masks, 1 << node.place)
        for place in set(node.operands):
            if last_use[place] == node.place:
                below.pop(place, None)


def send_back(nodes: list[Node]) -> None:
    """Every gradient, as a sweep adds it up from the root down."""
    nodes[-1].grad = 1.0
    for node in reversed(nodes):
        for slot, (place, local) in enumerate(zip(node.operands, node.locals)):
            stopped = local == 0 and node.rule in CHOICES
            share = 0.0 if stopped else local * node.grad
            nodes[place].grad += share
            node.passed.append(Share(node.place, slot, share))
            nodes[place].shares.append(node.passed[slot])
