"""micrograd's operators as the nodes they leave on the tape: `a - b` is `a + (b * -1)`, `a / b` is `a * b**-1`.

Knows tape, rules and numbers; nothing of Value. Each function wants ROOM nodes reserved, and computes what may raise
before it records, so that an error leaves no node behind.
"""

from cpython.long cimport PyLong_FromDouble
from libc.math cimport isfinite
from libc.stdint cimport int32_t, uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport (
    DATA_INT, NUMBER_BASE, Tape, record, record_leaf, settle,
)


cdef enum:
    ROOM = 4

ctypedef int32_t (*Binary)(Tape *t, int32_t a, int32_t b) except -1
ctypedef int32_t (*WithNumber)(Tape *t, int32_t a, Number number) except -1


cdef inline int32_t record_sum(Tape *t, int32_t a, int32_t b) noexcept:
    cdef double data = t.data[a] + t.data[b]
    cdef uint8_t data_int = t.flags[a] & t.flags[b] & DATA_INT
    if data_int:
        data_int = settle(&data)
    return record(t, rules.ADD, a, b, data, data_int)


cdef inline int32_t record_product(Tape *t, int32_t a, int32_t b) noexcept:
    cdef double data = t.data[a] * t.data[b]
    cdef uint8_t data_int = t.flags[a] & t.flags[b] & DATA_INT
    if data_int:
        data_int = settle(&data)
    return record(t, rules.MUL, a, b, data, data_int)


cdef inline int32_t add(Tape *t, int32_t a, int32_t b) except -1:
    return record_sum(t, a, b)


cdef inline int32_t add_number(Tape *t, int32_t a, Number number) except -1:
    return record_sum(t, a, record_leaf(t, number.value, number.is_int))


cdef inline int32_t multiply(Tape *t, int32_t a, int32_t b) except -1:
    return record_product(t, a, b)


cdef inline int32_t multiply_number(Tape *t, int32_t a, Number number) except -1:
    return record_product(t, a, record_leaf(t, number.value, number.is_int))


cdef inline int32_t negate(Tape *t, int32_t a) except -1:
    return record_product(t, a, record_leaf(t, -1.0, DATA_INT))


cdef inline int32_t subtract(Tape *t, int32_t a, int32_t b) except -1:
    return record_sum(t, a, negate(t, b))


cdef inline int32_t subtract_number(Tape *t, int32_t a, Number number) except -1:
    return record_sum(t, a, record_leaf(t, 0.0 - number.value if number.is_int else -number.value, number.is_int))


cdef inline int32_t subtract_from_number(Tape *t, int32_t a, Number number) except -1:
    cdef int32_t negative = negate(t, a)
    return record_sum(t, negative, record_leaf(t, number.value, number.is_int))


cdef inline int32_t divide(Tape *t, int32_t a, int32_t b) except -1:
    return record_product(t, a, power_number(t, b, Number(-1.0, DATA_INT)))


cdef inline int32_t divide_number(Tape *t, int32_t a, Number number) except -1:
    cdef double inverse = rules.power(number.value, -1.0)
    return record_product(t, a, record_leaf(t, inverse, 0))


cdef inline int32_t divide_into_number(Tape *t, int32_t a, Number number) except -1:
    cdef int32_t inverse = power_number(t, a, Number(-1.0, DATA_INT))
    return record_product(t, inverse, record_leaf(t, number.value, number.is_int))


cdef inline int32_t power_number(Tape *t, int32_t a, Number number) except -1:
    cdef Number data = power_of_numbers(Number(t.data[a], t.flags[a] & DATA_INT), number)
    return record(t, rules.POWER, a, record_leaf(t, number.value, number.is_int), data.value, data.is_int)


cdef inline int32_t power(Tape *t, int32_t a, int32_t b) except -1:
    cdef Number data = power_of_numbers(
        Number(t.data[a], t.flags[a] & DATA_INT), Number(t.data[b], t.flags[b] & DATA_INT)
    )
    return record_pow(t, a, b, data, 0)


cdef inline Number power_of_numbers(Number x, Number y) except *:
    cdef Number result = Number(rules.power(x.value, y.value), x.is_int & y.is_int & (y.value >= 0.0))
    if result.is_int:
        result.is_int = settle(&result.value)
        if not result.is_int:   # Python rounds once, from the exact int
            result.value = <double> (PyLong_FromDouble(x.value) ** PyLong_FromDouble(y.value))
    return result


cdef inline int32_t power_of_number(Tape *t, int32_t a, Number number) except -1:
    cdef Number data = power_of_numbers(number, Number(t.data[a], t.flags[a] & DATA_INT))
    return record_pow(t, record_leaf(t, number.value, number.is_int), a, data, NUMBER_BASE)


cdef inline int32_t record_pow(Tape *t, int32_t a, int32_t b, Number data, uint8_t state) noexcept:
    cdef int32_t index = record(t, rules.POW, a, b, data.value, data.is_int)
    t.dot[index] = state
    return index


cdef inline int32_t unary(Tape *t, int32_t a, int op) except -1:
    cdef double x = t.data[a]
    cdef double y = rules.value(op, x)
    if not isfinite(y) and isfinite(x) or y != y and x == x:
        raise rules.domain_error(op, x)
    return record(t, op, a, 0, y, DATA_INT if rules.result_is_int(op, x, t.flags[a] & DATA_INT) else 0)
