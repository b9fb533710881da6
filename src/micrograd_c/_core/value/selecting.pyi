from micrograd_c._core.value.value import Value, _Operand

__all__ = ["maximum", "minimum", "stop_gradient", "where"]

def maximum(a: _Operand, b: _Operand) -> Value:
    """The larger of two Values or numbers, as a Value. Of two equal ones each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> a = Value(2.0)
    >>> maximum(a, 1.0).backward()
    >>> a.grad
    1.0
    """
def minimum(a: _Operand, b: _Operand) -> Value:
    """The smaller of two Values or numbers, as a Value. Of two equal ones each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> minimum(Value(2.0), 1.0)
    Value(data=1.0, grad=0)
    """
def where(condition: _Operand, a: _Operand, b: _Operand) -> Value:
    """a where the condition is not 0, else b, as a Value; all three are Values or numbers.

    What is not chosen gets a gradient of 0, even where it is infinite or not a number. No gradient goes to the
    condition. One that is not a number is true, as for bool(). To ask whether x > 0, have `maximum(x, 0)` as condition.

    >>> from micrograd_c.engine import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> where(True, a, b).backward()
    >>> a.grad, b.grad
    (1.0, 0.0)
    """
def sloped(x: Value, slope: _Operand) -> Value:
    """leaky_relu with another slope below 0: x where it is above 0, else slope * x."""
def stop_gradient(x: _Operand, /) -> Value:
    """x as it is, as a Value; no gradient goes further down.

    >>> from micrograd_c.engine import Value
    >>> x = Value(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    3.0
    """
