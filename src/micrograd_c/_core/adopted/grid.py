"""Where two classes are compared: operands, and expressions over them, by the method that each asks.

Left out is what micrograd_c does otherwise on purpose, see docs/differences.md: powers that are not real, 0 ** 0, a
power whose exponent is a Value, ints from 2**53 on.
"""

from __future__ import annotations

import itertools
import math
import operator

from micrograd_c._core.adopted.observing import Gradients

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    _Trial = tuple[tuple[Any, ...], Callable[..., Any]]     # numbers, and an expression over Values of them

__all__ = [
    "ALIASES", "ARITHMETIC", "BINARY", "COMPOSED", "FUNCTIONS", "PREFIX", "REFLECTED", "graphs", "of_other_types",
    "paired", "preset", "programs", "single",
]

# of another name where people call it so
ALIASES = {"ln": "log", "logistic": "sigmoid", "absolute": "abs"}
BINARY: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "__add__": ("+", operator.add), "__sub__": ("-", operator.sub), "__mul__": ("*", operator.mul),
    "__truediv__": ("/", operator.truediv), "__pow__": ("**", operator.pow),
    "__lt__": ("<", operator.lt), "__le__": ("<=", operator.le), "__gt__": (">", operator.gt),
    "__ge__": (">=", operator.ge),
}
REFLECTED = {
    "__radd__": "__add__", "__rsub__": "__sub__", "__rmul__": "__mul__", "__rtruediv__": "__truediv__",
    "__rpow__": "__pow__",
}
IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "__add__": operator.iadd, "__sub__": operator.isub, "__mul__": operator.imul, "__truediv__": operator.itruediv,
}
ARITHMETIC = tuple(IN_PLACE)        # operators of two operands that give a Value whatever these are
# of other operators, as micrograd has it
COMPOSED = ("__neg__", "__sub__", "__truediv__", "__radd__", "__rsub__", "__rmul__", "__rtruediv__")
PREFIX: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "__neg__": ("-", operator.neg), "__abs__": ("abs", abs), "__float__": ("float", float), "__bool__": ("bool", bool),
}
FUNCTIONS = (
    "relu", "exp", "log", "tanh", "sigmoid", "sqrt", "sin", "cos", "abs", "expm1", "log1p",
)



class Unknown:
    """What no method can know."""


OF_OTHER_TYPES = [[1.0, 2.0], (1.0,), {"data": 1.0}, {1.0}, "text", b"bytes", None, Unknown()]

USUAL = [0.7, -1.3, 2.718281828459045, 123.456, -0.1]
SPECIAL = [0, 1, 2, -3, 0.0, -0.0, -1.0, 0.5, 1e300, -1e300, 1e-300, math.inf, -math.inf, math.nan]
ALONE = [*USUAL, *SPECIAL, 3.7, -0.9999999, 1e-8, 30.0, -30.0, 710.0, -710.0, 1 / 3]
EXPONENTS = [2, 3, -1, 1, -2, 0.5, -0.5, 2.0, 1.5, 0]
EXTREME = [0, 1, -3, 0.0, -0.0, 0.5, 1e300, -1e300, math.inf, math.nan]
PAIRS = [(x, y) for x, y in itertools.product(USUAL[:3], repeat=2)] + [
    (b, a) if k % 2 else (a, b) for k, a in enumerate(EXTREME) for b in EXTREME[k:]
]
FEW = [(0.7, -1.3), (2.5, 4.0), (3, 0.1), (-1.3, 3), (2, 3), (0, 0.0), (0.0, -0.0), (1e300, 1e300), (5, 0), (-1.3, 0),
       (0.7, math.inf), (math.nan, 1), (-3, 7), (-0.1, -1), (1 / 3, 123.456)]


def single(methods: set[str], known: set[str]) -> Iterator[tuple[str, tuple[Any, ...], Callable[..., Any]]]:
    """(method, numbers, expression) of each method by itself. `methods` are theirs, `known` are names that ours has."""
    for name, (_, binary) in BINARY.items():
        if name == "__pow__" and name in methods:
            for x in [*USUAL[:3], 0, 2, -3, 0.0, -0.0, 1e300, 1e-300, math.inf, math.nan]:
                for n in EXPONENTS:
                    if is_real(x, n):
                        yield name, (x,), lambda V, v, n=n: v ** n
        elif name in methods:
            for pair in PAIRS[::2] if name in COMPOSED else PAIRS:
                yield name, pair, lambda V, v, w, action=binary: action(v, w)
            for x, n in FEW:
                yield name, (x,), lambda V, v, n=n, action=binary: action(v, n)
    for name, forward in REFLECTED.items():
        if name in methods:
            for x, n in FEW:
                if name != "__rpow__" or (n > 0 and abs(x) < 100):
                    yield name, (x,), lambda V, v, n=n, action=BINARY[forward][1]: action(n, v)
    for name, action in IN_PLACE.items():
        changed = name.replace("__", "__i", 1)
        if name in methods or changed in methods:
            for x, n in FEW[:6]:
                yield changed if changed in methods else name, (x, n), lambda V, v, w, action=action: action(v, w)
                yield changed if changed in methods else name, (x,), lambda V, v, n=n, action=action: action(v, n)
    for name, (_, prefix) in PREFIX.items():
        if name in methods:
            for x in ALONE:
                yield name, (x,), lambda V, v, action=prefix: action(v)
    for name in methods & known:
        for x in ALONE:
            yield name, (x,), lambda V, v, name=name: getattr(v, name)()


