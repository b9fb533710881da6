"""The C face of a Program, for those who run it, and of kernels/kernels.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from micrograd_c._core.tape.arena cimport Span

cdef extern from "kernels.h":
    enum:
        MOST_LANES
        LEAST_CHUNK, MOST_CHUNK
        MOST_THREADS
        DO_MOVE, DO_LAYER, DO_PRODUCTS, DO_GATHER, DO_TAKE, DO_LOOP, LOOP_END
        NO_PLACE
        A_UNIFORM, B_UNIFORM, A_FIRST, B_FIRST

    ctypedef struct Loop

    ctypedef struct Instruction:
        int32_t op, out, a, b, adjoint, adjoint_a, adjoint_b, flags, lanes

    ctypedef struct Layer:
        int32_t inputs, outputs, activation, weights, biases, wants_weights, wants_biases, adds_weights, adds_biases
        int32_t group, lanes
        const Layer *others
        const int32_t *in_ "in"
        const int32_t *starts
        const int32_t *out
        const int32_t *adjoint_in
        const int32_t *adjoint_starts
        const int32_t *first_in
        const int32_t *first_starts
        const int32_t *adjoint_out

    ctypedef struct Products:
        int32_t count
        const int32_t *a
        const int32_t *b
        const int32_t *adjoint_a
        const int32_t *adjoint_b
        const int32_t *first_a
        const int32_t *first_b

    ctypedef struct Gather:
        int32_t[8] from_ "from"     # MOST_LANES
        int32_t count
        const int32_t *to
        const int32_t *first

    ctypedef struct Take:
        int32_t first, count, adds

    ctypedef struct Code:
        const Instruction *instructions
        const Layer *layers
        const Products *products
        const Gather *gathers
        const Take *takes
        const Loop *loops
        int32_t count

    ctypedef struct LoopPart:
        Code code
        const uint8_t *asked
        const uint8_t *reached

    ctypedef struct Loop:
        int32_t steps, carried, got, same, given, first, stride, kept, first_use, uses
        const Code *code
        const int32_t *starts
        const int32_t *gets
        const int32_t *sames
        const int32_t *outs
        const int32_t *ends
        int32_t inner
        const int32_t *adjoint_outs
        const int32_t *adjoint_ins
        const int32_t *adjoint_ends
        const int32_t *adjoint_starts
        const int32_t *adjoint_gets
        const int32_t *adjoint_sames
        const LoopPart **parts
        const uint8_t *first_starts
        const uint8_t *first_gets
        const int32_t *first_sames

    ctypedef struct Kernels:
        const char *name
        int lanes
        void (*forward)(
            const Code *code, double *slots, int32_t width, int32_t rows, const double *numbers
        ) noexcept nogil
        void (*backward)(
            const Code *code, const double *slots, double *adjoints, int32_t width, int32_t rows,
            const double *numbers, int fresh, double *totals
        ) noexcept nogil

    const Kernels *find_kernels "micrograd_c_kernels"(const char *name) noexcept nogil
    const char *kernel_name "micrograd_c_kernel_name"(int k) noexcept nogil
    void in_parallel "micrograd_c_parallel"(
        void (*work)(void *context, int64_t k) noexcept nogil, void *context, int64_t count, int threads
    ) noexcept nogil


cdef struct Scalar:         # an op on uniforms
    int32_t op              # one of rules
    int32_t out, a, b       # numbers of uniforms
    int32_t wants_a, wants_b    # 1: that operand's gradient is needed


cdef struct Stretch:        # of uses of uniforms that follow one another, like the uses
    int32_t use, uniform    # the first ones
    int32_t count
    int32_t again           # 1: one before has some of these uniforms, too
    int32_t alone           # 1: all are parameters, of which no other one has any


cdef struct Backward


cdef struct Variant:        # what a loop's steps do backward from some of their outputs, and what that was made of
    LoopPart part
    uint8_t *reached
    Backward *backward
    Variant *next


cdef struct LoopRoom:       # what a Backward finds of a loop
    Variant *variants       # all that were ever wanted
    const LoopPart **parts  # by step
    uint8_t *asked          # of a step
    uint8_t *first_starts
    uint8_t *first_gets
    int32_t *first_sames


cdef struct Sizes:          # how much room a Backward needs, by what there is in the Program
    int32_t instructions, stretches, products, gathers, takes, loops
    size_t inputs, widest, outputs, factors, gathered


cdef struct Backward:
    # The part of a Program that a backward pass from some of the outputs runs. Nothing else may take part in it: 0
    # times an infinite slope is NaN.
    Code code               # with one layer for each stretch of a layer's outputs that a gradient comes to
    Scalar *scalars         # the Program's; no gradient is needed of operands of those that none comes to
    int32_t *idle           # stretches of uses that no gradient goes to: of each the first one, and how many there are
    int32_t idle_count      # of stretches
    uint8_t *asked          # by output: 1 for those that the pass starts from
    # the Program's
    const Code *whole
    const Scalar *all_scalars
    const int32_t *used
    const int32_t *output_adjoints
    Backward **steps        # of each loop, that of the code of a step, from all outputs
    const int32_t *input_adjoints
    int32_t inputs, outputs, adjoints, uses, uniforms, scalar_count
    int32_t places          # in an adjoint slot, of which output_adjoints has one each
    # room, and what `follow` finds on its way
    Instruction *instructions
    Layer *layers
    int32_t *first_in       # of each layer's first stretch
    int32_t *first_starts   # of each layer
    Products *products
    int32_t *first_factors  # of all products: those of each, a's and then b's
    Gather *gathers
    int32_t *first_gathered     # of all gathers
    Take *takes
    Loop *loops
    LoopRoom *loop_rooms
    int32_t *not_first      # of all others
    uint8_t *given          # by adjoint slot: something was given to it
    uint8_t *busy           # by use: a gradient goes to it
    Layer **latest          # by a layer's first use: the one that had it last, if others can join it
    uint8_t *reached        # by uniform
    int32_t room            # how many instructions there may be
    Sizes sizes


cdef class Program:
    cdef list values                # whose data is read at each call: the first uniforms
    cdef readonly int given         # Values that a call gives
    cdef list used_given            # which of them are used: the next uniforms
    cdef Code code                  # of the forward pass; `follow` finds which of it is run backward
    cdef Backward *backward         # from all outputs
    cdef Backward *spare_backward   # one that a run has left
    cdef Scalar *scalars
    cdef double *constants          # what uniforms start from
    cdef int32_t *used              # the uniform of each use
    cdef Stretch *stretches         # the same
    cdef int32_t stretch_count
    cdef Stretch *cleared           # of uniforms whose gradients are not begun by a stretch that is not `again`
    cdef int32_t cleared_count
    cdef Stretch *others            # of parameters that are in no stretch that is `alone`
    cdef int32_t other_count
    cdef int32_t *input_places      # slots, of inputs that lie where a step of a loop reads them; NULL if none does
    cdef int32_t *output_slots
    cdef int32_t *output_adjoints   # -1: no gradient flows through it
    cdef int32_t *input_adjoints    # likewise, of linked columns, or of what a loop's step reads; else NULL
    cdef Instruction *instructions
    cdef Layer *layers
    cdef Products *products
    cdef Gather *gathers
    cdef Take *takes
    cdef Loop *loops
    cdef Backward **steps           # of each loop, that of the code of a step
    cdef list bodies                # of each loop, the Program of a step
    cdef int32_t *numbers           # all lists of slots, one after the other
    cdef object source              # the Compiler, as packing needs it; None if there is too much of it
    cdef bint packed                # for one row at a time; see packing.pyx
    cdef Program plain              # if packed: the one that it was made of
    cdef readonly dict derived      # Runners of its derivatives, by what is wanted of them
    cdef readonly int most_rows     # if packed: with more, another Program is faster
    cdef readonly int inputs        # slots 0 to inputs - 1, or `input_places`; if packed, places from 0 on
    cdef readonly int shared        # uniforms after these
    cdef int64_t work               # for a row, in tenths of a nanosecond, roughly
    cdef readonly int outputs, slots, adjoints, uniforms, uses, scalar_count
    cdef readonly int differentiable    # how many outputs depend on a parameter
    cdef readonly list varying          # by output: whether it differs from row to row
    cdef Span *spans                # of the nodes of values; see parameter_spans.pxd
    cdef int32_t span_count, span_room
    cdef int64_t moves              # the tape's when they were found
    cdef void *spare                # a workspace that a run has left
    cdef size_t spare_size


cdef void *allocate(size_t count, size_t size) except NULL
cdef Backward *new_backward(Program program) except NULL
cdef void free_backward(Backward *b) noexcept nogil
cdef int start_backward(Program program) except -1
cdef bint follow(Backward *b, const uint8_t *asked) noexcept nogil
cdef Backward *room_like(const Backward *like) noexcept nogil
