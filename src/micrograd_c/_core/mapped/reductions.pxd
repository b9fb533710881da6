"""The C face of reductions: sums over numbers of a run as Values. See reductions.pyx."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t

from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.tape.arena cimport Edge, Native, Pushed
from micrograd_c._core.value.value cimport Value


cdef struct ReductionState:
    Native native           # must be first: the node points to it
    PyObject *owner         # the Reduction, borrowed
    Part part               # of a run, if it can have gradients; or only its count
    Part of_weights         # where the weights are from, likewise
    const double *numbers   # those of the part
    double *weights         # one for each number, or NULL
    double scale
    double freedom          # of a standard deviation: rows - ddof; else 0


cdef class Reduction:
    cdef ReductionState state
    cdef Run run, weights_run
    cdef Value node, weights_node   # theirs, or None: there can be no gradient
    cdef object owner       # of the numbers, if no run's

    cdef double *new_weights(self) except NULL
    cdef Value as_value(self, double number)


cdef Pushed push_reduction(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil
cdef Reduction new_reduction(const double *numbers, Part part, double scale)
cdef double weighted_sum(const double *numbers, int64_t count, const double *weights, double start) noexcept
cdef double extreme(const double *numbers, int64_t count, bint largest, double *weights) noexcept
cdef double deviation(const double *numbers, int64_t count, double ddof, double *weights) noexcept
