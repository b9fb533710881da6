"""The C face of loops in a trace: how a trace tells them from other nodes."""

from libc.stdint cimport int32_t


cdef class Rolled:
    cdef int32_t steps, carried, got, given
    cdef list leaves        # indexes of what stands for what a step reads: what is carried, and what it gets
    cdef list outs          # Values: what a step carries on, and what it gives
    cdef list same          # indexes of what else it reads
    cdef dict ends          # by number: the index of what the loop leaves


cdef bint is_loop(int32_t index) noexcept
cdef bint is_loop_end(int32_t index) noexcept
cdef Rolled rolled_at(int32_t index)
cdef list operands_of(int32_t index)
cdef int32_t copy_of_loop(int32_t index, list nodes) except -1
cdef int32_t end_of_loop(int32_t loop, int32_t number) except -1
cdef dict ends_of(int32_t index)
cdef int32_t loop_of_end(int32_t index) noexcept
cdef int32_t number_of_end(int32_t index) noexcept
cdef bint is_of_a_step(int32_t index) except -1
cdef int write_out() except -1
cdef bint has_one_row() noexcept
