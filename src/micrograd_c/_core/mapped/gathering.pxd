"""The C face of gathering: how a walk over a graph tells such a run from others. See gathering.pyx."""

from libc.stdint cimport int32_t, int64_t

from micrograd_c._core.mapped.batch cimport Batch
from micrograd_c._core.tape.arena cimport Edge, Native, Pushed

cdef Pushed push_gathered(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil
cpdef Batch batch_of(list values, tuple shape, int axis=*)
