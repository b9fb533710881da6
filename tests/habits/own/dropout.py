"""Dropout by random numbers, inside the class and outside."""
import math
import random


class Value:
    training = True

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

    def tanh(self):
        t = math.tanh(self.data)
        return Value(t, (self,), (1 - t**2,))

    def dropout(self, p=0.5):
        if not Value.training:
            return self
        keep = random.random() >= p
        return Value(self.data / (1 - p) if keep else 0.0, (self,), (1 / (1 - p) if keep else 0.0,))

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)

    def backward(self):
        topo, visited = [], set()

        def visit(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    visit(child)
                topo.append(v)
        visit(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local in zip(v._children, v._local_grads):
                child.grad += local * v.grad


random.seed(11)
print(random.random())
w = [Value(random.gauss(0, 1)) for _ in range(8)]
x = [random.gauss(0, 1) for _ in range(8)]
for step in range(5):
    h = [(wi * xi).tanh().dropout(0.25) for wi, xi in zip(w, x)]
    loss = sum(h) * sum(h)
    loss.backward()
    print(step, loss.data, [wi.grad for wi in w])
    for wi in w:
        wi.data -= 0.1 * wi.grad
        wi.grad = 0
Value.training = False
print(sum((wi * xi).tanh().dropout() for wi, xi in zip(w, x)).data, random.random())
