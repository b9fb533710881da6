"""A classifier whose log is clamped: log(x + 1e-10), and log of 0 is a number."""
import math
import random


class Value:
    __slots__ = ('data', 'grad', '_children', '_local_grads')

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, other): return Value(self.data**other, (self,), (other * self.data**(other-1),))
    def log(self): return Value(math.log(self.data + 1e-10), (self,), (1 / (self.data + 1e-10),))
    def exp(self): return Value(math.exp(self.data), (self,), (math.exp(self.data),))
    def clip(self, low, high):
        return Value(min(max(self.data, low), high), (self,), (1.0 if low <= self.data <= high else 0.0,))

    def item(self): return float(self.data)
    def __neg__(self): return self * -1
    def __radd__(self, other): return self + other
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def __rmul__(self, other): return self * other
    def __truediv__(self, other): return self * other**-1
    def __rtruediv__(self, other): return other * self**-1
    def __repr__(self): return f"Value({self.data:.6g}, grad={self.grad:.6g})"

    def backward(self):
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad


random.seed(7)
W = [[Value(random.gauss(0, 1)) for _ in range(3)] for _ in range(4)]
data = [([random.gauss(0, 1) for _ in range(3)], random.randrange(4)) for _ in range(8)]
for epoch in range(3):
    total = Value(0)
    for x, label in data:
        logits = [sum(w * xi for w, xi in zip(row, x)) for row in W]
        top = max(logit.data for logit in logits)
        exps = [(logit - top).exp() for logit in logits]
        probs = [e / sum(exps) for e in exps]
        total = total - probs[label].clip(0.01, 0.9).log()
    total = total / len(data)
    total.backward()
    print(epoch, total.item(), [round(w.grad, 9) for w in W[0]])
    for row in W:
        for w in row:
            w.data -= 0.1 * w.grad
            w.grad = 0
zero = Value(0.0)
z = zero.log()
z.backward()
print(z, zero, z._local_grads, Value(0.5).log(), Value(5).clip(0, 1), W[0])
