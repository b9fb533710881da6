"""Links: from a run to those that have computed its arguments. Inline functions for its passes; see linking.pyx.

What a backward pass finds for the rows of an argument is kept apart until all of it is there: the pass may be stopped
by Ctrl-C, and is then done again.
"""

from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy

from micrograd_c._core.mapped.batch cimport Batch
from micrograd_c._core.mapped.columns cimport Columns, Layout
from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.passes cimport Link, RunState
from micrograd_c._core.mapped.seeding cimport ask, open_seeds
from micrograd_c._core.tape.rows cimport add_row
from micrograd_c._core.value.value cimport Value


cdef inline bint open_links(RunState *s, int64_t sweep) noexcept nogil:
    """Open the seeds of all those runs. False if there is no memory for it."""
    cdef int32_t k
    for k in range(s.link_count):
        if not open_seeds(s.links[k].run, sweep):
            return False
    return True


cdef inline void keep_row_gradients(RunState *s, const double *adjoints, int64_t block, int32_t rows) noexcept nogil:
    """Keep what a block's rows have got."""
    cdef double *to = s.row_gradients + block * s.block
    cdef int32_t k
    for k in range(s.link_count):
        if s.backward.given[s.links[k].slot]:
            memcpy(to + k * s.rows, adjoints + <int64_t> s.links[k].slot * s.width, rows * sizeof(double))


cdef inline void push_links(RunState *s) noexcept nogil:
    """Add what all rows have got to the seeds of the runs that they came from."""
    cdef const Link *link
    cdef const double *gradients
    cdef double *seeds
    cdef int64_t place, r
    cdef int32_t k
    for k in range(s.link_count):
        link = s.links + k
        if not s.backward.given[link.slot]:
            continue
        gradients, seeds = s.row_gradients + k * s.rows, link.run.seeds
        if link.stride == 1 and s.rows == link.run.rows:    # the rows of one output
            ask(link.run, <int32_t> (link.first // s.rows))
            add_row(seeds + link.first, gradients, s.rows)
            continue
        for r in range(s.rows):
            place = link.first + r * link.stride
            ask(link.run, <int32_t> (place // link.run.rows))
            seeds[place] += gradients[r]


cdef class Links:
    cdef Link *links
    cdef int32_t count

    cdef int begin(self, Run run) except -1
    cdef int add(self, Run run, int32_t input, Run source, Value node, int64_t first, int64_t stride) except -1
    cdef int add_column(self, Run run, int32_t input, Batch source, Py_ssize_t first, Py_ssize_t stride) except -1
    cdef int end(self, Run run) except -1


cdef int link(Run run, Columns columns, list sources) except -1
cdef int link_arguments(Run run, Layout layout, tuple arguments, tuple linked) except -1
