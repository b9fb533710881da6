"""Runs: a Program's way over the rows of a batch, forward and, as a node on the tape, backward.

Knows Programs, the kernels, columns and the tape. Knows nothing of functions, nor of what is done with the results.

Design
------
Rows go through the Program in blocks, whose slots fit a processor's cache; blocks make up chunks of CHUNK rows, which
threads share out. A Run owns what its backward pass needs: each block's slots, or, where these would be more than
`saved_bytes`, only the inputs, and the forward pass of a block is done again. Gradients of a chunk are summed apart
from those of others, and then in the chunks' order: neither the number of threads nor the size of blocks shows.

A Run is a NATIVE node over the parameters, whose edges' first term points to its RunState; the node's Value holds the
Run. What asks for gradients adds to the seeds, the adjoints of the outputs, before a sweep comes down to the Run; an
output that nothing asked of in that sweep takes no part in it. Its memory is one piece of numbers, one for gradients if
they are asked for, and the workspace, which the next run of the same Program takes over: fresh pages would cost as much
as the arithmetic.
"""

import sys

from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from micrograd_c._core.bulk.products cimport consecutive_weights
from micrograd_c._core.mapped.columns cimport FEW, Column, Layout, read_column
from micrograd_c._core.mapped.program cimport (
    CHUNK, MOST_LANES, MOST_THREADS, Program, Scalar, find_kernels, follow, free_backward, in_parallel, kernel_name,
    new_backward,
)
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    NO_TRACE, ODD, PUSH_INTERRUPTED, PUSHED, Edge, Native, Node, Pushed, goes_on, record, reserve_nary, tape,
)
from micrograd_c._core.tape.interrupts cimport is_interrupted
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.value.lifetime cimport hold_all
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["Runner", "instruction_sets"]

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef extern from "<time.h>" nogil:
    struct timespec:
        long tv_sec
        long tv_nsec
    int timespec_get(timespec *time, int base)
    int TIME_UTC

cdef double BETWEEN_LOOKS = 0.01    # seconds, from one look for Ctrl-C to the next

cdef Py_ssize_t LARGEST = sys.maxsize // 64        # numbers in one piece of memory, with room to count others

cdef enum:
    LINE = 64               # bytes of a line of a processor's cache
    NARROW = 64             # rows of a block, at least, unless there are fewer
    WIDE = 512              # and at most
    CACHE = 512 * 1024      # bytes that a block's slots and adjoints should not exceed


# --- blocks and chunks ---

cdef inline int64_t blocks_of(RunState *s) noexcept nogil:
    return (s.rows + s.width - 1) // s.width


cdef inline double *slots_of(RunState *s, int64_t block, int64_t thread) noexcept nogil:
    return s.slots_of_all + (block if s.stored == NULL else thread) * s.slots * s.width


cdef void read_inputs(RunState *s, int64_t block, int32_t rows, double *slots) noexcept nogil:
    """A block's inputs to its first slots, from the arguments or from where they were stored."""
    cdef double *stored = NULL
    cdef size_t size = <size_t> s.inputs * s.width
    cdef int32_t k
    if s.stored != NULL:
        stored = s.stored + block * size
    if s.columns == NULL:
        memcpy(slots, stored, size * sizeof(double))
        return
    for k in range(s.inputs):
        read_column(s.columns + k, block * s.width, rows, slots + <int64_t> k * s.width)
    if stored != NULL:
        memcpy(stored, slots, size * sizeof(double))


cdef inline void run_block(RunState *s, int64_t block, int32_t rows, double *slots) noexcept nogil:
    read_inputs(s, block, rows, slots)
    s.kernels.forward(s.code, slots, s.width, rows, s.numbers)


cdef double now() noexcept nogil:
    """In seconds."""
    cdef timespec time
    timespec_get(&time, TIME_UTC)
    return time.tv_sec + 1e-9 * time.tv_nsec


cdef bint is_stopped(RunState *s, int64_t block, int64_t chunk) noexcept nogil:
    """Whether to leave the rest. The thread of the first chunk, the caller's, looks for Ctrl-C now and then."""
    cdef double time
    if block % 4 == 3 and chunk % s.threads == 0 and not s.stopped:
        time = now()
        if time > s.looked + BETWEEN_LOOKS:
            s.looked = time
            if s.holds_lock:
                s.stopped = is_interrupted()
            else:
                with gil:
                    s.stopped = is_interrupted()
    return s.stopped


