"""Recording one op through handles: make the result's handle, reserve, record, bind, hold.

The order matters: making a handle may run Python's collector, and so any code; reserving may renumber; binding cannot
fail.
"""

from libc.stdint cimport int32_t

from micrograd_c._core.ops.numbers cimport Number, is_builtin_number, read_exact_number, read_number
cimport micrograd_c._core.tape.operators as operators
from micrograd_c._core.tape.arena cimport Tape, reserve, tape
from micrograd_c._core.value.lifetime cimport check_initialised, hold, refuse_foreign_value
from micrograd_c._core.value.value cimport Value, bind, new_value

ctypedef int32_t (*Recorder)(Tape *t, int32_t a) except -1


# The two commonest ops, for operands that have nothing but numbers: no call except of `reserve`, and that rarely.

cdef inline Value add(Value a, Value b):
    cdef Value out
    if not a.plain & b.plain:
        return binary(a, b, operators.add)
    out = new_value()
    reserve(&tape, 1)
    bind(out, operators.record_sum(&tape, a.index, b.index))
    return out


cdef inline Value multiply(Value a, Value b):
    cdef Value out
    if not a.plain & b.plain:
        return binary(a, b, operators.multiply)
    out = new_value()
    reserve(&tape, 1)
    bind(out, operators.record_product(&tape, a.index, b.index))
    return out


cdef inline Value binary(Value a, Value b, operators.Binary record_op):
    cdef Value out = new_value()
    cdef bint plain = a.plain & b.plain
    if not plain:
        check_initialised(a)
        check_initialised(b)
    reserve(&tape, operators.ROOM)
    bind(out, record_op(&tape, a.index, b.index))
    if not plain:
        hold(out, a)
        hold(out, b)
    return out


cdef inline Value with_number(Value a, Number number, operators.WithNumber record_op):
    cdef Value out = new_value()
    cdef bint plain = a.plain
    if not plain:
        check_initialised(a)
    reserve(&tape, operators.ROOM)
    bind(out, record_op(&tape, a.index, number))
    if not plain:
        hold(out, a)
    return out


cdef inline Value unary(Value a, Recorder record_op):
    cdef Value out = new_value()
    check_initialised(a)
    reserve(&tape, operators.ROOM)
    bind(out, record_op(&tape, a.index))
    hold(out, a)
    return out


cdef inline Value by_rule(Value a, int op):
    cdef Value out = new_value()
    check_initialised(a)
    reserve(&tape, 1)
    bind(out, operators.unary(&tape, a.index, op))
    hold(out, a)
    return out


cdef inline object operate(
    object left, object right, operators.Binary values, operators.WithNumber number, operators.WithNumber reflected
):
    """An operator on two operands, at least one of them a Value: the usual types first."""
    cdef Number other
    if type(left) is Value:
        if type(right) is Value:
            return binary(<Value> left, <Value> right, values)
        if is_builtin_number(right):
            read_exact_number(right, &other)
            return with_number(<Value> left, other, number)
    elif type(right) is Value and is_builtin_number(left):
        read_exact_number(left, &other)
        return with_number(<Value> right, other, reflected)
    # subclasses, and numbers of other kinds
    if isinstance(left, Value):
        if isinstance(right, Value):
            return binary(<Value> left, <Value> right, values)
        if read_number(right, &other):
            return with_number(<Value> left, other, number)
    elif read_number(left, &other):
        return with_number(<Value> right, other, reflected)
    refuse_foreign_value(right if isinstance(left, Value) else left)
    return NotImplemented
