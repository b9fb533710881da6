"""The C face of an Analysis: what is known about the nodes of a trace. See analysis.pyx."""

from libc.stdint cimport int32_t, uint8_t

from micrograd_c._core.mapped.program cimport Program
from micrograd_c._core.mapped.rolling cimport Rolled


cdef enum:
    NONE = -1
    MOST_ARRAYS = 20

cdef enum Kind:
    CONSTANT = 1        # the same in all runs
    UNIFORM             # the same for all rows
    VARYING


cdef struct Traced:
    double data
    int32_t op, a, b    # operands by their place in the array, or NONE; of DO_TAKE the index
    int32_t entries, entry_count    # of DO_TAKE where the column of the table is in `entries`, of DO_LOOP what it
    # reads; of LOOP_END, entries is its number
    int32_t uses
    int32_t uniform     # its number among the uniforms, or NONE
    int32_t dot         # the number of the dot that it is the sum of, or NONE
    int32_t activation  # for a dot's sum: its relu, tanh or sigmoid, if nothing else uses the sum, or NONE
    int32_t slot
    int32_t adjoint     # adjoint slot, or NONE
    int32_t last        # the last step that reads it
    uint8_t kind
    uint8_t differentiable  # a gradient flows through it to a parameter
    uint8_t part        # it is part of a dot, and has no step of its own
    uint8_t hopeless    # no dot ends here
    uint8_t kept        # its slot is not given back
    uint8_t steady      # in a loop's step: in some step it may be the same for all rows


cdef struct Dot:
    int32_t start       # what the products are added to; a bias, if it is uniform
    int32_t terms       # where they begin in the list of all terms
    int32_t count
    int32_t sum         # the node
    bint varies         # all factors vary


cdef struct Term:
    int32_t w, x        # the uniform and the varying factor; or, if all vary, any two


cdef struct Step:       # what becomes an instruction
    int32_t layer       # its number, or NONE
    int32_t products    # the number of the dot whose factors all vary, or NONE
    int32_t loop        # the node of a loop, or NONE
    int32_t outs, out_count     # nodes written: where they begin, how many there are
    int32_t reads, read_count   # varying nodes read, likewise
    int32_t start_count         # so many of these, the last ones, are what a layer's sums start from
    int32_t use         # its first use of a uniform; of a layer, the first weight's
    int32_t biases      # a layer's first bias's use


cdef class LoopStep:        # a loop in another program
    cdef Rolled rolled
    cdef object compiler    # of a step
    cdef Program program    # likewise
    cdef list ends          # by number: the node of what the loop leaves, or NONE
    cdef list given         # which of what a step gives is read anywhere
    cdef list same          # which of what is the same for all steps varies: places in the node's entries
    cdef list uniforms      # by uniform of the step's program: ours
    cdef int32_t first, kept, stride    # see Loop in kernels.h
    cdef int32_t first_use, number


cdef class Analysis:
    cdef void *owned[MOST_ARRAYS]
    cdef int owned_count
    cdef Traced *nodes
    cdef int32_t count, parameter_count, uniform_count, dot_count, step_count, read_count, use_count
    cdef list parameters        # Values
    cdef list outputs, inputs, shared, given    # places in the array; of given Values those that are used
    cdef list linked            # inputs to which gradients go, by their places in that list
    cdef list varying           # by output: whether it differs from row to row
    cdef list used_given        # which of them these are
    cdef int given_count        # how many there are
    cdef list layers            # lists of dots
    cdef Dot *dots
    cdef Term *terms
    cdef Step *steps
    cdef int32_t *outs
    cdef int32_t *reads
    cdef int32_t *entries       # of columns of tables: places in the array
    cdef int32_t entry_count
    cdef int32_t *used          # by use: the uniform
    cdef dict layer_counts      # by the first weight's use: how many layers have it
    cdef dict loops             # by node: a LoopStep
    cdef dict constants         # by the bits of a number: the uniform
    cdef dict other_constants   # by uniform: those that only steps of loops have
    cdef list steady            # of a loop's step, by input: whether it is `steady`; else None
    cdef int32_t carried        # of a loop's step: how many of its inputs, and of its outputs, are carried
    cdef bint is_inexact        # rows compute something steady in another way than what is the same for all rows
    cdef size_t saved_bytes     # that loops may keep

    cdef void *room(self, size_t count, size_t size) except NULL
    cdef int classify(self) except -1
    cdef void new_uniform(self, int32_t k) noexcept
    cdef int32_t constant(self, double number) except -1
    cdef int compile_loop(self, int32_t k) except -1


cdef bint is_steady(const Traced *node) noexcept
cdef int refuse(int32_t index) except -1
cdef int32_t index_of(object output) except -1
