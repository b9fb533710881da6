"""Two subclasses of Value in one expression, and types printed."""
from typing import Union

from micrograd.engine import Value


class Parameter(Value):
    trainable = True


class Constant(Value):
    trainable = False

    def __init__(self, data, name="const"):
        super().__init__(data)
        self.name = name

    def __mul__(self, other):
        print("Constant.__mul__", self, other)
        return super().__mul__(other)

    def __radd__(self, other):
        print("Constant.__radd__", self, other)
        return super().__radd__(other)


def grow(x: Value, y: Union[Value, float]) -> Value:
    return x * y + y


p, k = Parameter(2.0), Constant(-3, name="k")
for v in (p, k, p + k, k + p, p * k, k * p, p - k, k - p, p / k, k / p, 2 * k, k * 2, 2 + k, -k, k**2, p.relu()):
    kinds = sorted(type(child).__name__ for child in v._prev)
    print(type(v), v, repr(v._op), kinds, getattr(v, "trainable", None), getattr(v, "name", None))
for result in (grow(p, k), grow(k, p), grow(p, 3), grow(k, 0.5), grow(Value(1), k), sum([p, k, p]), sum([k, k], p)):
    result.backward()
    print(result, p.grad, k.grad, type(result).__name__)
    p.grad = k.grad = 0
print(isinstance(p, Value), isinstance(k, Parameter), type(Parameter(1) * 1) is Value, Parameter.__name__)
print(p.__class__.__mro__, Parameter.relu is Value.relu, grow.__annotations__)
