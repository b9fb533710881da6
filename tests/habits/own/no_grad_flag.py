"""A flag of the class says whether ops keep their operands; its + depends on that, and the class stays as it is."""
import contextlib
import math


class Value:
    grad_enabled = True

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children if Value.grad_enabled else ()
        self._local_grads = local_grads if Value.grad_enabled else ()

    @staticmethod
    @contextlib.contextmanager
    def no_grad():
        before, Value.grad_enabled = Value.grad_enabled, False
        try:
            yield
        finally:
            Value.grad_enabled = before

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def exp(self):
        return Value(math.exp(self.data), (self,), (math.exp(self.data),))

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                topo.append(v)
        build(self)
        self.grad = 1
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad


x = Value(0.5)
y = (x * 3 + x).exp()
y.backward()
print(y.data, x.grad, len(y._children))
with Value.no_grad():
    y = (x * 3 + x).exp()
    y.backward()
    print(y.data, x.grad, len(y._children), Value.grad_enabled)
y = x * x
y.backward()
print(y.data, x.grad, len(y._children), Value.grad_enabled)
