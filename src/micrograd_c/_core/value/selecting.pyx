"""Choices that can be traced: maximum, minimum, where, and stop_gradient.

Knows Value and the tape. Each is an op of its own on the tape, since an `if` in Python would be frozen by vmap.
"""

from libc.math cimport NAN
from libc.stdint cimport uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport DATA_INT, record, reserve, settle, tape
from micrograd_c._core.value.lifetime cimport as_plain_number, check_initialised, describe, hold
from micrograd_c._core.value.tracing cimport depends_on_argument
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["atan2", "maximum", "minimum", "stop_gradient", "where"]


def maximum(a, b):
    """The larger of two Values or numbers, as a Value. If they are equal, each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> a = Value(2.0)
    >>> maximum(a, 1.0).backward()
    >>> a.grad
    1.0
    """
    return of_two(as_value(a, "maximum"), as_value(b, "maximum"), rules.MAXIMUM)


def minimum(a, b):
    """The smaller of two Values or numbers, as a Value. If they are equal, each gets half of the gradient.

    >>> from micrograd_c.engine import Value
    >>> minimum(Value(2.0), 1.0)
    Value(data=1.0, grad=0)
    """
    return of_two(as_value(a, "minimum"), as_value(b, "minimum"), rules.MINIMUM)


def atan2(y, x):
    """The angle in radians, from -pi to pi, between the x axis and the point (x, y), as math.atan2 has it.

    Both are Values or numbers. At (0, 0) it has no derivative, and its gradients are NaN.

    >>> from micrograd_c.engine import Value
    >>> y = Value(1.0)
    >>> atan2(y, 0.5).backward()
    >>> y.grad
    0.4
    """
    return of_two(as_value(y, "atan2"), as_value(x, "atan2"), rules.ATAN2)


def where(condition, a, b):
    """a where the condition is not 0, else b, as a Value; all three are Values or numbers.

    The one not chosen gets a gradient of 0, even where it is infinite or NaN. No gradient goes to the condition. NaN is
    true, as for bool(). To ask whether x > 0, use `maximum(x, 0)` as the condition.

    >>> from micrograd_c.engine import Value
    >>> a, b = Value(2.0), Value(3.0)
    >>> where(True, a, b).backward()
    >>> a.grad, b.grad
    (1.0, 0.0)
    """
    cdef Value chosen = as_value(condition, "where")
    return of_two(chosen, as_value(a, "where"), rules.PICK) + of_two(chosen, as_value(b, "where"), rules.PICK_NOT)


def sloped(Value x not None, slope):
    """leaky_relu with another slope below 0: x where it is above 0, else slope * x."""
    slope = as_plain_number(slope)
    if not isinstance(slope, (Value, int, float)):
        raise TypeError(f"negative_slope must be a number or a Value, not {describe(slope)}")
    return where(maximum(x, 0.0), x, x * slope)


def stop_gradient(x, /):
    """x as it is, as a Value, through which no gradient goes back.

    >>> from micrograd_c.engine import Value
    >>> x = Value(3.0)
    >>> (x * stop_gradient(x)).backward()
    >>> x.grad
    3.0
    """
    cdef Value a = as_value(x, "stop_gradient")
    cdef Value out = new_value()
    reserve(&tape, 1)
    bind(out, record(
        &tape, rules.STOP, a.index, 0, tape.data[a.index], tape.flags[a.index] & DATA_INT
    ))
    hold(out, a)
    return out


cdef Value as_value(object x, str function):
    x = as_plain_number(x)
    if isinstance(x, Value):
        check_initialised(<Value> x)
        return <Value> x
    if not isinstance(x, (int, float)):
        raise TypeError(f"{function} wants Values or numbers, not {describe(x)}")
    return Value(x)


cdef Value of_two(Value a, Value b, int op):
    cdef Value out = new_value()
    cdef double x, y, data
    cdef uint8_t data_int
    # while a function is traced, nobody knows which of the two it will be
    cdef bint unknown = rules.is_pick(op) and depends_on_argument(a)
    reserve(&tape, 1)
    x, y = tape.data[a.index], tape.data[b.index]
    data = NAN if unknown else rules.value_of_two(op, x, y)
    # one of two ints is an int; what is computed from them is a float
    data_int = tape.flags[a.index] & tape.flags[b.index] & DATA_INT if rules.is_choice(op) else 0
    if data_int:
        data_int = settle(&data)
    bind(out, record(&tape, op, a.index, b.index, data, data_int))
    hold(out, a)
    hold(out, b)
    return out