def of_other_types(methods: set[str]) -> Iterator[tuple[str, tuple[Any, ...], Callable[..., Any]]]:
    """(method, numbers, expression) with an operand that is neither a number nor a Value; in what way it is refused, is
    all the same."""
    for name, other in itertools.product(sorted(methods), OF_OTHER_TYPES):
        if name in REFLECTED:
            reflected = BINARY[REFLECTED[name]][1]
            yield name, (0.7,), refused(lambda v, other=other, action=reflected: action(other, v), other)
        elif name in ARITHMETIC:
            yield name, (0.7,), refused(lambda v, other=other, action=BINARY[name][1]: action(v, other), other)


def refused(action: Callable[..., Any], other: Any) -> Callable[..., Any]:
    def program(V: Any, v: Any) -> Any:
        try:
            return action(v)
        except Exception:
            return "an exception"

    program.other = type(other).__name__   # type: ignore[attr-defined]
    return program


def is_real(x: float, n: float) -> bool:
    return not (n == 0 and (x == 0 or x != x)) and (x > 0 or n == int(n) or (x == 0 and n >= 1) or x != x)


def preset(action: Callable[..., Any], count: int) -> _Trial:
    """That `action` adds to gradients that were there before."""
    def program(V: Any, *values: Any) -> Any:
        for value in values:
            V.set_grad(value, 3)
        return action(*values)

    return (0.7, 1.3)[:count], program


def graphs(action: Callable[..., Any], count: int) -> Iterator[_Trial]:
    """One method, of one or two operands, with others around it: gradients add up, are asked for again, or reset."""
    def twice(V: Any, *values: Any) -> Any:
        return action(*values) + action(*values)

    def above(V: Any, *values: Any) -> Any:
        out = action(*values)
        return out * out + values[0]

    def below(V: Any, *values: Any) -> Any:
        return action(*[value * 0.5 + 0.75 for value in values])

    def again(V: Any, *values: Any) -> Any:
        out = action(*values) * 2.0
        out.backward()
        return out

    def reset(V: Any, *values: Any) -> Any:
        out = action(*values) * 2.0
        out.backward()
        for value in values:
            V.set_grad(value, 0)
        return out

    def inner(V: Any, *values: Any) -> Any:
        middle = action(*values)
        out = middle * 3.0 + values[0]
        middle.backward()
        return out

    def off(V: Any, *values: Any) -> Any:
        return action(*values) * 0.0 + values[0]

    def assigned(V: Any, *values: Any) -> Any:
        out = action(*values) * 2.0
        V.set_data(values[0], 2.5)
        between = out + action(*values)
        V.set_data(values[-1], 0.1)
        V.set_data(values[0], 5)
        for root in (out, between):
            root.backward()
        return Gradients(V.grad(value) for value in (*values, out, between))

    for program in (twice, above, below, again, reset, inner, off, assigned):
        yield (0.7, 1.3)[:count], program
        yield (2, 3)[:count], program
    if count == 2:
        yield (0.7,), lambda V, v: action(v, v)
        yield (3,), lambda V, v: action(v, v) * v
        yield (0.7,), lambda V, v: action(v, 2) + action(v, 0.5)


def paired(one: Callable[..., Any], other: Callable[..., Any]) -> Callable[..., Any]:
    """Two methods of one operand each on a shared graph."""
    def program(V: Any, v: Any) -> Any:
        inner = other(v)
        outer = one(v)
        return one(inner) + other(outer) + inner * outer

    return program


def programs() -> Iterator[_Trial]:
    """Graphs of + and * that a sweep in the wrong order, or one that forgets, gets wrong."""
    def diamond(V: Any, x: Any) -> Any:
        a = x * 2.0
        b = a + x
        c = b * a
        return c + a * b + x

    def uneven(V: Any, x: Any, y: Any) -> Any:
        a = x * y
        long = a
        for _ in range(5):
            long = long * 0.5 + y
        return long + a

    def chain(V: Any, x: Any) -> Any:
        for k in range(60):
            x = x * 1.01 + k
        return x

    def both(V: Any, x: Any, y: Any) -> Any:
        first = x * y
        second = first * 2.0 + x
        first.backward()
        second.backward()
        return second + first

    def seeded(V: Any, x: Any) -> Any:
        out = x * 3.0
        V.set_grad(out, 5.0)
        return out

    def leaf(V: Any, x: Any) -> Any:
        return x

    def unreached(V: Any, x: Any, y: Any) -> Any:
        x * y
        return x + 1.0

    for program, count in ((diamond, 1), (uneven, 2), (chain, 1), (both, 2), (seeded, 1), (leaf, 1), (unreached, 2)):
        yield (0.7, -1.3)[:count], program
        yield (3, 2)[:count], program
