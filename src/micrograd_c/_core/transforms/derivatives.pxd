"""The C face of a walk: what the rules of runs, which go through many nodes at once, must know of it."""

from libc.stdint cimport int32_t, uint8_t

from micrograd_c._core.tape.arena cimport Node, Span
from micrograd_c._core.transforms.recorder cimport Recorder, Term


cdef class Walk:
    # The nodes from the lowest input up to the highest root.
    cdef Recorder recorder
    cdef int32_t low, high
    cdef int32_t count
    cdef uint8_t *marks
    cdef Term *terms        # adjoints or tangents
    cdef list roots, inputs     # Values
    cdef list keep              # Values that results must hold
    cdef list made              # Values to be held that were made on the way
    cdef set handed_out     # nodes that results have
    cdef object numbers     # local gradients of the node that is looked at, if its class keeps them; or None
    cdef bint plain         # only numbers are wanted: what can be computed as such leaves no node
    cdef int32_t old_top    # nodes from here on were recorded by this Walk
    cdef dict of_runs       # by a run's node: what the rules of runs know of its adjoints or tangents; see run_rules

    cdef int mark(self) except -1
    cdef int mark_wanted(self, Py_ssize_t first) except -1
    cdef bint leads(self, int32_t i) noexcept
    cdef bint any_leads(self, Span span) noexcept
    cdef void want(self, int32_t i) noexcept
    cdef void want_span(self, Span span) noexcept
    cdef bint is_reached(self, int32_t i) noexcept
    cdef bint is_on_the_way(self, int32_t i) noexcept
    cdef bint has_tangent(self, int32_t i) noexcept
    cdef int clear(self) except -1
    cdef int give(self, int32_t i, Term term) except -1
    cdef int share(self, int32_t i, Node *node, bint of_b, Term g, Term *out) except -1
    cdef int look_at(self, int32_t i, Node *node) except -1
    cdef int backward(self, int32_t root) except -1
    cdef int upward(self) except -1
    cdef int seed(self, list values, list pairs) except -1
    cdef object value_of(self, Term term)
    cdef Term term_of(self, object found) except *
    cdef list terms_of(self, list values)
    cdef int bundle(self) except -1
    cdef object result(self, Term term)
