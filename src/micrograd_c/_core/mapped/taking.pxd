"""The C face of take: how a trace tells it from other nodes."""

from libc.stdint cimport int32_t

from micrograd_c._core.value.value cimport Value

cdef bint is_take(int32_t index) noexcept
cdef Value record_take(list values, Value index)
cdef int32_t node_of_take(list nodes) except -1
