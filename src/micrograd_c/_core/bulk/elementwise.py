"""Functions of one number as functions of lists: of each Value or number in them, however nested.

Knows Value's methods, which do it.
"""

from __future__ import annotations

from micrograd_c._core.value.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from micrograd_c._core.value.value import _Operand

__all__ = ["gelu", "leaky_relu", "log_sigmoid", "silu", "softplus"]


def leaky_relu(x: Any, negative_slope: _Operand = 0.01) -> Any:
    """x where it is above 0, else negative_slope * x: of a Value or number, or of each in a list.

    >>> leaky_relu([Value(-2.0), 3.0])
    [Value(data=-0.02, grad=0), Value(data=3.0, grad=0)]
    """
    return of_each(x, lambda value: value.leaky_relu(negative_slope))


def gelu(x: Any, approximate: str = "none") -> Any:
    """x times the probability that a normally distributed number is below x, of a Value or number, or each in a list.

    approximate='tanh' computes it by tanh, nearly, as in PyTorch.

    >>> gelu(Value(0.0))
    Value(data=0.0, grad=0)
    """
    return of_each(x, lambda value: value.gelu(approximate))


def softplus(x: Any) -> Any:
    """log(1 + e ** x): of a Value or number, or of each in a list.

    >>> softplus([[Value(800.0)]])
    [[Value(data=800.0, grad=0)]]
    """
    return of_each(x, lambda value: value.softplus())


def silu(x: Any) -> Any:
    """x * sigmoid(x): of a Value or number, or of each in a list.

    >>> silu(Value(0.0))
    Value(data=0.0, grad=0)
    """
    return of_each(x, lambda value: value.silu())


def log_sigmoid(x: Any) -> Any:
    """The logarithm of sigmoid(x): of a Value or number, or of each in a list.

    >>> log_sigmoid([-800.0])
    [Value(data=-800.0, grad=0)]
    """
    return of_each(x, lambda value: value.log_sigmoid())


MOST_NESTED = 64        # lists in lists; one that contains itself is nested without end


def of_each(x: Any, function: Callable[[Value], Value], depth: int = 0) -> Any:
    if isinstance(x, Value):
        return function(x)
    if isinstance(x, (int, float, str)) or not hasattr(x, "__iter__") or getattr(x, "ndim", None) == 0:
        return function(Value(x))
    if depth == MOST_NESTED:
        raise ValueError(f"lists are nested more than {MOST_NESTED} deep, or one contains itself")
    return [of_each(one, function, depth + 1) for one in x]
