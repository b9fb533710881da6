"""Values as a Batch: a run whose numbers are those of Values that are there, to which its gradients go on.

Knows runs, Batches and Values. So what was computed row by row, or as nodes, can be an argument of a mapped function.
"""

from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t

from micrograd_c._core.mapped.batch cimport Batch, new_batch
from micrograd_c._core.mapped.executor cimport Run, new_doubles
from micrograd_c._core.mapped.passes cimport NO_SWEEP, RunState, find_seeds
from micrograd_c._core.mapped.program cimport Backward, Program, allocate
from micrograd_c._core.tape.arena cimport PUSHED, Edge, Native, Pushed
from micrograd_c._core.tape.rows cimport add_row
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.value cimport Value

__all__ = ["batch_of"]

cdef Backward NO_PROGRAM        # what a run of no Program goes back through


cdef Pushed push_gathered(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of such a run's node: the seeds are the Values' gradients."""
    cdef RunState *s = <RunState *> native
    cdef const double *seeds = s.seeds
    cdef int32_t k, neighbours
    if s.seeds == NULL or not s.rows or not find_seeds(s, sweep):
        return PUSHED
    for k in range(1, count):
        neighbours = edges[k].b - edges[k].a + 1
        add_row(grads + edges[k].a, seeds, neighbours)
        seeds += neighbours
    s.seeded = NO_SWEEP
    return PUSHED


cpdef Batch batch_of(list values, tuple shape, int axis=0):
    """A Batch of that shape, with its rows along that axis, of Values in the order of nested lists.

    Raises TypeError for what is no Value, and ValueError if there are not as many as that shape has places.
    """
    cdef Run run = Run.__new__(Run)
    cdef RunState *s = &run.state
    cdef Program program = Program()
    cdef Py_ssize_t rows = shape[axis]
    cdef Py_ssize_t before = 1
    cdef Py_ssize_t after = 1
    cdef Py_ssize_t k, i, j, r
    cdef list ordered = []      # output by output
    for k in range(len(shape)):
        if k < axis:
            before *= shape[k]
        elif k > axis:
            after *= shape[k]
    if before * rows * after != len(values):
        raise ValueError(f"{len(values)} Values for a Batch of shape {shape}")
    for i in range(before):
        for j in range(after):
            for r in range(rows):
                ordered.append(values[(i * rows + r) * after + j])
    for value in ordered:
        check_initialised(<Value?> value)
    program.constants = <double *> allocate(1, sizeof(double))
    program.output_adjoints = <int32_t *> allocate(before * after, sizeof(int32_t))
    program.differentiable = 1
    run.program, run.parameters = program, ordered
    s.native.push, s.owner = push_gathered, <PyObject *> run
    s.output_adjoints, s.whole, s.differentiable = program.output_adjoints, &NO_PROGRAM, 1
    s.outputs, s.rows, s.parameters, s.uniforms = before * after, rows, <int32_t> len(ordered), <int32_t> len(ordered)
    s.seeded = NO_SWEEP
    s.uniform = s.values = new_doubles(len(ordered))
    run.read_parameters(None)
    return new_batch(run, run.record_node(), 0, shape[:axis] + shape[axis + 1:], axis)
