from micrograd_c._core.value.value import Value, _Operand

__all__ = ["atan2", "maximum", "minimum", "stop_gradient", "where"]

def maximum(a: _Operand, b: _Operand) -> Value:
    """The larger of two Values or numbers, as a Value. If they are equal, each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> a = Value(2.0)
    >>> maximum(a, 1.0).backward()
    >>> a.grad
    1.0
    """
def minimum(a: _Operand, b: _Operand) -> Value:
    """The smaller of two Values or numbers, as a Value. If they are equal, each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> minimum(Value(2.0), 1.0)
    Value(data=1.0, grad=0)
    """
def atan2(y: _Operand, x: _Operand) -> Value:
    """The angle in radians, from -pi to pi, between the x axis and the point (x, y), as math.atan2 has it.

    Both are Values or numbers. At (0, 0) it has no derivative, and its gradients are NaN.

    >>> from micrograd_c.engine import Value
    >>> y = Value(1.0)
    >>> atan2(y, 0.5).backward()
    >>> y.grad
    0.4
    """
def where(condition: _Operand, a: _Operand, b: _Operand) -> Value:
    """a where the condition is not 0, else b, as a Value; all three are Values or numbers.

    The one not chosen gets a gradient of 0, even where it is infinite or NaN. No gradient goes to the condition. NaN is
    true, as for bool(). To ask whether x > 0, use `maximum(x, 0)` as the condition.

    >>> from micrograd_c.engine import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> where(True, a, b).backward()
    >>> a.grad, b.grad
    (1.0, 0.0)
    """
def sloped(x: Value, slope: _Operand) -> Value:
    """leaky_relu with another slope below 0: x where it is above 0, else slope * x."""
def stop_gradient(x: _Operand, /) -> Value:
    """x as it is, as a Value, through which no gradient goes back.

    >>> from micrograd_c.engine import Value
    >>> x = Value(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    3.0
    """
