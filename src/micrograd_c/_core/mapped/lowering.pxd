"""The C face of the compiler of vmap: what packing must know of a trace that it has compiled. See lowering.pyx."""

from libc.stdint cimport int32_t

from micrograd_c._core.mapped.analysis cimport Analysis, Step, Traced
from micrograd_c._core.mapped.program cimport Instruction, Layer, Program


cdef class Compiler(Analysis):
    cdef Program program
    cdef int32_t slot_count
    cdef int32_t product_count      # sums of products that vary which have been written
    cdef int32_t take_count
    cdef int32_t loop_count
    cdef bint has_placed            # inputs are where steps of loops read them

    cdef int give_slots(self) except -1
    cdef int keep_what_gradients_need(self, Step *step) except -1
    cdef void keep(self, Traced *node, int reads) noexcept
    cdef bint wants_weights(self, int32_t layer) except -1
    cdef bint wants_biases(self, int32_t layer) except -1
    cdef int activation_of(self, Step *step) noexcept
    cdef int write_uniforms(self, Program program) except -1
    cdef int write_instructions(self) except -1
    cdef int32_t operand(self, int32_t k, int flag, Instruction *it, int32_t *use) noexcept
    cdef int32_t *write_layer(self, Step *step, int32_t *place) except NULL
    cdef void write_take(self, Step *step, Instruction *it) noexcept
    cdef int32_t *write_products(self, Step *step, int32_t *place) except NULL


cdef Program program_of(Compiler compiler)
cdef int32_t *numbers(list values) except NULL
