"""The C face of reductions: sums over numbers of a run as Values. See reductions.pyx."""

from libc.stdint cimport int64_t

from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.tape.arena cimport Native
from micrograd_c._core.value.value cimport Value


cdef struct ReductionState:
    Native native           # must be first: the node points to it
    Part part
    double *weights         # one for each number, or NULL
    double scale


cdef class Reduction:
    cdef ReductionState state
    cdef Run run

    cdef double *new_weights(self) except NULL


cdef Reduction new_reduction(Run run, Part part, double scale)
cdef Value record_reduction(Reduction reduction, Value node, double number)
cdef double weighted_sum(const double *numbers, int64_t count, const double *weights, double start) noexcept
cdef double extreme(const double *numbers, int64_t count, bint largest, double *weights) noexcept
cdef double deviation(const double *numbers, int64_t count, double ddof, double *weights) noexcept
