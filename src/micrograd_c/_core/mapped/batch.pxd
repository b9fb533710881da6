"""The C face of batches: what links between runs must know of one. See batch.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.reductions cimport Reduction
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.value.value cimport Value


cdef class Batch:
    cdef Run run            # None for a copy, and for a Batch that nothing has made
    cdef Value node         # the run's, None if there can be no gradient
    cdef object owner       # of a copy's numbers
    cdef double *values     # output by output, all rows
    cdef Py_ssize_t rows
    cdef Py_ssize_t size    # how many numbers there are
    cdef int32_t output, outputs    # the first one, and how many there are
    cdef Py_ssize_t *layout     # with more than one axis: lengths, then strides in bytes; else NULL
    cdef int ndim           # how many these are; 0 with one
    cdef int axis           # the rows'

    cdef int lay_out(self, tuple shape, int axis) except -1
    cdef object listed(self, const char *place, int axis)
    cdef Part part(self)
    cdef Reduction reduction(self, double scale)
    cdef Value total(self, object weights, double scale, double start=*)
    cdef Value chosen(self, bint largest)


cdef Batch new_batch(Run run, Value node, int32_t output, tuple shape, int axis)
