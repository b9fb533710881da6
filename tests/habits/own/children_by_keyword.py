"""Nodes made with children= and local_grads=, and ops of many operands."""
import math


class Value:
    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, children=(self, other), local_grads=(1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, children=(self, other), local_grads=(other.data, self.data))

    def sin(self):
        return Value(math.sin(self.data), children=(self,), local_grads=(math.cos(self.data),))

    @staticmethod
    def dot(xs, ys):
        total = sum(x.data * y.data for x, y in zip(xs, ys))
        return Value(total, children=(*xs, *ys), local_grads=(*[y.data for y in ys], *[x.data for x in xs]))

    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __lt__(self, other): return self.data < other.data

    def backward(self):
        order, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for child in v._children:
                    build(child)
                order.append(v)
        build(self)
        self.grad = 1
        for v in reversed(order):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad


def norm(values):
    length = math.sqrt(sum(v.data**2 for v in values))
    return Value(length, children=tuple(values), local_grads=tuple(v.data / length for v in values))


xs, ys = [Value(1.5), Value(-2), Value(0.5)], [Value(3), Value(0.25), Value(-1.0)]
out = Value.dot(xs, ys) * norm(xs) + Value.dot(xs, xs).sin()
out.backward()
print(out.data, [x.grad for x in xs], [y.grad for y in ys], out.grad)
print(len(out._children), out._local_grads, Value.dot(xs, ys)._local_grads, Value(2)._children)
print([v.data for v in sorted(xs)], max(ys).data, min(xs).data, (xs[1] * 3)._local_grads, (xs[1] + 3)._local_grads)
print(Value(2) + 3 is None, (Value(2) + 3).data, (Value(2) * 3).grad)
