"""A Value in pure Python, as lean as short GPTs in pure Python write it: what micrograd_c is compared with.

It has micrograd's form: the same operators make the same nodes, and `a - b`, `a / b` and `-a` are composed as they are
there. Instead of a closure a node keeps two tuples, its operands and its slopes with respect to them; backward() sorts
without recursion. Knows nothing of micrograd_c.
"""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Value:
    """A number that remembers how it was computed."""

    __slots__ = ("data", "grad", "operands", "slopes")

    def __init__(self, data: float, operands: tuple[Value, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad: float = 0
        self.operands = operands
        self.slopes = slopes

    def __add__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: Value | float) -> Value:
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, power: float) -> Value:
        return Value(self.data**power, (self,), (power * self.data ** (power - 1),))

    def exp(self) -> Value:
        """e ** x."""
        data = math.exp(self.data)
        return Value(data, (self,), (data,))

    def log(self) -> Value:
        """The natural logarithm."""
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def relu(self) -> Value:
        """max(0, x)."""
        return Value(0 if self.data < 0 else self.data, (self,), (int(self.data > 0),))

    def __neg__(self) -> Value:
        return self * -1

    def __radd__(self, other: float) -> Value:
        return self + other

    def __sub__(self, other: Value | float) -> Value:
        return self + (-other)

    def __rsub__(self, other: float) -> Value:
        return other + (-self)

    def __rmul__(self, other: float) -> Value:
        return self * other

    def __truediv__(self, other: Value | float) -> Value:
        return self * other**-1

    def __rtruediv__(self, other: float) -> Value:
        return other * self**-1

    def backward(self) -> None:
        """Add to the grad of each Value that this one was computed from this one's slope with respect to it."""
        self.grad = 1
        for node in reversed(self.sorted_graph()):
            grad = node.grad
            for operand, slope in zip(node.operands, node.slopes):
                operand.grad += slope * grad

    def sorted_graph(self) -> list[Value]:
        """This Value and all below it, operands before what was computed from them."""
        nodes: list[Value] = []
        seen: set[Value] = set()
        todo: list[Any] = [self]
        while todo:
            node = todo.pop()
            if node is None:        # the operands of the node below it are done
                nodes.append(todo.pop())
            elif node not in seen:
                seen.add(node)
                todo += (node, None)
                todo += node.operands
        return nodes
