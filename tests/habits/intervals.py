"""Interval bounds as attributes, carried along by wrapped operators."""
import functools

from micrograd.engine import Value
from micrograd.nn import Neuron


def bounds(v):
    if not isinstance(v, Value):
        return v, v
    return getattr(v, "lo", v.data), getattr(v, "hi", v.data)


def carrying(method, rule):
    @functools.wraps(method)
    def wrapper(self, *others):
        out = method(self, *others)
        out.lo, out.hi = rule(bounds(self), *map(bounds, others))
        return out
    return wrapper


def product(a, b):
    corners = [x * y for x in a for y in b]
    return min(corners), max(corners)


Value.__add__ = carrying(Value.__add__, lambda a, b: (a[0] + b[0], a[1] + b[1]))
Value.__mul__ = carrying(Value.__mul__, product)
Value.relu = carrying(Value.relu, lambda a: (max(a[0], 0), max(a[1], 0)))
Value.width = property(lambda self: self.hi - self.lo)

x, y = Value(1.5), Value(-2)
x.lo, x.hi = 1, 2
y.lo, y.hi = -2.5, -1
for v in (x + y, x * y, x - y, y - x, -x, (x * y).relu(), 2 * x, 3 - y, 1 + x, x / 2, sum([x, y]), (x - y * 2).relu()):
    print(v, v._op, v.lo, v.hi, v.width, v.lo <= v.data <= v.hi)
neuron = Neuron(2)
neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.5, -4, 1
out = neuron([x, y])
print(out, out.lo, out.hi, neuron, hasattr(neuron.b, "lo"))
out.backward()
print(x, y, *neuron.parameters(), Value.__add__.__name__)
del x.lo
print(hasattr(x, "lo"), hasattr(x, "hi"), bounds(x), bounds(y))
