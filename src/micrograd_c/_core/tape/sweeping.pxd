"""The C face of sweeps."""

from libc.stdint cimport int32_t, int64_t

from micrograd_c._core.tape.arena cimport Node, Sweep, Tape

ctypedef int (*PutAside)(void *context) except -1

cdef struct Aside:      # somebody has put gradients aside for a sweep, in which Ctrl-C may be handled
    PutAside put_back   # before the handler runs
    PutAside go_on      # after it, unless it raises
    void *context

cdef Aside *aside       # or NULL

cdef int sweep(Tape *t, int32_t root) except -1
cdef int handle_signals() except -1
cdef int local_step(Tape *t, int32_t index, int64_t sweep) except -1
cdef int local_gradients(Tape *t, int32_t index, Node *operands) except -1
cdef void suspend(Tape *t, Sweep *sweep, int64_t number, bint calls_steps) noexcept
cdef void resume(Tape *t, Sweep *sweep) noexcept
cdef bint goes_on(int64_t number) noexcept nogil
cdef int64_t sweep_of_steps() noexcept
