"""The C face of no_grad blocks. See pausing.pyx."""

from libc.stdint cimport int32_t

cdef bint paused_here() noexcept
cdef void ignore_blocks(bint on) noexcept
cdef void count_blocks(int32_t *counter) noexcept
cdef int forget_other_threads() except -1
