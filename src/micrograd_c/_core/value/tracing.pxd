"""The C face of tracing."""

from libc.stdint cimport int32_t

from micrograd_c._core.value.value cimport Value

cdef bint depends_on_argument(Value value) except -1
cdef bint depends_on_argument_at(int32_t index) except -1
cdef bint is_constant_at(int32_t index) except -1
cdef bint is_lost(int32_t index) noexcept
cdef bint was_assigned(int32_t index) noexcept
