from collections.abc import Iterable
from typing import Any, SupportsIndex, overload

from micrograd_c._core.value.value import Value, _Operand

__all__ = ["cross_entropy", "log_softmax", "logsumexp", "mean", "softmax"]

_Values = Iterable[Value]
_Operands = Iterable[_Operand]

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
# Of numbers alone the mean is a number, as in the plain spelling. Of a list of both nothing is known.
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
