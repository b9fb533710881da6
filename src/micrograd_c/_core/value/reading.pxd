"""What Python code is told of a Value's number: part of value/value.pyx. A trace must know of it first."""

from cpython.object cimport Py_EQ, Py_NE, PyObject_RichCompare, richcmpfunc

from micrograd_c._core.ops.numbers cimport Number, as_python, read_number
from micrograd_c._core.tape.arena cimport tape
from micrograd_c._core.value.lifetime cimport refuse_foreign_value
from micrograd_c._core.value.observers cimport tell_of_read
from micrograd_c._core.value.value cimport Value

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        richcmpfunc tp_richcompare


cdef inline int note_read(Value value, str what) except -1:
    """To be called before data is read by Python code."""
    if value.index >= tape.traced:
        tell_of_read(value, what)
    return 0


cdef inline object compared(Value self, object other, int comparison):
    """Ordering compares data. Equality is identity, as in micrograd, so that Values work in sets and dicts."""
    cdef Number number
    if comparison == Py_EQ or comparison == Py_NE:      # != asks an __eq__ that somebody has written
        if self.index >= tape.traced and not isinstance(other, Value) and read_number(other, &number):
            note_read(self, "it is compared with a number, which it never equals, as Values are equal by identity,")
        return (<PyTypeObject *> object).tp_richcompare(self, other, comparison)
    note_read(self, "it is compared")
    if isinstance(other, Value):
        return PyObject_RichCompare(self.data, other.data, comparison)
    if not read_number(other, &number):
        refuse_foreign_value(other)
        return NotImplemented
    return PyObject_RichCompare(self.data, as_python(number.value, number.is_int), comparison)
