"""Adam whose moments are attributes of the parameters, and a Value without __slots__ that has more of them."""
import math
import random


class Value:
    def __init__(self, data, _children=(), _op='', requires_grad=True):
        self.data = data
        self.grad = 0.0
        self.requires_grad = requires_grad
        self._prev = tuple(_children)
        self._op = _op
        self._backward = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')

        def backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')

        def backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = backward
        return out

    def __pow__(self, k):
        out = Value(self.data ** k, (self,), '^' + str(k))

        def backward():
            self.grad += k * self.data ** (k - 1) * out.grad
        out._backward = backward
        return out

    def relu(self):
        out = Value(self.data if self.data > 0 else 0.0, (self,), 'relu')

        def backward():
            self.grad += (1.0 if out.data > 0 else 0.0) * out.grad
        out._backward = backward
        return out

    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for p in v._prev:
                    visit(p)
                order.append(v)
        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


class Adam:
    def __init__(self, params, lr=0.05):
        self.params, self.lr, self.t = params, lr, 0
        for p in params:
            p.m = p.v = 0.0

    def step(self):
        self.t += 1
        for p in self.params:
            if not p.requires_grad:
                continue
            p.m = 0.9 * p.m + 0.1 * p.grad
            p.v = 0.999 * p.v + 0.001 * p.grad ** 2
            m, v = p.m / (1 - 0.9 ** self.t), p.v / (1 - 0.999 ** self.t)
            p.data -= self.lr * m / (math.sqrt(v) + 1e-8)

    def zero_grad(self):
        for p in self.params:
            p.grad = 0.0


random.seed(2)
params = [Value(random.uniform(-1, 1), requires_grad=i != 3) for i in range(9)]
optimizer = Adam(params)
for step in range(8):
    loss = Value(0.0)
    for x, y in ((0, 1), (1, 0), (0.5, -0.5), (-1, 2)):
        hidden = [(params[3 * i] * x + params[3 * i + 1]).relu() * params[3 * i + 2] for i in range(3)]
        loss = loss + (sum(hidden) - y) ** 2
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.data, loss._op, [type(p).__name__ for p in loss._prev])
print([(p.data, p.m, p.v, p.requires_grad) for p in params])
print(Value(-2).relu().data, Value(2).relu()._op, Value(2).relu().data, (Value(3) ** 2)._op, hasattr(loss, "m"))
