"""The C face of local_step.pyx. Its types and Value know each other's types: importing either module first does."""

from micrograd_c._core.value.value cimport Value


cdef class LocalStep:
    cdef Value value


cdef class FormerStep(LocalStep):
    cdef Value former
