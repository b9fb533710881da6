"""A dataclass whose fields are keyword arguments, with a function for the backward step."""
import math
from dataclasses import dataclass, field
from typing import Callable, Tuple


@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0
    _children: Tuple["Value", ...] = ()
    _backward: Callable[[], None] = field(default=lambda: None, repr=False)
    label: str = ""

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, _children=(self, other))

        def step():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = step
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, _children=(self, other))

        def step():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = step
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, _children=(self,))

        def step():
            self.grad += (1 - t * t) * out.grad
        out._backward = step
        return out

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

    def backward(self):
        done, order = set(), []

        def visit(v):
            if id(v) not in done:
                done.add(id(v))
                for c in v._children:
                    visit(c)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


a, b = Value(0.5, label="a"), Value(data=-1.5, label="b")
c = (a * b + 2 * a).tanh()
c.label = "c"
c.backward()
print(a.grad, b.grad, c.grad, a.label, c.label, (a + b).label == "", len(c._children))
print(a)
w = [Value(0.1 * k, grad=0.0) for k in range(5)]
for step in range(3):
    loss = sum(wi * wi * 0.5 + wi.tanh() for wi in w)
    loss.backward()
    for wi in w:
        wi.data -= 0.3 * wi.grad
        wi.grad = 0.0
    print(step, loss.data)
print(Value.__dataclass_fields__.keys() == {"data", "grad", "_children", "_backward", "label"}, Value.__name__)
