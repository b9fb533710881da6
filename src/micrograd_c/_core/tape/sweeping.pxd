"""The C face of sweeps."""

from libc.stdint cimport int32_t, int64_t

from micrograd_c._core.tape.arena cimport Node, Sweep, Tape

cdef int sweep(Tape *t, int32_t root) except -1
cdef int local_step(Tape *t, int32_t index, int64_t sweep) except -1
cdef int local_gradients(Tape *t, int32_t index, Node *operands) except -1
cdef void suspend(Tape *t, Sweep *sweep, int64_t number, bint calls_steps) noexcept
cdef void resume(Tape *t, Sweep *sweep) noexcept
cdef bint goes_on(int64_t number) noexcept nogil
cdef int64_t sweep_of_steps() noexcept
