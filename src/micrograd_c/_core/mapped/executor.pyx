"""Runs: a Program's way over the rows of a batch, forward and, as a node on the tape, backward.

Knows Programs, the kernels, columns and the tape. Knows nothing of functions, nor of what is done with the results.

Design
------
A Run owns what its backward pass needs: each block's slots, or, where these would be more than `saved_bytes`, only the
inputs; then the forward pass of a block is done again. Its memory is one piece for numbers, one for gradients if they
are needed, and the workspace, which the next run of the same Program takes over: fresh pages would cost as much as the
arithmetic. What is done with all that is in passes.pyx.

On the tape a Run is a NATIVE node over the parameters, and over the Runs whose numbers were its arguments. The term of
the node's first edge points to the RunState; the node's Value holds the Run.
"""

import sys

from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.ref cimport PyObject
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from micrograd_c._core.mapped.columns cimport FEW, Column, Layout
from micrograd_c._core.mapped.packing cimport pack
from micrograd_c._core.mapped.parameter_spans cimport find_spans, length, span_from
from micrograd_c._core.mapped.passes cimport (
    NO_SWEEP, RunState, Seeds, blocks_of, clear_idle, forward_pass, push_run,
)
from micrograd_c._core.mapped.program cimport (
    LEAST_CHUNK, MOST_CHUNK, MOST_LANES, MOST_THREADS, Program, Stretch, find_kernels, free_backward, kernel_name,
    new_backward,
)
from micrograd_c._core.tape.arena cimport NO_TRACE, ODD, Edge, Span, reserve_nary, tape
from micrograd_c._core.tape.natives cimport record_native
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.tape.rows cimport bits_of_any
from micrograd_c._core.value.lifetime cimport hold_all
from micrograd_c._core.value.value cimport Value, bind, new_value

__all__ = ["Runner", "compiler", "instruction_sets"]

cdef extern from "ops/compiler.h":
    const char *COMPILER

cdef extern from "Python.h":
    int PyErr_CheckSignals() except -1

cdef Py_ssize_t LARGEST = sys.maxsize // 64        # numbers in one piece of memory, with room to count others

cdef enum:
    TOO_MANY = -1           # edges, for the room that there is
    LINE = 64               # bytes in a line of a processor's cache
    NARROW = 64             # rows in a block, at least, unless there are fewer
    WIDE = 512              # rows in a block, at most
    WORTH_A_THREAD = 1_000_000      # tenths of a nanosecond
    PACKED_FROM = 4         # the first run of few rows for which equal steps are packed
    CACHE = 512 * 1024      # bytes that a block's slots and adjoints should not exceed


# --- runs ---

