"""The C face of tracing."""

from libc.stdint cimport int32_t

cdef bint was_assigned(int32_t index) noexcept