cdef void forward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * (CHUNK // s.width)
    cdef int64_t end = min(block + CHUNK // s.width, blocks_of(s))
    cdef double *slots
    cdef double *values
    cdef int32_t rows, k
    while block < end and not is_stopped(s, block, chunk):
        rows = <int32_t> min(<int64_t> s.width, s.rows - block * s.width)
        slots = slots_of(s, block, chunk % s.threads)
        run_block(s, block, rows, slots)
        for k in range(s.outputs):
            values = s.values + k * s.rows + block * s.width
            memcpy(values, slots + <int64_t> s.output_slots[k] * s.width, rows * sizeof(double))
        block += 1


cdef void backward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * (CHUNK // s.width)
    cdef int64_t end = min(block + CHUNK // s.width, blocks_of(s))
    cdef double *totals = s.totals + (chunk % s.threads) * s.uses * s.kernels.lanes
    cdef double *adjoints = s.adjoint_slots + (chunk % s.threads) * s.adjoints * s.width
    cdef double *slots
    cdef double *slot
    cdef bint fresh = True
    cdef int32_t rows, k
    while block < end and not is_stopped(s, block, chunk):
        rows = <int32_t> min(<int64_t> s.width, s.rows - block * s.width)
        slots = slots_of(s, block, chunk % s.threads)
        if s.stored != NULL:
            run_block(s, block, rows, slots)
        for k in range(s.outputs):
            if s.output_adjoints[k] >= 0:
                slot = adjoints + <int64_t> s.output_adjoints[k] * s.width
                memcpy(slot, s.seeds + k * s.rows + block * s.width, rows * sizeof(double))
        s.kernels.backward(&s.backward.code, slots, adjoints, s.width, rows, s.numbers, fresh, totals)
        fresh = False
        block += 1
    s.kernels.total(totals, s.uses, s.gradients + chunk * s.uses)


# --- numbers that are the same for all rows ---

cdef void compute_uniforms(RunState *s) noexcept nogil:
    """Those that are computed, from parameters and shared numbers; then all by use.

    As of rows, no operation raises: what is an error in Python is infinite or no number, as C has it.
    """
    cdef const Scalar *it
    cdef double *u = s.uniform
    cdef int32_t k
    for k in range(s.scalar_count):
        it = s.scalars + k
        if rules.has_two_operands(it.op):
            u[it.out] = rules.value_of_two(it.op, u[it.a], u[it.b])
        else:
            u[it.out] = rules.value(it.op, u[it.a])
    for k in range(s.uses):
        s.numbers[k] = u[s.used[k]]


cdef void push_uniforms(RunState *s, const double *by_use, double *gradients) noexcept nogil:
    """Add up the gradients of each use of a uniform, and go on to what it was computed from."""
    cdef const Scalar *it
    cdef double *u = s.uniform
    cdef double g, x, y
    cdef int32_t k
    memset(gradients, 0, s.uniforms * sizeof(double))
    for k in range(s.uses):
        gradients[s.used[k]] += by_use[k]
    for k in range(s.scalar_count - 1, -1, -1):
        it = s.backward.scalars + k
        g = gradients[it.out]
        x, y = u[it.a], u[it.b]
        if it.wants_a and rules.has_two_operands(it.op):
            gradients[it.a] += rules.pullback_a(it.op, x, y, g)
        elif it.wants_a:
            gradients[it.a] += rules.slope(it.op, x, u[it.out]) * g
        if it.wants_b:
            gradients[it.b] += rules.pullback_b(it.op, x, y, u[it.out], g)


cdef void choose_backward(RunState *s) noexcept nogil:
    """What a backward pass runs from those outputs that sums have asked for gradients in this sweep."""
    s.backward = s.whole
    if s.asked_count < s.differentiable:
        if memcmp(s.part.asked, s.asked, s.outputs):
            follow(s.part, s.asked)
        s.backward = s.part
        clear_idle(s)


cdef void clear_idle(RunState *s) noexcept nogil:
    """Uses that the backward pass gives nothing to add nothing."""
    cdef size_t lanes = s.kernels.lanes
    cdef int32_t k, j
    for k in range(s.backward.idle_count):
        for j in range(s.threads):
            memset(s.totals + (j * s.uses + s.backward.idle[k]) * lanes, 0, lanes * sizeof(double))


cdef bint find_seeds(RunState *s, int64_t sweep) noexcept nogil:
    """Whether sums have left any in this sweep. If they were put aside, they are in their place again.

    Meanwhile those go that belong to sweeps that have raised.
    """
    cdef Seeds **place = &s.aside
    cdef Seeds *found
    if s.seeded == sweep:
        return True
    while place[0] != NULL:
        found = place[0]
        if found.sweep == sweep:
            exchange(s, found)
        if found.sweep == NO_SWEEP or not goes_on(found.sweep):
            place[0] = found.next
            free(found)
        else:
            place = &found.next
    return s.seeded == sweep


cdef void exchange(RunState *s, Seeds *other) noexcept nogil:
    cdef int64_t k
    for k in range(s.outputs * s.rows):
        s.seeds[k], other.numbers[k] = other.numbers[k], s.seeds[k]
    for k in range(s.outputs):
        s.asked[k], other.asked[k] = other.asked[k], s.asked[k]
    s.asked_count, other.asked_count = other.asked_count, s.asked_count
    s.seeded, other.sweep = other.sweep, s.seeded


cdef bint put_aside(RunState *s) noexcept nogil:
    """Keep the seeds if their sweep will go on; if it has raised, nobody will ask. False if there is no memory."""
    cdef size_t numbers = s.outputs * s.rows * sizeof(double)
    cdef Seeds *kept
    if s.seeded != NO_SWEEP and goes_on(s.seeded):
        kept = <Seeds *> malloc(sizeof(Seeds) + numbers + s.outputs)
        if kept == NULL:
            return False
        kept.numbers = <double *> (kept + 1)
        kept.asked = <uint8_t *> kept.numbers + numbers
        kept.sweep, kept.asked_count, kept.next = s.seeded, s.asked_count, s.aside
        memcpy(kept.numbers, s.seeds, numbers)
        memcpy(kept.asked, s.asked, s.outputs)
        s.aside = kept
    s.seeded = NO_SWEEP
    return True


cdef Pushed push_run(
    Native *native, Node *nodes, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a Run's node: from the seeds that sums have left to the parameters' gradients."""
    cdef RunState *s = <RunState *> native
    cdef double *total = s.gradients
    cdef double *uniforms = s.gradients + s.chunks * s.uses
    cdef int64_t chunk
    cdef int32_t k
    if s.seeds == NULL or not s.rows or not find_seeds(s, sweep):   # no sum asked in this sweep, or of no row
        return PUSHED
    choose_backward(s)
    s.stopped, s.holds_lock, s.looked = 0, 1, now()
    in_parallel(backward_chunk, s, s.chunks, s.threads)
    if s.stopped:
        return PUSH_INTERRUPTED
    for chunk in range(1, s.chunks):
        for k in range(s.uses):
            total[k] += s.gradients[chunk * s.uses + k]
    push_uniforms(s, total, uniforms)
    for k in range(s.parameters):
        nodes[edges[1 + k // 2].b if k & 1 else edges[1 + k // 2].a].grad += uniforms[k]
    s.seeded = NO_SWEEP
    return PUSHED


# --- runs ---

cdef class Run:
    """One, over some rows."""

    def __dealloc__(self):
        cdef Program program = self.program
        cdef Seeds *aside
        free(self.state.uniform)
        free(self.state.stored)
        free(self.state.seeds)
        while self.state.aside != NULL:
            aside = self.state.aside
            self.state.aside = aside.next
            free(aside)
        if program is not None and program.spare_backward == NULL:
            program.spare_backward = self.state.part
        else:
            free_backward(self.state.part)
        if program is not None and program.spare == NULL:
            program.spare, program.spare_size = self.workspace, self.workspace_size
        else:
            free(self.workspace)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Run of vmap: call the function again")

    cdef int prepare(self, Runner runner, int64_t rows) except -1:
        """Make room. Shared numbers, parameters and columns are to follow."""
        cdef RunState *s = &self.state
        cdef Program program = runner.program
        cdef int64_t blocks
        cdef size_t slots, adjoints, totals
        if rows > LARGEST // (program.slots + program.inputs + 2 * program.outputs + 1):
            raise MemoryError(f"no memory for {rows} rows")
        self.program = program
        s.native.push = push_run
        s.code, s.kernels = &program.code, runner.kernels
        s.scalars, s.used = program.scalars, program.used
        s.output_slots, s.output_adjoints = program.output_slots, program.output_adjoints
        s.whole, s.differentiable = program.backward, program.differentiable
        s.inputs, s.outputs, s.slots, s.adjoints = program.inputs, program.outputs, program.slots, program.adjoints
        s.uniforms, s.uses, s.scalar_count = program.uniforms, program.uses, program.scalar_count
        s.parameters = <int32_t> len(program.values)
        s.rows = rows
        s.width = runner.width or fitting_width(program, rows)
        s.chunks = (rows + CHUNK - 1) // CHUNK
        s.threads = <int32_t> max(1, min(<int64_t> min(runner.threads, <int32_t> MOST_THREADS), s.chunks))
        s.seeded = NO_SWEEP
        blocks = blocks_of(s)
        if blocks > s.threads and <size_t> blocks * s.slots * s.width * sizeof(double) > runner.saved_bytes:
            s.stored = new_doubles(<size_t> blocks * s.inputs * s.width)
            blocks = s.threads
        slots = <size_t> blocks * s.slots * s.width
        adjoints = <size_t> s.threads * s.adjoints * s.width
        totals = <size_t> s.threads * s.uses * s.kernels.lanes
        self.take_workspace((slots + adjoints + totals) * sizeof(double) + LINE)
        s.slots_of_all = <double *> ((<size_t> self.workspace + LINE - 1) // LINE * LINE)
        s.adjoint_slots = s.slots_of_all + slots
        s.totals = s.adjoint_slots + adjoints
        s.uniform = new_doubles(s.uniforms + s.uses + <size_t> s.outputs * rows)
        s.numbers = s.uniform + s.uniforms
        s.values = s.numbers + s.uses
        return 0

    cdef int take_workspace(self, size_t size) except -1:
        cdef Program program = self.program
        if program.spare != NULL and size <= program.spare_size <= 2 * size:
            self.workspace, self.workspace_size = program.spare, program.spare_size
            program.spare = NULL
            return 0
        self.workspace = new_doubles(size // sizeof(double) + 1)
        self.workspace_size = size
        return 0

    cdef int read_parameters(self, list shared) except -1:
        """All uniform numbers that are not computed. The shared ones are floats."""
        cdef RunState *s = &self.state
        cdef list parameters = self.program.values
        cdef int32_t first = 0
        cdef int32_t k
        memcpy(s.uniform, self.program.constants, s.uniforms * sizeof(double))
        if s.parameters:
            first = consecutive_weights(&tape, <PyObject *> parameters, s.parameters)
        for k in range(s.parameters):
            s.uniform[k] = tape.nodes[first + k if first else (<Value> parameters[k]).index].data
        if shared is not None:
            for k in range(<int32_t> len(shared)):
                s.uniform[s.parameters + k] = PyFloat_AS_DOUBLE(shared[k])
        return 0

    cdef int want_gradients(self) except -1:
        """Make room for what the backward pass, which cannot raise, leaves."""
        cdef RunState *s = &self.state
        cdef size_t seeds = <size_t> s.outputs * s.rows
        cdef size_t gradients = <size_t> s.chunks * s.uses + s.uniforms
        cdef Program program = self.program
        if s.differentiable > 1 and s.part == NULL:
            s.part = program.spare_backward if program.spare_backward != NULL else new_backward(program)
            program.spare_backward = NULL
        if s.seeds != NULL:
            return 0
        s.seeds = new_doubles(seeds + gradients + s.outputs // sizeof(double) + 1)
        s.gradients = s.seeds + seeds
        s.asked = <uint8_t *> (s.gradients + gradients)
        s.backward = s.whole
        clear_idle(s)
        return 0

    cdef Value record_node(self):
        """Put the run on the tape. None if no gradient can be asked for."""
        cdef RunState *s = &self.state
        cdef list parameters = self.program.values
        cdef list held = [self]
        cdef int32_t count = s.parameters
        cdef int32_t edges = 1 + (count + 1) // 2
        cdef int32_t index, first, k
        cdef Edge *edge
        cdef Native *native = &s.native
        cdef Value node
        if not self.program.differentiable or tape.paused and paused_here():
            return None
        node = new_value()
        reserve_nary(&tape, 1, edges)
        index = record(&tape, rules.NATIVE, tape.edge_top, edges, 0.0, 0)
        edge = tape.edges + tape.edge_top
        tape.edge_top += edges
        edge[0] = Edge(0.0, 0, 0)
        memcpy(&edge[0].term, &native, sizeof(native))
        first = consecutive_weights(&tape, <PyObject *> parameters, count) if count else 0
        for k in range(0, count, 2):
            edge += 1
            edge[0] = Edge(0.0, first + k if first else (<Value> parameters[k]).index, 0)
            if k + 1 < count:
                edge.b = first + k + 1 if first else (<Value> parameters[k + 1]).index
        bind(node, index)
        for k in range(count):
            if tape.nodes[first + k if first else (<Value> parameters[k]).index].flags & ODD:
                held.append(parameters[k])
        hold_all(node, tuple(held))
        return node


cdef int fitting_width(Program program, int64_t rows) noexcept:
    cdef int width = WIDE
    while width > NARROW and <size_t> width * (program.slots + program.adjoints) * sizeof(double) > CACHE:
        width //= 2
    while width > MOST_LANES and width >= 2 * rows:
        width //= 2
    return width


cdef double *new_doubles(size_t count) except NULL:
    cdef double *memory = NULL
    if count <= <size_t> sys.maxsize // sizeof(double):
        memory = <double *> malloc((count or 1) * sizeof(double))
    if memory == NULL:
        raise MemoryError(f"no memory for {count} numbers")
    return memory


# --- what stays the same from run to run ---

def instruction_sets():
    """The sets of kernels that this processor can run, fastest first."""
    cdef int k = 0
    names = []
    while kernel_name(k) != NULL:
        names.append((<bytes> kernel_name(k)).decode())
        k += 1
    return names


cdef class Runner:
    """A Program, and how it is run: in how many threads, and in how much memory.

    `shapes` are those of a row of each argument, if all arguments have rows, else None. `width`, if not 0, is the
    number of rows of a block, and `instruction_set` one of instruction_sets(): for tests and measurements.

    Raises ValueError for a width that is no power of 2 from 8 to 2048, and for an unknown instruction set.
    """

    def __cinit__(self, Program program not None, list shapes, int threads, size_t saved_bytes, int width=0,
                  instruction_set=None):
        cdef bytes name
        if program.backward == NULL:
            raise TypeError("this Program was not made by the compiler")
        self.program, self.threads, self.saved_bytes, self.width = program, threads, saved_bytes, width
        if width and (not MOST_LANES <= width <= CHUNK or width & (width - 1)):
            raise ValueError(f"a block may have {MOST_LANES} to {CHUNK} rows, a power of 2, not {width}")
        if instruction_set is None:
            self.kernels = find_kernels(NULL)
        else:
            name = instruction_set.encode()
            self.kernels = find_kernels(name)
        if self.kernels == NULL:
            known = ", ".join(instruction_sets())
            raise ValueError(f"this processor does not have the instruction set {instruction_set!r}, but {known}")
        if shapes and len(shapes) <= FEW:
            self.layout = Layout(shapes)
            if self.layout.columns != program.inputs:
                raise ValueError(f"rows of {self.layout.columns} numbers for a program of {program.inputs} inputs")

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Runner of vmap: make another of its program")

    cdef Run run(self, const Column *columns, int64_t rows, list shared):
        cdef Run run = Run.__new__(Run)
        cdef RunState *s = &run.state
        run.prepare(self, rows)
        run.read_parameters(shared)
        s.columns = columns
        s.stopped = 1
        while s.stopped:
            s.stopped, s.holds_lock, s.looked = 0, 0, now()
            with nogil:
                compute_uniforms(s)
                in_parallel(forward_chunk, s, s.chunks, s.threads)
            if s.stopped:
                PyErr_CheckSignals()    # if that does not raise, once more
        s.columns = NULL
        return run

    cdef Run run_buffers(self, tuple arguments):
        """A Run over buffers as they come; None if they are not what the Program was made for."""
        cdef Py_buffer views[FEW]
        cdef Column few[4 * FEW]
        cdef Column *columns = few
        if self.layout is None or tape.traced != NO_TRACE or not self.layout.open(arguments, views):
            return None
        try:
            if self.layout.columns > 4 * FEW:
                columns = <Column *> new_doubles(self.layout.columns * sizeof(Column) // sizeof(double))
            self.layout.list_columns(views, columns)
            return self.run(columns, views[0].shape[0], None)
        finally:
            if columns != few:
                free(columns)
            self.layout.close(views)
