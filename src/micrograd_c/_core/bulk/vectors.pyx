"""Data and gradients of many Values into one array of doubles, and back. What the array is for is told in flat.py.

Knows Value and the tape.

Design
------
Where all are plain Values nobody's Python code has a say in their numbers, and one loop over nodes moves them. All else
goes through the attributes `data` and `grad` of each: a subclass with properties of its own, properties that were
replaced, and a trace, which wants to know what is read and assigned to.
"""

from cpython cimport array
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

from micrograd_c._core.bulk.products cimport PyList_GET_ITEM, consecutive_weights, is_value
from micrograd_c._core.tape.arena cimport DATA_INT, GRAD_FLOAT, NO_TRACE, tape
from micrograd_c._core.tape.changes cimport note_change
from micrograd_c._core.tape.missing_gradients cimport is_minus_zero
from micrograd_c._core.value.lifetime cimport check_initialised, describe
from micrograd_c._core.value.observers cimport announce_assignments
from micrograd_c._core.value.value cimport Value, properties_are_ours


def distinct(values):
    """A list of the Values, each once, at its first place; by identity. Raises TypeError for anything else."""
    cdef list given
    try:
        given = list(values)
    except TypeError:
        raise TypeError(f"flat wants a list of Values, as model.parameters() is, not {describe(values)}") from None
    if given and consecutive_weights(&tape, <PyObject *> given, len(given)):
        return given        # neighbours on the tape are as many Values
    for one in given:
        if not isinstance(one, Value):
            raise TypeError(f"flat wants Values, not {describe(one)}")
        check_initialised(<Value> one)
    return list({id(one): one for one in given}.values())


def read_data(list values not None, array.array numbers not None):
    cdef double *to = doubles(numbers, values)
    cdef Py_ssize_t i
    if not are_plain(values):
        for i, one in enumerate(values):
            numbers[i] = one.data
        return
    for i in range(len(values)):
        to[i] = tape.data[node_of(values, i)]


def read_gradients(list values not None, array.array numbers not None):
    """A gradient of None is 0.0."""
    cdef double *to = doubles(numbers, values)
    cdef int32_t node
    cdef Py_ssize_t i
    if not are_plain(values):
        for i, one in enumerate(values):
            gradient = one.grad
            numbers[i] = 0.0 if gradient is None else gradient
        return
    for i in range(len(values)):
        node = node_of(values, i)
        to[i] = tape.grad[node]
        if not tape.flags[node] & GRAD_FLOAT:
            to[i] += 0.0        # no int is -0.0


def write_data(list values not None, array.array numbers not None):
    """As floats. Nodes that were computed from the Values keep their data, as after any assignment."""
    cdef double *source = doubles(numbers, values)
    cdef int32_t node
    cdef Py_ssize_t i
    if not are_plain(values):
        for one, number in zip(values, numbers):
            one.data = number
        return
    announce_assignments(values)
    for i in range(len(values)):
        node = node_of(values, i)
        note_change(&tape, node)
        tape.data[node] = source[i]
        tape.flags[node] &= ~DATA_INT


def write_gradients(list values not None, array.array numbers not None):
    """As floats."""
    cdef double *source = doubles(numbers, values)
    cdef int32_t node
    cdef Py_ssize_t i
    if not are_plain(values):
        for one, number in zip(values, numbers):
            one.grad = number
        return
    for i in range(len(values)):
        node = node_of(values, i)
        tape.grad[node] = source[i]
        tape.flags[node] |= GRAD_FLOAT
        tape.minus_zeros |= is_minus_zero(source[i])


cdef inline int32_t node_of(list values, Py_ssize_t i) noexcept:
    return (<Value> PyList_GET_ITEM(<PyObject *> values, i)).index


cdef bint are_plain(list values) except -1:
    """Whether nodes can be read and written without asking anybody. Runs no Python code after it has looked at them."""
    if tape.traced != NO_TRACE or not properties_are_ours():
        return False
    for one in values:
        if not is_value(<PyObject *> one) or not (<Value> one).index:
            return False
    return True


cdef double *doubles(array.array numbers, list values) except? NULL:     # that of no numbers is NULL
    if numbers.typecode != "d" or len(numbers) != len(values):
        raise ValueError(f"there are {len(values)} Values, and {len(numbers)} numbers of type {numbers.typecode!r}")
    return numbers.data.as_doubles


def weigh(array.array numbers not None, double factor, double divisor):
    """Set each number x to x * factor / divisor."""
    cdef Py_ssize_t i
    if numbers.typecode != "d":
        raise ValueError(f"weigh wants doubles, not numbers of type {numbers.typecode!r}")
    for i in range(len(numbers)):
        numbers.data.as_doubles[i] = numbers.data.as_doubles[i] * factor / divisor
