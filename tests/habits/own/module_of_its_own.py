"""Value is in a module of a package beside the script; subclassed, annotated, and compared by type."""
from typing import List, Union

import scalar.engine
from scalar import Value


class Parameter(Value):
    count = 0

    def __init__(self, data: float, name: str = "p") -> None:
        super().__init__(data)
        self.name = name
        Parameter.count += 1


def dot(ws: "List[Value]", xs: List[Union[Value, float]]) -> Value:
    return sum((w * x for w, x in zip(ws, xs)), Value(0))


w = [Parameter(k / 4, f"w{k}") for k in range(4)]
out = dot(w, [1, -2.0, Value(3), w[0]]).sigmoid()
out.backward()
print(out, w, [p.name for p in w], Parameter.count)
print(type(out) is Value, type(w[0]) is Value, type(w[0]) is Parameter, isinstance(w[0], Value))
print(type(w[0] + 1) is Value, type(w[0] * w[1]) is Value)
print(scalar.engine.Value is Value, Value.__module__, Value, dot.__annotations__["return"] is Value, Parameter.__mro__)
print({w[0]: 1}[w[0]], w[0] == w[0], w[0] != w[1], len({out, out}), out._op, len(out._prev))
out.zero_grad()
print(out, w)
try:
    Value(1) + "x"
except TypeError:
    print("TypeError")
try:
    out.missing
except AttributeError as error:
    print(error)
