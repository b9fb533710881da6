"""The C face of activations.pyx: which op a neuron's activation is, and that op recorded."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, uint8_t

cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport DATA_INT, Tape, arrays_of, new_flags, write

cdef str RELU

cdef bint activations_are_ours() except -1
cdef int other_activation_op(PyObject *activation) noexcept


cdef inline int32_t record_activation(Tape *t, int32_t sum, PyObject *activation) noexcept:
    """Record a neuron's activation, or make it part of the dot. Returns its node, or 0 if it is not one of ours."""
    cdef int op = activation_op(activation)
    cdef double x = t.data[sum]
    cdef uint8_t data_int = t.flags[sum] & DATA_INT
    cdef int32_t index = sum
    if not op:
        return 0
    if t.op[sum] == rules.DOT:
        t.activation[sum] = op
    else:
        index = t.top
        t.top += 1
        write(arrays_of(t), index, op, sum, 0, 0.0, new_flags(t, 0))
    if op == rules.RELU:    # by far the commonest; the compiler knows the rules of a constant op
        t.data[index] = rules.value(rules.RELU, x)
        data_int = rules.result_is_int(rules.RELU, x, data_int)
    else:
        t.data[index] = rules.value_of_other(op, x)
        data_int = rules.other_result_is_int(op, x, data_int)
    if data_int:
        t.flags[index] |= new_flags(t, DATA_INT)
    return index


cdef inline int activation_op(PyObject *activation) noexcept:
    """The op, or 0 if it is not one of ours. A neuron without any has micrograd's."""
    return rules.RELU if activation == <PyObject *> RELU or activation == NULL else other_activation_op(activation)
