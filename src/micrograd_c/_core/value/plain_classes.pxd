"""The C face of what is known about subclasses of Value. See plain_classes.pyx."""

cdef bint is_plain_class(object kind) noexcept
cdef bint can_be_left(object kind) noexcept
cdef int look_at_value(type value) except -1


cdef inline bint is_plain_data(object one) noexcept:
    """Text, a number, None or a bool: nothing that could refer to a Value, or run Python code when it goes."""
    return one is None or type(one) is str or type(one) is float or type(one) is int or type(one) is bool or (
        type(one) is bytes or type(one) is complex or is_static_float(one))


cdef extern from *:
    """
    /* np.float64: a subclass of float that is no Python class, and of which Python's collector knows nothing. */
    static inline int micrograd_c_is_static_float(PyObject *o) {
        return PyFloat_Check(o)
            && !PyType_HasFeature(Py_TYPE(o), Py_TPFLAGS_HEAPTYPE) && !PyType_IS_GC(Py_TYPE(o));
    }
    """
    bint is_static_float "micrograd_c_is_static_float"(object one) noexcept
