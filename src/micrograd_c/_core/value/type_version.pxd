"""Whether a class is as it was when last looked at: CPython itself counts its versions."""

cdef extern from *:
    """
    /* A number that is another one after any change to the type or its bases; 0 while there is none. Looking up an
       attribute of the type gives it one. */
    static inline unsigned int micrograd_c_version_of(PyObject *type) {
    #if PY_VERSION_HEX < 0x030C0000
        if (!PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_VALID_VERSION_TAG)) return 0;
    #endif
        return ((PyTypeObject *)type)->tp_version_tag;
    }
    """
    unsigned int version_of "micrograd_c_version_of" (object type) noexcept


cdef inline bint is_version(object type, unsigned int version) noexcept:
    return version != 0 and version_of(type) == version
