"""A small regression whose Value has a GELU by tanh, and op names of its own."""
import math
import random


class Scalar:
    """One number."""

    def __init__(self, value, parents=(), grads=(), name=""):
        self.value, self.grad = value, 0.0
        self.parents, self.grads, self.name = tuple(parents), tuple(grads), name

    @staticmethod
    def lift(x):
        return x if isinstance(x, Scalar) else Scalar(x)

    def __add__(self, other):
        other = Scalar.lift(other)
        return Scalar(self.value + other.value, (self, other), (1.0, 1.0))

    __radd__ = __add__

    def __mul__(self, other):
        other = Scalar.lift(other)
        return Scalar(self.value * other.value, (self, other), (other.value, self.value))

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __pow__(self, n):
        return Scalar(self.value ** n, (self,), (n * self.value ** (n - 1),))

    def tanh(self):
        t = math.tanh(self.value)
        return Scalar(t, [self], [1 - t * t])

    def gelu(self):
        inner = (self + self ** 3 * 0.044715) * math.sqrt(2 / math.pi)
        return self * 0.5 * (inner.tanh() + 1.0)

    def quick_gelu(self):
        s = 1 / (1 + math.exp(-1.702 * self.value))
        return Scalar(self.value * s, [self], [s + 1.702 * self.value * s * (1 - s)])

    def __repr__(self):
        return f"<{self.name or 'Scalar'} {self.value:.6f} ({self.grad:+.6f})>"

    def backward(self):
        order, seen = [], set()
        stack = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent in node.parents)
        self.grad = 1.0
        for node in reversed(order):
            for parent, grad in zip(node.parents, node.grads):
                parent.grad += grad * node.grad


rng = random.Random(3)
w = [[Scalar(rng.uniform(-1, 1), name=f"w{i}{j}") for j in range(2)] for i in range(3)]
v = [Scalar(rng.uniform(-1, 1), name=f"v{i}") for i in range(3)]
points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(6)]
for step in range(4):
    loss = Scalar(0.0)
    for x, y in points:
        h = [(row[0] * x + row[1] * y).gelu() for row in w]
        out = sum(a * b for a, b in zip(v, h)) + h[0].quick_gelu()
        loss += (out - x * y) ** 2
    for p in [*sum(w, []), *v]:
        p.grad = 0.0
    loss.backward()
    for p in [*sum(w, []), *v]:
        p.value -= 0.05 * p.grad
    print(step, f"{loss.value:.10f}", loss.grad, len(loss.parents))
print(w, v, sep="\n")
print(Scalar(2).gelu(), Scalar(-1.5).quick_gelu(), Scalar(3).value, Scalar(3).grad, (Scalar(3) + 4).parents)
