"""The C face of old_data.pyx."""

from micrograd_c._core.value.value cimport Value

cdef int sweep_by_old_data(Value root) except -1
