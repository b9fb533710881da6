"""Python numbers to a double and a flag, and back. Knows nothing of nodes or Value."""

from cpython.complex cimport PyComplex_Check
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_Check, PyFloat_CheckExact, PyFloat_FromDouble
from cpython.long cimport PyLong_AsDouble, PyLong_Check, PyLong_CheckExact, PyLong_FromDouble
from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject_HasAttr
from libc.stdint cimport uint8_t


cdef struct Number:
    double value
    uint8_t is_int      # 1 where Python would hold an int, else 0


cdef inline bint fits_int(double value) noexcept nogil:
    """Below 2**53 every whole double is the int it stands for; from there on an int becomes a float."""
    return -9007199254740992.0 < value < 9007199254740992.0


cdef inline bint is_builtin_number(object source) noexcept:
    return PyFloat_CheckExact(source) or PyLong_CheckExact(source)


cdef inline bint read_exact_number(object source, Number *number) except -1:
    """Read a float or int, np.float64 and other subclasses too. Runs no Python code. False for all else."""
    if PyFloat_Check(source):
        number.value = PyFloat_AS_DOUBLE(source)
        number.is_int = 0
        return True
    if PyLong_Check(source):
        number.value = PyLong_AsDouble(source)
        number.is_int = fits_int(number.value)
        return True
    return False


cdef inline bint is_without_axes(object array) except -1:
    """Whether it is one number of NumPy, PyTorch or the like, whose types have a length whatever the shape is."""
    return PyObject_HasAttr(array, "item") and getattr(array, "ndim", None) == 0


cdef inline bint read_number(object source, Number *number) except -1:
    """Read a number. False if it is none: no float or int, nor a scalar that turns into one."""
    if read_exact_number(source, number):
        return True
    # scalars of other libraries; what has a length is an array, even of one element, but for one without axes
    if PyComplex_Check(source):
        return False
    if PyObject_HasAttr(source, "__len__"):
        return is_without_axes(source) and read_exact_number(source.item(), number)
    if PyObject_HasAttr(source, "__index__") and PyObject_HasAttr(source, "numerator"):     # np.bool_ lacks that
        return read_exact_number(PyNumber_Index(source), number)
    if PyObject_HasAttr(source, "dtype") and read_exact_number(source.item(), number):
        return True
    if not PyObject_HasAttr(source, "__float__") and not PyObject_HasAttr(source, "__index__"):
        return False
    number.value = float(source)
    number.is_int = 0
    return True


cdef inline object as_python(double value, bint is_int):
    """The int or float that a node's data or grad shows."""
    if is_int and fits_int(value):
        return PyLong_FromDouble(value)
    return PyFloat_FromDouble(value)
