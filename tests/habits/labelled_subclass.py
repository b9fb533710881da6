"""A subclass with a label that hands data, _children and _op on to super().__init__."""
import math

from micrograd.engine import Value


class V(Value):
    def __init__(self, data, _children=(), _op="", label="", **extra):
        super().__init__(data, _children=_children, _op=_op)
        self.label = label
        self.extra = extra

    def __repr__(self):
        return f"{self.label or '?'}={self.data}"

    def __add__(self, other):
        other = other if isinstance(other, Value) else V(other)
        out = V(self.data + other.data, (self, other), "+", f"({self.label}+{getattr(other, 'label', '?')})")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def cos(self):
        out = V(math.cos(self.data), (self,), "cos", label=f"cos {self.label}", depth=1)

        def _backward():
            self.grad -= math.sin(self.data) * out.grad
        out._backward = _backward
        return out


a, b = V(0.5, label="a"), V(label="b", data=-2, color="red")
c = a + b
d = c + 1
e = (a + b).cos() + d
print(a, b, c, d, e, b.extra, e._op)
print(sorted(map(repr, e._prev)), [type(p).__name__ for p in e._prev])
m = a * b
print(type(m).__name__, repr(m), m._op, sorted(map(repr, m._prev)), hasattr(m, "label"))
print(type(1 + a).__name__, repr(1 + a), type(sum([a, b])).__name__, repr(sum([a, b])))
print(type(a - b).__name__, repr(a - b), type(m + a).__name__, repr(m + a), isinstance(a, Value), repr(a / 2))
(e * 2).backward()
print(a.grad, b.grad, c.grad, d.grad, e.grad, isinstance(m, V), issubclass(V, Value), V.__mro__[1:])
print(V(3, label="x") + V(4, (a,), "op", "y"), V(4, (a,), "op", "y")._prev, str(V(1)), f"{V(2, label='z')!s:>8}|")
