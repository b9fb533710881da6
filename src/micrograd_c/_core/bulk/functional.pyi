from collections.abc import Iterable
from typing import Any, SupportsIndex, overload

from micrograd_c._core.value.value import Value, _Operand

__all__ = ["cross_entropy", "linear", "log_softmax", "logsumexp", "mean", "softmax", "sumprod"]

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
def softmax(xs: _Operands, /) -> list[Value]:
    """e^x / sum of all e^x, for each x; computed so that no exp can overflow. A list as long as xs.

    With the graph of

        highest = max(x.data for x in xs)
        exps = [(x - highest).exp() for x in xs]
        total = sum(exps)
        [e / total for e in exps]

    >>> from micrograd_c.engine import Value
    >>> [p.data for p in softmax([Value(1000.0), Value(1000.0)])]
    [0.5, 0.5]

    Raises ValueError if there are no xs.
    """
def log_softmax(xs: _Operands, /) -> list[Value]:
    """log(softmax(xs)), for each x; computed so that no exp can overflow and no log is of 0. A list as long as xs.

    With the graph of

        shifted = [x - max(x.data for x in xs) for x in xs]
        exps = [x.exp() for x in shifted]
        total = sum(exps).log()
        [x - total for x in shifted]

    >>> from micrograd_c.engine import Value
    >>> [p.data for p in log_softmax([Value(0.0), Value(-2000.0)])]
    [0.0, -2000.0]

    Raises ValueError if there are no xs.
    """
def logsumexp(xs: _Operands, /) -> Value:
    """The logarithm of the sum of all e^x, computed so that no exp can overflow. One Value.

    With the graph of `sum((x - highest).exp() for x in xs).log() + highest`, highest as in softmax, but the nearest
    float that is finite. The log of 0, where all xs are -inf, is -inf here.

    >>> from micrograd_c.engine import Value
    >>> logsumexp([Value(1000.0), Value(1000.0)])
    Value(data=1000.6931471805599, grad=0)

    Raises ValueError if there are no xs.
    """
@overload
def mean(xs: _Values, /) -> Value:
    """`sum(xs) / len(xs)`, with the graph of that.

    >>> from micrograd_c.engine import Value
    >>> mean([Value(1.0), Value(2), Value(6)])
    Value(data=3.0, grad=0)

    Raises ValueError if there are no xs.
    """
@overload
def mean(xs: Iterable[float], /) -> float:
    """`sum(xs) / len(xs)`, with the graph of that.

    >>> from micrograd_c.engine import Value
    >>> mean([Value(1.0), Value(2), Value(6)])
    Value(data=3.0, grad=0)

    Raises ValueError if there are no xs.
    """
@overload
def mean(xs: _Operands, /) -> Any:
    """`sum(xs) / len(xs)`, with the graph of that.

    >>> from micrograd_c.engine import Value
    >>> mean([Value(1.0), Value(2), Value(6)])
    Value(data=3.0, grad=0)

    Raises ValueError if there are no xs.
    """
def cross_entropy(logits: _Operands, target: SupportsIndex) -> Value:
    """-log(softmax(logits)[target]), computed so that nothing overflows and no log is of 0. One Value.

    With the graph of

        highest = max(x.data for x in logits)
        sum((x - highest).exp() for x in logits).log() - (logits[target] - highest)

    >>> from micrograd_c.engine import Value
    >>> cross_entropy([Value(0.0), Value(-2000.0)], target=1)
    Value(data=2000.0, grad=0)

    Raises IndexError if target is not one of 0 ... len(logits) - 1, and ValueError if there are no logits.
    """
def log_of_zero(zero: Value) -> Value:
    """The same as a Value, for the plain spelling."""
