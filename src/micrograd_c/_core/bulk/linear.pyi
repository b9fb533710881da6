from collections.abc import Iterable
from typing import Any, overload

from micrograd_c._core.value.value import Value, _Operand

__all__ = ["linear", "sumprod"]

_Values = Iterable[Value]
_Operands = Iterable[_Operand]

# Where there are Values, the result is one; numbers alone give a number, as in the plain spelling. Of a list of both
# nothing is known.
@overload
def sumprod(ws: _Values, xs: _Operands, start: _Operand = 0) -> Value:
    """`sum((w * x for w, x in zip(ws, xs)), start)`, with the graph of that. Named after math.sumprod.

    >>> from micrograd_c.engine import Value
    >>> sumprod([Value(2.0), Value(-3.0)], [5.0, Value(7.0)], start=Value(1.0))
    Value(data=-10.0, grad=0)

    Raises ValueError if there are not as many ws as xs.
    """
@overload
def sumprod(ws: _Operands, xs: _Values, start: _Operand = 0) -> Value:
    """`sum((w * x for w, x in zip(ws, xs)), start)`, with the graph of that. Named after math.sumprod.

    >>> from micrograd_c.engine import Value
    >>> sumprod([Value(2.0), Value(-3.0)], [5.0, Value(7.0)], start=Value(1.0))
    Value(data=-10.0, grad=0)

    Raises ValueError if there are not as many ws as xs.
    """
@overload
def sumprod(ws: Iterable[float], xs: Iterable[float], start: float = 0) -> float:
    """`sum((w * x for w, x in zip(ws, xs)), start)`, with the graph of that. Named after math.sumprod.

    >>> from micrograd_c.engine import Value
    >>> sumprod([Value(2.0), Value(-3.0)], [5.0, Value(7.0)], start=Value(1.0))
    Value(data=-10.0, grad=0)

    Raises ValueError if there are not as many ws as xs.
    """
@overload
def sumprod(ws: _Operands, xs: _Operands, start: _Operand = 0) -> Any:
    """`sum((w * x for w, x in zip(ws, xs)), start)`, with the graph of that. Named after math.sumprod.

    >>> from micrograd_c.engine import Value
    >>> sumprod([Value(2.0), Value(-3.0)], [5.0, Value(7.0)], start=Value(1.0))
    Value(data=-10.0, grad=0)

    Raises ValueError if there are not as many ws as xs.
    """
@overload
def linear(rows: Iterable[_Values], xs: _Operands, biases: _Operands | None = None) -> list[Value]:
    """A matrix by a vector: `[sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]`.

    With the graph of that. The biases are 0 if not given. Shapes: rows n x m, xs m, biases n, result n.

    >>> from micrograd_c.engine import Value
    >>> linear([[Value(2.0), Value(1.0)], [Value(0.5), Value(-1.0)]], [3.0, 4.0], biases=[Value(0.0), Value(10.0)])
    [Value(data=10.0, grad=0), Value(data=7.5, grad=0)]

    Raises ValueError if the shapes do not fit.
    """
@overload
def linear(rows: Iterable[_Operands], xs: _Values, biases: _Operands | None = None) -> list[Value]:
    """A matrix by a vector: `[sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]`.

    With the graph of that. The biases are 0 if not given. Shapes: rows n x m, xs m, biases n, result n.

    >>> from micrograd_c.engine import Value
    >>> linear([[Value(2.0), Value(1.0)], [Value(0.5), Value(-1.0)]], [3.0, 4.0], biases=[Value(0.0), Value(10.0)])
    [Value(data=10.0, grad=0), Value(data=7.5, grad=0)]

    Raises ValueError if the shapes do not fit.
    """
@overload
def linear(rows: Iterable[_Operands], xs: _Operands, biases: _Operands | None = None) -> list[Any]:
    """A matrix by a vector: `[sum((w * x for w, x in zip(row, xs)), b) for row, b in zip(rows, biases)]`.

    With the graph of that. The biases are 0 if not given. Shapes: rows n x m, xs m, biases n, result n.

    >>> from micrograd_c.engine import Value
    >>> linear([[Value(2.0), Value(1.0)], [Value(0.5), Value(-1.0)]], [3.0, 4.0], biases=[Value(0.0), Value(10.0)])
    [Value(data=10.0, grad=0), Value(data=7.5, grad=0)]

    Raises ValueError if the shapes do not fit.
    """
