"""What is computed, in lines of Python that run on any class of numbers, and a way to give each side its own copy.

Knows nothing of clocks, nor of libraries.
"""

from __future__ import annotations

import importlib.util

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType
    from typing import Any

__all__ = ["chain", "expression", "fresh_copy", "network", "network_of_own_ops", "squares"]


def fresh_copy(module: str) -> ModuleType:
    """A new copy of a module that shares no code objects with the others.

    CPython specialises bytecode for the types it meets. Sides that share bytecode would undo each other's: floats that
    take turns with Values on one loop lose their fast path.
    """
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def chain(x: Any, a: Any, b: Any, turns: int) -> Any:
    """Two operations a turn, each on the result of the one before."""
    for _ in range(turns):
        x = x * b + a
    return x


def expression(a: Any, b: Any, relu: Callable[[Any], Any]) -> Any:
    """The example in micrograd's README."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


def squares(xs: Iterable[Any]) -> Any:
    """A wide sum."""
    return sum(x * x for x in xs)


def network(layers: Sequence[tuple[Any, Any]], x: Sequence[Any], relu: Callable[[Any], Any]) -> Any:
    """The output of the demo's network, of layers (rows of weights, biases)."""
    for k, (rows, biases) in enumerate(layers):
        x = [sum((w * xi for w, xi in zip(row, x)), bias) for row, bias in zip(rows, biases)]
        if k < len(layers) - 1:
            x = [relu(xi) for xi in x]
    return x[0]


def network_of_own_ops(
    layers: Sequence[Sequence[Any]], xs: Sequence[Any], sum_of_products: Callable[..., Any], tanh: Callable[..., Any]
) -> Any:
    """The sum of the outputs of a network without biases, of layers that are rows of weights."""
    for rows in layers:
        xs = [tanh(sum_of_products(row, xs)) for row in rows]
    return sum(xs)