cdef class Run:
    """One run, over some rows."""

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

    cdef int prepare(self, Runner runner, Program program, list given, int64_t rows) except -1:
        """Make room. Shared numbers, parameters and columns come later."""
        cdef RunState *s = &self.state
        cdef int64_t blocks, chunk
        cdef size_t slots, adjoints
        if rows > LARGEST // (program.slots + program.inputs + 2 * program.outputs + 1):
            raise MemoryError(f"no memory for {rows} rows")
        self.program, self.parameters = program, program.values
        if program.used_given:
            self.parameters = program.values + [given[k] for k in program.used_given]
        s.native.push, s.owner = push_run, <PyObject *> self
        s.code, s.kernels = &program.code, runner.kernels
        s.scalars, s.stretches, s.stretch_count = program.scalars, program.stretches, program.stretch_count
        s.cleared, s.cleared_count = program.cleared, program.cleared_count
        s.others, s.other_count = program.others, program.other_count
        s.input_places = program.input_places
        s.output_slots, s.output_adjoints = program.output_slots, program.output_adjoints
        s.whole, s.differentiable = program.backward, program.differentiable
        s.inputs, s.outputs, s.slots, s.adjoints = program.inputs, program.outputs, program.slots, program.adjoints
        s.uniforms, s.uses, s.scalar_count = program.uniforms, program.uses, program.scalar_count
        s.parameters = <int32_t> len(self.parameters)
        s.rows = rows
        s.width = MOST_LANES if program.packed else runner.width if runner.width > 1 else fitting_width(program, rows)
        s.block, s.places, s.input_slots = s.width, s.width, s.inputs
        if program.packed:
            s.block, s.places, s.input_slots = 1, 1, (s.inputs + MOST_LANES - 1) // MOST_LANES
        chunk = max(s.block, chunk_for(rows, program.work))
        s.blocks_of_chunk, s.chunks = <int32_t> (chunk // s.block), (rows + chunk - 1) // chunk
        s.threads = <int32_t> max(1, min(<int64_t> min(runner.threads, <int32_t> MOST_THREADS), s.chunks))
        s.seeded = NO_SWEEP
        blocks = blocks_of(s)
        if not s.differentiable:        # nobody reads a block's slots later
            blocks = min(blocks, <int64_t> s.threads)
        if blocks > s.threads and <size_t> blocks * s.slots * s.width * sizeof(double) > runner.saved_bytes:
            s.stored = new_doubles(<size_t> blocks * s.input_slots * s.width)
            blocks = s.threads
        slots = <size_t> blocks * s.slots * s.width
        adjoints = <size_t> s.threads * s.adjoints * s.width
        self.take_workspace((slots + adjoints) * sizeof(double) + LINE)
        s.slots_of_all = <double *> ((<size_t> self.workspace + LINE - 1) // LINE * LINE)
        s.adjoint_slots = s.slots_of_all + slots
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
        """Read all uniform numbers that are not computed. The shared ones are floats."""
        cdef RunState *s = &self.state
        cdef Program program = self.program
        cdef int32_t k = 0
        cdef int32_t j
        memcpy(s.uniform + s.parameters, program.constants + s.parameters, (s.uniforms - s.parameters) * sizeof(double))
        find_spans(program)
        s.is_direct = program.span_count == 1 and not program.scalar_count and len(program.values) == s.parameters
        if s.is_direct:
            read_directly(s, tape.data + program.spans[0].first)
            k = s.parameters
        for j in range(0 if s.is_direct else program.span_count):
            k = self.read_span(k, program.spans[j])
        self.given_spans = 0
        while k < s.parameters:
            k = self.read_span(k, span_from(self.parameters, k))
            self.given_spans += 1
        if shared is not None:
            for k in range(<int32_t> len(shared)):
                s.uniform[s.parameters + k] = PyFloat_AS_DOUBLE(shared[k])
        return 0

    cdef int32_t read_span(self, int32_t k, Span span) noexcept:
        """Read the parameters from the k-th on. Returns which one is next."""
        memcpy(self.state.uniform + k, tape.data + span.first, length(span) * sizeof(double))
        return k + length(span)

    cdef int want_gradients(self) except -1:
        """Make room now for what the backward pass leaves, as that cannot raise."""
        cdef RunState *s = &self.state
        cdef size_t seeds = <size_t> s.outputs * s.rows
        cdef size_t gradients = <size_t> s.chunks * s.uses + s.uniforms
        cdef size_t of_rows = <size_t> s.link_count * s.rows
        cdef Program program = self.program
        if s.differentiable > 1 and s.part == NULL:
            s.part = program.spare_backward if program.spare_backward != NULL else new_backward(program)
            program.spare_backward = NULL
        if s.seeds != NULL:
            return 0
        if self.sources is not None:
            for source in self.sources:
                (<Run> source).want_gradients()
        s.seeds = new_doubles(seeds + of_rows + gradients + s.outputs // sizeof(double) + 1)
        s.row_gradients = s.seeds + seeds
        s.gradients = s.row_gradients + of_rows
        s.asked = <uint8_t *> (s.gradients + gradients)
        s.backward = s.whole
        clear_idle(s)
        return 0

    cdef Value record_node(self):
        """Put the run on the tape. None if it can have no gradient."""
        cdef Program program = self.program
        cdef list parameters = self.parameters
        cdef list sources = self.source_nodes
        cdef list held = [self]
        cdef int32_t given = self.given_spans
        cdef int32_t edges = TOO_MANY
        cdef int32_t room
        cdef uint8_t flags = 0
        cdef Value node
        if not program.differentiable or tape.paused and paused_here():
            return None
        if sources is not None:
            held += sources
        node = new_value()
        while edges == TOO_MANY:        # other threads, or making room, may have moved what was found before
            find_spans(program)
            room = program.span_count + given + (<int32_t> len(sources) if sources is not None else 0)
            reserve_nary(&tape, 1, 1 + room)
            if program.moves == tape.moves:
                edges = self.write_edges(room, &flags)
                given = <int32_t> (len(parameters) - len(program.values))
        tape.edges[tape.edge_top] = Edge(0.0, 0, 0)
        bind(node, record_native(&tape, &self.state.native, 1 + edges, 0.0))
        if flags & ODD:
            for parameter in parameters:
                if tape.flags[(<Value> parameter).index] & ODD:
                    held.append(parameter)
        hold_all(node, tuple(held))
        return node

    cdef int32_t write_edges(self, int32_t room, uint8_t *flags) noexcept:
        """Write one for parameters that follow one another, from the tape's second free edge on; then for sources.

        Returns how many, or TOO_MANY if there is no room. Adds to `flags` those that any parameter has. The Program's
        spans must be those of now.
        """
        cdef Program program = self.program
        cdef Edge *edge = tape.edges + tape.edge_top
        cdef int32_t k = <int32_t> len(program.values)
        cdef int32_t count = 0
        cdef int32_t j
        cdef Span span
        for j in range(program.span_count):
            count += 1
            write_edge(edge + count, program.spans[j], flags)
        while k < self.state.parameters:
            if count == room:
                return TOO_MANY
            count += 1
            span = span_from(self.parameters, k)
            write_edge(edge + count, span, flags)
            k += length(span)
        if self.source_nodes is not None:
            if room - count < len(self.source_nodes):
                return TOO_MANY
            for source in self.source_nodes:
                count += 1
                edge[count] = Edge(0.0, (<Value> source).index, 0)
        return count


cdef void read_directly(RunState *s, const double *parameters) noexcept:
    """Copy parameters that follow one another to where they are used; those that are not `alone` by way of uniforms."""
    cdef const Stretch *it
    cdef int32_t k
    for k in range(s.stretch_count):
        it = s.stretches + k
        if it.alone:
            memcpy(s.numbers + it.use, parameters + it.uniform, it.count * sizeof(double))
    for k in range(s.other_count):
        it = s.others + k
        memcpy(s.uniform + it.uniform, parameters + it.uniform, it.count * sizeof(double))


cdef void write_edge(Edge *edge, Span span, uint8_t *flags) noexcept:
    flags[0] |= bits_of_any(tape.flags + span.first, length(span))
    edge[0] = Edge(0.0, span.first, span.end - 1)


cdef int64_t chunk_for(int64_t rows, int64_t work) noexcept:
    """How many rows a chunk has: few, so that threads have several, but enough to be worth a thread's trouble."""
    cdef int64_t chunk = MOST_CHUNK
    while chunk > LEAST_CHUNK and rows < 4 * chunk and chunk // 2 * work >= WORTH_A_THREAD:
        chunk //= 2
    return chunk


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


def compiler():
    """What compiled this module, with its version."""
    return (<bytes> COMPILER).decode()


cdef class Runner:
    """A Program, and how it is run: in how many threads, and in how much memory.

    `shapes` has the shape of a row of each argument if all arguments have rows, else it is None. `width`, if not 0, is
    the number of rows in a block, or 1 for a packed Program where there can be one, and `instruction_set` one of
    instruction_sets(): for tests and measurements.

    Raises ValueError for a width that is not 1 or a power of 2 from 8 to 2048, and for an unknown instruction set.
    """

    def __cinit__(self, Program program not None, list shapes, int threads, size_t saved_bytes, int width=0,
                  instruction_set=None):
        cdef bytes name
        if program.backward == NULL:
            raise TypeError("this Program was not made by the compiler")
        self.program, self.threads, self.saved_bytes, self.width = program, threads, saved_bytes, width
        if width > 1 and (not MOST_LANES <= width <= MOST_CHUNK or width & (width - 1)) or width < 0:
            raise ValueError(f"a block may have {MOST_LANES} to {MOST_CHUNK} rows, a power of 2, or 1, not {width}")
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

    cdef Program program_for(self, int64_t rows):
        """The one for few rows, if it is faster. It takes longer to make than such a run: some of them come first."""
        if self.width > 1 or not self.width and rows > MOST_LANES // 2:
            return self.program
        self.few += self.few < PACKED_FROM
        if self.few < PACKED_FROM and not self.width:
            return self.program
        if self.program.source is not None:
            self.packed = pack(self.program, self.kernels.lanes, self.width == 1)
            self.program.source = None
        if self.packed is None or not self.width and rows > self.packed.most_rows:
            return self.program
        return self.packed

    cdef Run run(self, const Column *columns, int64_t rows, list shared, list given):
        cdef Run run = Run.__new__(Run)
        cdef RunState *s = &run.state
        run.prepare(self, self.program_for(rows), given, rows)
        run.read_parameters(shared)
        s.columns = columns
        s.stopped = 1
        while s.stopped:
            with nogil:
                forward_pass(s)
            if s.stopped:
                PyErr_CheckSignals()    # if that does not raise, all is done again
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
            return self.run(columns, views[0].shape[0], None, None)
        finally:
            if columns != few:
                free(columns)
            self.layout.close(views)
