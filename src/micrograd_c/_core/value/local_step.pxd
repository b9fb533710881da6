"""The C face of LocalStep. It and Value know each other's types: importing either module first does."""

from micrograd_c._core.value.value cimport Value


cdef class LocalStep:
    cdef Value value
