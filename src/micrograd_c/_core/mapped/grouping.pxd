"""The C face of a Grouping, for packing. See grouping.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.lowering cimport Compiler


cdef class Grouping:
    cdef Compiler source
    cdef list groups        # of steps that may be done side by side, in order
    cdef list reads         # by step: the nodes that vary which it reads, in order
    cdef list reached       # by node: a gradient comes to it
    cdef list makers        # by step: the steps that make what it reads, each once, and NONE for inputs
    cdef list kinds         # by step: the number of its kind
    cdef list contexts      # by step: its phase, its kind, and roughly the kinds of what it reads

    cdef int begin(self, Compiler source) except -1
    cdef int find_reads(self) except -1
    cdef int find_reached(self) except -1
    cdef int find_kinds(self) except -1
    cdef tuple kind_of(self, int32_t k, bint exact)
    cdef object operand_kind(self, int32_t k, bint exact)
    cdef object rough_kind(self, int32_t k)
    cdef int find_groups(self) except -1
    cdef int add_ready(self, int32_t k, dict ready, dict sums, list heap) except -1


cdef bint has_side_by_side(Compiler source) except -1
