"""The C face of batches: what links between runs must know of one. See batch.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.reductions cimport Reduction
from micrograd_c._core.value.value cimport Value


cdef class Batch:
    cdef Run run            # None for a copy, and for a Batch that nothing has made
    cdef Value node         # the run's, None if there can be no gradient
    cdef object owner       # of a copy's numbers
    cdef double *values
    cdef Py_ssize_t rows
    cdef int32_t output

    cdef Reduction reduction(self, double scale)
    cdef Value total(self, object weights, double scale, double start=*)
    cdef Value extreme(self, bint largest)
