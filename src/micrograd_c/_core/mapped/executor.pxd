"""The C face of runs: what a sum over the rows of one must know of it. See executor.pyx for the design."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from micrograd_c._core.mapped.columns cimport Column, Layout
from micrograd_c._core.mapped.passes cimport RunState
from micrograd_c._core.mapped.program cimport Kernels, Program
from micrograd_c._core.tape.arena cimport Span
from micrograd_c._core.value.value cimport Value


cdef class Run:
    cdef RunState state
    cdef readonly Program program
    cdef list parameters    # the Program's, and those that the call has given
    cdef object links       # the owner of the state's links
    cdef list sources       # the Runs that they lead to, and their nodes; None if there are none
    cdef list source_nodes
    cdef void *workspace    # slots and adjoints
    cdef size_t workspace_size
    cdef int32_t given_spans    # of given parameters that followed one another when they were read

    cdef int prepare(self, Runner runner, Program program, list given, int64_t rows) except -1
    cdef int take_workspace(self, size_t size) except -1
    cdef int read_parameters(self, list shared) except -1
    cdef int want_gradients(self) except -1
    cdef Value record_node(self)
    cdef int32_t read_span(self, int32_t k, Span span) noexcept
    cdef int32_t write_edges(self, int32_t room, uint8_t *flags) noexcept


cdef class Runner:
    cdef readonly Program program
    cdef readonly Program packed    # for few rows, once it was tried and if it is faster
    cdef int32_t few                # runs of few rows, until packing was tried
    cdef const Kernels *kernels
    cdef Layout layout      # None: arguments are never taken as they come
    cdef int32_t threads, width
    cdef size_t saved_bytes

    cdef Program program_for(self, int64_t rows)
    cdef Run run(self, const Column *columns, int64_t rows, list shared, list given)
    cdef Run run_buffers(self, tuple arguments)


cdef double *new_doubles(size_t count) except NULL
