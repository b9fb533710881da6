"""Gradients of several losses add up before a step; the same graph is swept twice; gradients are clipped."""
import math
import random


class Value:
    def __init__(self, data, _children=(), _op=''):
        self.data = float(data)
        self.grad = 0.0
        self._backward = lambda: None
        self._prev = set(_children)
        self._op = _op

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other), '+')

        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other), '*')

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad
        out._backward = _backward
        return out

    def log(self):
        out = Value(math.log(self.data), (self,), 'log')

        def _backward():
            self.grad += 1 / self.data * out.grad
        out._backward = _backward
        return out

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __repr__(self): return f"Value(data={self.data}, grad={self.grad})"

    def backward(self):
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)
        build_topo(self)
        self.grad = 1.0
        for v in reversed(topo):
            v._backward()


random.seed(4)
w = [Value(k) for k in (1, 2, 3)]
print(w, Value(2) * 3, Value(7).data)
for step in range(3):
    for p in w:
        p.grad = 0
    total = 0.0
    for micro in range(4):
        x = [random.gauss(1, 0.1) for _ in w]
        loss = sum(p * a for p, a in zip(w, x)).log() * 0.25
        loss.backward()
        total += loss.data
        if micro == 1:
            loss.backward()
    size = math.sqrt(sum(p.grad ** 2 for p in w))
    scale = min(1.0, 0.2 / size)
    for p in w:
        p.data -= scale * p.grad
    print(step, total, size, w)
