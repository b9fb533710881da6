"""backward() goes over a generator; numbers are converted by a class method, and comparisons go by data."""
import functools
import math


@functools.total_ordering
class Node:
    """A number in a graph."""

    def __init__(self, data, prev=(), op=""):
        self.data = data
        self.grad = 0
        self.prev = list(prev)
        self.op = op
        self.step = None

    @classmethod
    def of(cls, x):
        return x if isinstance(x, cls) else cls(x)

    def __add__(self, other):
        other = Node.of(other)
        out = Node(self.data + other.data, [self, other], "add")

        def step():
            self.grad += out.grad
            other.grad += out.grad
        out.step = step
        return out

    def __mul__(self, other):
        other = Node.of(other)
        out = Node(self.data * other.data, [self, other], "mul")

        def step():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out.step = step
        return out

    def __pow__(self, n):
        out = Node(self.data ** n, [self], "pow")

        def step():
            self.grad += n * self.data ** (n - 1) * out.grad
        out.step = step
        return out

    def exp(self):
        out = Node(math.exp(self.data), [self], "exp")

        def step():
            self.grad += out.data * out.grad
        out.step = step
        return out

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + -other
    def __truediv__(self, other): return self * other ** -1
    def __lt__(self, other): return self.data < Node.of(other).data
    def __eq__(self, other): return self is other
    __hash__ = object.__hash__

    def walk(self, seen=None):
        """Operands first."""
        seen = set() if seen is None else seen
        if self not in seen:
            seen.add(self)
            for node in self.prev:
                yield from node.walk(seen)
            yield self

    def backward(self):
        self.grad = 1
        for node in reversed(list(self.walk())):
            if node.step:
                node.step()


x, y = Node(2), Node(-0.5)
z = (x * y + x ** 2 - y / 4).exp() + 3 * x
z.backward()
print(z.data, x.grad, y.grad, z.op, [node.op for node in z.walk()], len(z.prev))
print(x > y, x >= 2, sorted([x, y, z])[0] is y, max(x, y) is x, x == Node(2), len({x, y, x}))
w = [Node(0.3 * k) for k in range(-2, 3)]
for k in range(4):
    loss = sum((wi * wi - 1) ** 2 for wi in w)
    loss.backward()
    print(k, loss.data, [wi.grad for wi in w][:3])
    for wi in w:
        wi.data -= 0.05 * wi.grad
        wi.grad = 0
