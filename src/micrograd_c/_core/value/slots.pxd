"""What the slots of the type Value call, see value_type.h: part of value/value.pyx."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t

from micrograd_c._core.tape.arena cimport record_leaf, release, reserve, tape
from micrograd_c._core.value.lifetime cimport anchor, has_plain_attributes, leave_state, track
from micrograd_c._core.value.recording cimport by_rule
from micrograd_c._core.value.value cimport Extra, Value, bind, new_value

cdef extern from "value_type.h":
    ctypedef struct PyTypeObject:
        pass
    int install_value_type(
        PyTypeObject *type, Py_ssize_t dict_offset, void (*keep_if_reached)(PyObject *) noexcept,
        void (*let_go)(PyObject *) noexcept, void (*dealloc)(PyObject *) noexcept, object (*leaf)(object),
        bint (*has_plain_data)(PyObject *) noexcept, bint (*clear_all_but_plain_data)(PyObject *) noexcept,
        object (*function)(object, int),
    ) except -1
    bint can_be_spared(PyObject *o) noexcept
    void spare(PyObject *o) noexcept
    void value_dealloc(PyObject *o) noexcept
    void value_let_go(PyObject *o) noexcept


cdef inline int fill_slots() except -1:
    """To be called once, when the class is made."""
    cdef Value value = Value.__new__(Value)
    tape.index_offset = <char *> &value.index - <char *> <void *> value
    install_value_type(
        <PyTypeObject *> Value, <char *> &value.attributes - <char *> <void *> value, keep_if_reached, let_go,
        dealloc, leaf, has_plain_data, clear_all_but_plain_data, function,
    )
    return 0


cdef inline object leaf(object number):
    cdef Value value = new_value()
    reserve(&tape, 1)
    bind(value, record_leaf(&tape, <double> number, 0))
    return value


cdef inline object function(object value, int op):
    return by_rule(<Value> value, op)


cdef inline void keep_if_reached(PyObject *handle) noexcept:
    """Nobody refers to a Value any more but weakly: live Values computed from it, if any, now do."""
    value = <Value> handle
    if value.index and not value.has_state and value.index != tape.top - 1 and anchor(value):
        value.has_state = 1
        track(value)


cdef inline void let_go(PyObject *handle) noexcept:
    """A Value dies: its node may go."""
    cdef int32_t index = (<Value> handle).index
    # nothing was computed from the last node
    if tape.states != NULL and index and index != tape.top - 1 and not (<Value> handle).has_state:
        leave_state(<Value> handle)
    forget_node(handle)


cdef inline void forget_node(PyObject *handle) noexcept:
    cdef int32_t index = (<Value> handle).index
    if index:
        (<Value> handle).index = 0
        (<Value> handle).plain = 0
        release(&tape, index)


cdef inline bint has_plain_data(PyObject *handle) noexcept:
    return not (<Value> handle).has_state and has_plain_attributes(<Value> handle)


cdef inline bint clear_all_but_plain_data(PyObject *handle) noexcept:
    value = <Value> handle
    if value.has_state:
        return False
    if isinstance(value.extra, Extra):
        (<Extra> value.extra).prev = None
        (<Extra> value.extra).keep = None
    else:
        value.extra = None
    return True


cdef inline void dealloc(PyObject *handle) noexcept:
    """A plain Value is as a new one once it has let go of its node."""
    if (<Value> handle).plain and can_be_spared(handle):
        if tape.states == NULL:
            forget_node(handle)
        else:
            value_let_go(handle)
        spare(handle)
    else:
        value_dealloc(handle)
