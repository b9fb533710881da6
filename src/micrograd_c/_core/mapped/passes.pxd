"""The C face of passes: what they need of a run, which owns it all. See executor.pyx and passes.pyx."""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t

from micrograd_c._core.mapped.columns cimport Column
from micrograd_c._core.mapped.program cimport Backward, Code, Kernels, Scalar, Stretch
from micrograd_c._core.tape.arena cimport Edge, Native, Pushed


cdef enum:
    NO_SWEEP = -1


cdef struct Seeds:          # what sums have left for a sweep, while another one runs in the middle of it
    int64_t sweep
    int32_t asked_count
    Seeds *next
    double *numbers         # as `seeds` and `asked` of a RunState, in the same piece of memory as this
    uint8_t *asked


cdef struct RunState


cdef struct Link:           # a column of a run's arguments is numbers of another run
    RunState *run
    int64_t first, stride   # where they are among that run's numbers
    int32_t slot            # the column's adjoint slot
    int32_t input           # which column it is


cdef struct RunState:
    Native native           # must be first: the node points to it
    PyObject *owner         # the Run, borrowed
    const Code *code
    const Kernels *kernels
    const Scalar *scalars
    const Stretch *stretches
    const Stretch *cleared
    const Stretch *others
    const int32_t *input_places     # NULL if inputs are in the first slots
    const int32_t *output_slots
    const int32_t *output_adjoints
    const Backward *backward    # what the backward pass runs
    const Backward *whole       # the one from all outputs
    Backward *part              # one from some of them; NULL if gradients come from one output only
    int32_t inputs, outputs, slots, adjoints, uniforms, uses, scalar_count, parameters
    int32_t stretch_count, cleared_count, other_count
    int32_t differentiable  # how many outputs gradients can come from
    int32_t width           # numbers in a slot
    int32_t block           # rows in a block: as many, or, of a packed program, one
    int32_t blocks_of_chunk
    int32_t places          # numbers for each of output_slots and output_adjoints: as many, or one
    int32_t input_slots     # slots of inputs, the first ones
    int32_t is_direct       # 1: stretches that are alone were read from the tape, and no uniform is computed
    int32_t threads
    int32_t holds_lock      # 1: Python's lock is held while it runs
    int32_t stopped         # 1: Ctrl-C was pressed, and the rest is left undone
    double looked           # when Ctrl-C was last looked for, in seconds
    int64_t rows, chunks
    const Column *columns   # NULL after the forward pass
    double *slots_of_all    # of all blocks if they are saved, else of one block per thread
    double *stored          # inputs of all blocks if slots are not saved, else NULL
    double *adjoint_slots   # of one block per thread
    double *uniform         # the numbers of uniforms,
    double *numbers         # and the same numbers by use
    double *values          # by output, all rows
    double *seeds           # adjoints, by output, all rows; NULL until gradients may be needed
    double *gradients       # of uses, chunk by chunk; the first chunk's become the sum of all; then those of uniforms
    double *row_gradients   # of linked columns, all rows
    const Link *links
    int32_t link_count
    int64_t seeded          # the sweep that the seeds belong to, or NO_SWEEP
    Seeds *aside            # the seeds of other sweeps, in the middle of which that one runs
    uint8_t *asked          # by output: 1 if a sum of it took part in that sweep
    int32_t asked_count


cdef void forward_pass(RunState *s) noexcept nogil
cdef Pushed push_run(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil
cdef void clear_idle(RunState *s) noexcept nogil
cdef bint find_seeds(RunState *s, int64_t sweep) noexcept nogil
cdef bint put_aside(RunState *s) noexcept nogil


cdef inline int64_t blocks_of(RunState *s) noexcept nogil:
    return (s.rows + s.block - 1) // s.block
