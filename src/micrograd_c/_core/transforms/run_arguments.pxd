"""The C face of what runs of derivatives are given. See run_arguments.pyx."""

from cpython cimport array
from libc.stdint cimport int64_t

from micrograd_c._core.mapped.columns cimport Columns
from micrograd_c._core.mapped.executor cimport Run, Runner
from micrograd_c._core.mapped.passes cimport Link
from micrograd_c._core.mapped.program cimport Program
from micrograd_c._core.transforms.derivatives cimport Walk
from micrograd_c._core.transforms.recorder cimport Term
from micrograd_c._core.value.value cimport Value


cdef class Made:
    # A run that was made.
    cdef Run run
    cdef Value node         # None: nothing that comes out has a gradient


cdef class Arguments:
    # Those of a run that is made: of the run that it is a derivative of, and then amounts.
    cdef Program program    # of the run
    cdef Columns columns
    cdef list linked        # of columns: which it is, the run and its node, where it begins there, and its stride
    cdef list given, shared
    cdef tuple linked_inputs    # those of the program

    cdef int begin(self, Run run, Py_ssize_t more) except -1
    cdef str amount(self, Walk walk, Term term)
    cdef str column(self, Run run, Value node, int64_t first, int64_t stride)
    cdef str numbers(self, array.array column)
    cdef Made made(self, Runner runner)


cdef array.array doubles(int64_t count)
cdef Value value_of(Walk walk, Term term)
cdef tuple source_of(Run run, const Link *link)
