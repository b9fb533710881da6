"""Value(...): the node that is made, and what its handle begins with. Part of value/value.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.ops.numbers cimport Number
from micrograd_c._core.tape.arena cimport abandon, record_leaf, reserve_nary, tape, want_states
from micrograd_c._core.value.lifetime cimport (
    check_children, describe, forget_graph, has_plain_attributes, hold_children, take_number, track,
)
from micrograd_c._core.value.local_gradients cimport (
    are_local_grads, check_count, check_order, children_given, numbers_of, record_local,
)
from micrograd_c._core.value.observers cimport tell_of_custom
from micrograd_c._core.value.operands cimport record_custom
from micrograd_c._core.value.plain_classes cimport is_plain_class
from micrograd_c._core.value.value cimport Value, bind

cdef extern from "Python.h":
    void PyObject_GC_UnTrack(object o)


cdef inline int construct(
    Value self, object data, object _children, object _op, object label, object children, object local_grads
) except -1:
    """What Value.__init__ does. The Value may have been initialised before: then it gets another node."""
    cdef Number number
    cdef tuple inputs = children_given(_children, children)
    cdef tuple slopes = None
    cdef int32_t before
    if not take_number(data, &number):
        raise TypeError(f"Value wants a number as data, not {describe(data)}")
    if type(_op) is not str and are_local_grads(_op):
        if local_grads is not None:
            raise TypeError("local gradients are given twice: as the third argument and as local_grads=")
        local_grads, _op = _op, ""
    if local_grads is not None:
        check_order(_children if children is None else children)
        slopes = numbers_of(local_grads)
        check_count(slopes, len(inputs))
    check_children(inputs)
    reserve_nary(&tape, 1, len(inputs))
    before, self.of_trace = self.index, 0
    if not inputs:
        bind(self, record_leaf(&tape, number.value, number.is_int))
    elif slopes is not None:
        bind(self, record_local(inputs, slopes, number))
    else:
        bind(self, record_custom(inputs, number))
    if before:
        abandon(&tape, before)
        forget_graph(self)
    if not self.has_state and self.extra is None and is_plain_class(type(self)) and has_plain_attributes(self):
        if type(self) is not Value or self.attributes != NULL:
            want_states(&tape)
        PyObject_GC_UnTrack(self)
    else:
        track(self)
        self.has_state = 1
    hold_children(self, inputs)
    if inputs and slopes is None and self.index >= tape.traced:
        tell_of_custom()
    if _op != "":
        self._op = _op
    if label is not None:
        self.label = label
    return 0
