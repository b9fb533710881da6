"""Batches: a Program run over rows, the numbers that came out, and their sums as Values on the tape.

Knows Programs, the kernels and the tape. Knows nothing of functions or of how arguments are given: those come as
columns of numbers.

Design
------
Rows go through the Program in blocks, whose slots fit a processor's cache; blocks make up chunks of CHUNK rows, which
threads share out. A Run owns what its backward pass needs: each block's slots, or, where these would be more than
`saved_bytes`, only the inputs, and the forward pass of a block is done again. Gradients of a chunk are summed apart
from those of others, and then in the chunks' order: neither the number of threads nor the size of blocks shows.

A Run is a NATIVE node over the parameters; a sum of one of its Batches is one over that. Both nodes point to C structs
inside Python objects, Run and Reduction, which their Values hold, and with them all that is computed from those. A
sweep comes to all sums before it comes to the Run; each adds to the Run's seeds, the adjoints of the outputs.
"""

import sys

from cpython.buffer cimport (
    PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from cpython.ref cimport PyObject
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
)
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from micrograd_c cimport rules
from micrograd_c.engine cimport Value, bind, new_value
from micrograd_c.program cimport CHUNK, Code, Kernels, Program, Scalar, find_kernels, in_parallel, kernel_name
from micrograd_c.state cimport hold_all
from micrograd_c.products cimport consecutive_weights
from micrograd_c.tape cimport Edge, Native, Node, ODD, paused_here, record, record_leaf, reserve, reserve_nary, tape

__all__ = ["Batch", "Columns", "Numbers", "columns_of", "empty", "instruction_sets", "run"]

cdef const Kernels *fastest = find_kernels(NULL)
cdef bint LITTLE = sys.byteorder == "little"

cdef enum:
    NARROW = 64             # rows of a block, at least
    WIDE = 512              # and at most
    CACHE = 512 * 1024      # bytes that a block's slots and adjoints should not exceed


# --- kernels ---

def instruction_sets():
    """The sets of kernels that this processor can run, fastest first."""
    cdef int k = 0
    names = []
    while kernel_name(k) != NULL:
        names.append((<bytes> kernel_name(k)).decode())
        k += 1
    return names


# --- columns of numbers ---

cdef struct Column:
    const char *first       # the number of the first row
    Py_ssize_t stride       # bytes to that of the next
    char kind               # as in struct's formats


cdef class Columns:
    """The numbers of all rows, input by input, without a copy of buffers."""
    cdef Column *columns
    cdef readonly Py_ssize_t count, rows
    cdef Py_ssize_t room
    cdef list buffers       # (BufferHolder)

    def __cinit__(self, Py_ssize_t room):
        self.columns = <Column *> malloc(max(room, 1) * sizeof(Column))
        if self.columns == NULL:
            raise MemoryError(f"no memory for {room} inputs")
        self.room = room
        self.buffers = []

    def __dealloc__(self):
        free(self.columns)

    def add(self, Numbers numbers):
        """All columns of an array whose first axis is rows."""
        cdef Py_ssize_t k, offset
        cdef Column *column
        if self.count and numbers.shape[0] != self.rows:
            raise ValueError(f"{numbers.shape[0]} rows, but {self.rows} before")
        self.rows = numbers.shape[0]
        self.buffers.append(numbers)
        for k in range(numbers.columns):
            if self.count == self.room:
                raise ValueError("more columns than were announced")
            offset = numbers.offset(k)
            column = self.columns + self.count
            column.first = numbers.start + offset
            column.stride = numbers.strides[0]
            column.kind = numbers.kind
            self.count += 1


cdef class Numbers:
    """A buffer of numbers, whose first axis may be rows."""
    cdef Py_buffer view
    cdef Py_ssize_t strides[64]         # PyBUF_MAX_NDIM
    cdef bint open
    cdef const char *start
    cdef readonly tuple shape
    cdef readonly Py_ssize_t columns    # numbers a row
    cdef char kind

    def __cinit__(self, source):
        cdef Py_ssize_t stride
        cdef int axis
        PyObject_GetBuffer(source, &self.view, PyBUF_FORMAT | PyBUF_ND | PyBUF_STRIDES)
        self.open = True
        stride = self.view.itemsize
        for axis in range(self.view.ndim - 1, -1, -1):      # ctypes gives no strides
            self.strides[axis] = stride if self.view.strides == NULL else self.view.strides[axis]
            stride *= self.view.shape[axis]
        self.start = <const char *> self.view.buf
        self.shape = tuple([self.view.shape[k] for k in range(self.view.ndim)])
        self.kind = b"d"
        if self.view.format == NULL or self.view.format[0] != b"d" or self.view.format[1]:
            self.kind = kind_of(self.format, self.view.itemsize)
        self.columns = 1
        for k in range(1, self.view.ndim):
            self.columns *= self.view.shape[k]

    def __dealloc__(self):
        if self.open:
            PyBuffer_Release(&self.view)

    @property
    def format(self):
        """As in struct."""
        return (<bytes> self.view.format).decode() if self.view.format != NULL else "B"

    @property
    def readable(self):
        """False for numbers of other formats than vmap takes."""
        return self.kind != 0

    cdef Py_ssize_t offset(self, Py_ssize_t k):
        """In bytes, of the k-th number of a row."""
        cdef Py_ssize_t offset = 0
        cdef int axis
        for axis in range(self.view.ndim - 1, 0, -1):
            offset += k % self.view.shape[axis] * self.strides[axis]
            k //= self.view.shape[axis]
        return offset

    def flat(self):
        """All numbers as floats, in order; for arguments that are the same for all rows."""
        cdef Py_ssize_t i, k
        cdef list result = []
        cdef Py_ssize_t rows = self.view.shape[0] if self.view.ndim else 1
        cdef Py_ssize_t stride = self.strides[0] if self.view.ndim else 0
        for i in range(rows):
            for k in range(self.columns):
                result.append(number_at(self.start + i * stride + self.offset(k), self.kind))
        return result


def columns_of(tuple arguments not None):
    """(structure, Columns) of arguments that are nothing but buffers with a row each; None for others."""
    cdef Numbers numbers
    cdef list all_numbers = []
    cdef list structure = []
    cdef Columns columns
    cdef Py_ssize_t count = 0
    for argument in arguments:
        if not PyObject_CheckBuffer(argument):
            return None
        numbers = as_numbers(argument)
        if numbers is None or not numbers.kind or not numbers.view.ndim:
            return None
        count += numbers.columns
        all_numbers.append(numbers)
        structure.append(numbers.shape[1:])
    columns = Columns(count)
    for numbers in all_numbers:
        if columns.count and numbers.view.shape[0] != columns.rows:
            return None
        columns.add(numbers)
    return tuple(structure), columns


cdef Numbers as_numbers(object argument):
    try:
        return Numbers(argument)
    except (BufferError, ValueError):       # an array of a kind that has no buffer
        return None


cdef class Empty:
    """A buffer without numbers, of a shape that memoryview.cast cannot make."""
    cdef Py_ssize_t shape[8]
    cdef Py_ssize_t strides[8]
    cdef int count
    cdef double nothing

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        buffer.buf, buffer.obj, buffer.len, buffer.itemsize = &self.nothing, self, 0, sizeof(double)
        buffer.readonly, buffer.ndim, buffer.format = 1, self.count, <char *> b"d"
        buffer.shape, buffer.strides, buffer.suboffsets, buffer.internal = self.shape, self.strides, NULL, NULL


def empty(tuple shape):
    """A buffer of floats of a shape with a 0 in it."""
    cdef Empty made = Empty.__new__(Empty)
    made.count = <int> min(len(shape), 8)
    for k in range(made.count):
        made.shape[k] = shape[k]
        made.strides[k] = 8
    return made


cdef char kind_of(str text, Py_ssize_t size) except? -1:
    """A format as one of "dfbhiqBHIQ", by size; 0 if it is none of numbers, or of another byte order."""
    text = text.lstrip("@=<" if LITTLE else "@=>")
    if len(text) != 1:
        return 0
    if text in "df":
        return b"d" if size == 8 else b"f" if size == 4 else 0
    if text in "bhilqn":
        return b"bh?i???q"[size - 1] if size in (1, 2, 4, 8) else 0
    if text in "?BHILQN":
        return b"BH?I???Q"[size - 1] if size in (1, 2, 4, 8) else 0
    return 0


cdef inline double number_at(const char *place, char kind) noexcept nogil:
    if kind == b"d": return (<const double *> place)[0]
    elif kind == b"f": return (<const float *> place)[0]
    elif kind == b"b": return (<const int8_t *> place)[0]
    elif kind == b"h": return (<const int16_t *> place)[0]
    elif kind == b"i": return (<const int32_t *> place)[0]
    elif kind == b"q": return <double> (<const int64_t *> place)[0]
    elif kind == b"B": return (<const uint8_t *> place)[0]
    elif kind == b"H": return (<const uint16_t *> place)[0]
    elif kind == b"I": return (<const uint32_t *> place)[0]
    else: return <double> (<const uint64_t *> place)[0]


cdef inline void read_column(const Column *column, int64_t first, int32_t rows, double *slot) noexcept nogil:
    cdef const char *place = column.first + first * column.stride
    cdef Py_ssize_t stride = column.stride
    cdef int32_t r
    if column.kind == b"d":
        for r in range(rows):
            slot[r] = (<const double *> (place + r * stride))[0]
    else:
        for r in range(rows):
            slot[r] = number_at(place + r * stride, column.kind)


# --- a run ---

cdef struct RunState:
    Native native           # first: what the node points to
    const Code *code
    const Kernels *kernels
    const Scalar *scalars
    const int32_t *packed_sources
    const int32_t *output_slots
    const int32_t *output_adjoints
    const int32_t *zeroed
    int32_t inputs, outputs, slots, adjoints, uniforms, packed, scalar_count, zeroed_count, parameters
    int32_t width           # rows of a block
    int32_t threads
    int64_t rows, chunks
    const Column *columns   # NULL after the forward pass
    double *workspace       # slots of all blocks if they are saved, else of one block a thread
    double *stored          # inputs of all blocks if slots are not saved, else NULL
    double *uniform         # numbers
    double *packed_numbers
    double **values         # by output, all rows
    double *seeds           # adjoints of outputs, all rows each; NULL until somebody may ask for gradients
    int64_t seeded          # the sweep they belong to
    double *adjoint_slots   # of one block a thread
    double *gradients       # of uniforms and packed numbers, a chunk each; the first is also their sum


cdef inline int64_t blocks_of(RunState *s) noexcept nogil:
    return (s.rows + s.width - 1) // s.width


cdef inline double *slots_of(RunState *s, int64_t block, int64_t thread) noexcept nogil:
    return s.workspace + (block if s.stored == NULL else thread) * s.slots * s.width


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
    s.kernels.forward(s.code, slots, s.width, rows, s.uniform, s.packed_numbers)


cdef void forward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * (CHUNK // s.width)
    cdef int64_t end = min(block + CHUNK // s.width, blocks_of(s))
    cdef double *slots
    cdef int32_t rows, k
    while block < end:
        rows = <int32_t> min(<int64_t> s.width, s.rows - block * s.width)
        slots = slots_of(s, block, chunk % s.threads)
        run_block(s, block, rows, slots)
        for k in range(s.outputs):
            memcpy(
                s.values[k] + block * s.width, slots + <int64_t> s.output_slots[k] * s.width, rows * sizeof(double)
            )
        block += 1


cdef void backward_chunk(void *context, int64_t chunk) noexcept nogil:
    cdef RunState *s = <RunState *> context
    cdef int64_t block = chunk * (CHUNK // s.width)
    cdef int64_t end = min(block + CHUNK // s.width, blocks_of(s))
    cdef double *gradients = s.gradients + chunk * (s.uniforms + s.packed)
    cdef double *adjoints = s.adjoint_slots + (chunk % s.threads) * s.adjoints * s.width
    cdef double *slots
    cdef double *slot
    cdef int32_t rows, k
    memset(gradients, 0, (s.uniforms + s.packed) * sizeof(double))
    while block < end:
        rows = <int32_t> min(<int64_t> s.width, s.rows - block * s.width)
        slots = slots_of(s, block, chunk % s.threads)
        if s.stored != NULL:
            run_block(s, block, rows, slots)
        for k in range(s.outputs):
            if s.output_adjoints[k] >= 0:
                slot = adjoints + <int64_t> s.output_adjoints[k] * s.width
                memcpy(slot, s.seeds + k * s.rows + block * s.width, rows * sizeof(double))
        for k in range(s.zeroed_count):
            memset(adjoints + <int64_t> s.zeroed[k] * s.width, 0, s.width * sizeof(double))
        s.kernels.backward(
            s.code, slots, adjoints, s.width, rows, s.uniform, s.packed_numbers, gradients, gradients + s.uniforms
        )
        block += 1


cdef void compute_uniforms(RunState *s) noexcept nogil:
    """Those that are computed, from parameters and shared numbers; then the packed ones."""
    cdef const Scalar *it
    cdef double *u = s.uniform
    cdef int32_t k
    for k in range(s.scalar_count):
        it = s.scalars + k
        if it.op == rules.ADD:
            u[it.out] = u[it.a] + u[it.b]
        elif it.op == rules.MUL:
            u[it.out] = u[it.a] * u[it.b]
        elif it.op == rules.POWER or it.op == rules.POW:
            rules.try_power(u[it.a], u[it.b], u + it.out)
        elif it.op < rules.RELU:
            u[it.out] = rules.value_of_two(it.op, u[it.a], u[it.b])
        else:
            u[it.out] = rules.value(it.op, u[it.a])
    for k in range(s.packed):
        s.packed_numbers[k] = u[s.packed_sources[k]]


cdef void push_uniforms(RunState *s, double *gradients) noexcept nogil:
    """Gradients of packed numbers and of computed uniforms, down to the parameters'."""
    cdef const Scalar *it
    cdef double *u = s.uniform
    cdef double g, x, y, slope
    cdef int32_t k
    for k in range(s.packed):
        gradients[s.packed_sources[k]] += gradients[s.uniforms + k]
    for k in range(s.scalar_count - 1, -1, -1):
        it = s.scalars + k
        g = gradients[it.out]
        x, y = u[it.a], u[it.b]
        if it.wants_a:
            slope = 0.0
            if it.op == rules.ADD:
                slope = 1.0
            elif it.op == rules.MUL:
                slope = y
            elif it.op == rules.POWER:
                rules.try_power_slope(x, y, &slope)
            elif it.op == rules.POW:
                rules.try_pow_base_slope(x, y, &slope)
            elif it.op < rules.RELU:
                slope = rules.slope_a(it.op, x, y)
            else:
                slope = rules.slope(it.op, x, u[it.out])
            gradients[it.a] += slope * g
        if it.wants_b:
            if it.op == rules.ADD:
                slope = 1.0
            elif it.op == rules.MUL:
                slope = x
            elif it.op == rules.POW:
                slope = rules.pow_exponent_slope(x, y, u[it.out])
            else:
                slope = rules.slope_b(it.op, x, y)
            gradients[it.b] += slope * g


cdef void push_run(
    Native *native, Node *nodes, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a Run's node: from the seeds that sums have left to the parameters' gradients."""
    cdef RunState *s = <RunState *> native
    cdef int32_t size = s.uniforms + s.packed
    cdef double *total = s.gradients
    cdef int64_t chunk
    cdef int32_t k
    if s.seeds == NULL or s.seeded != sweep:    # nobody has asked for gradients in this sweep
        return
    in_parallel(backward_chunk, s, s.chunks, s.threads)
    for chunk in range(1, s.chunks):
        for k in range(size):
            total[k] += s.gradients[chunk * size + k]
    push_uniforms(s, total)
    for k in range(s.parameters):
        nodes[edges[1 + k // 2].b if k & 1 else edges[1 + k // 2].a].grad += total[k]
    s.seeded = -1


cdef class Run:
    """A Program's pass over some rows."""
    cdef RunState state
    cdef readonly Program program
    cdef size_t workspace_size

    def __dealloc__(self):
        cdef RunState *s = &self.state
        cdef int k
        if self.program is not None and s.workspace != NULL and self.program.spare == NULL:
            self.program.spare = s.workspace        # so that the next run need not fault in new pages
            self.program.spare_size = self.workspace_size
        else:
            free(s.workspace)
        if s.values != NULL:
            for k in range(s.outputs):
                free(s.values[k])
        for pointer in (<size_t> s.stored, <size_t> s.uniform, <size_t> s.values, <size_t> s.seeds,
                        <size_t> s.adjoint_slots, <size_t> s.gradients):
            free(<void *> <size_t> pointer)

    cdef int prepare(self, Program program, const Kernels *kernels, Columns columns, list shared, int width,
                     int threads, size_t saved_bytes) except -1:
        cdef RunState *s = &self.state
        cdef int k
        cdef int32_t first
        cdef int64_t blocks
        cdef size_t size
        self.program = program
        s.native.push = push_run
        s.code, s.kernels = &program.code, kernels
        s.scalars, s.packed_sources = program.scalars, program.packed_sources
        s.output_slots, s.output_adjoints, s.zeroed = (
            program.output_slots, program.output_adjoints, program.zeroed
        )
        s.inputs, s.outputs, s.slots, s.adjoints = program.inputs, program.outputs, program.slots, program.adjoints
        s.uniforms, s.packed, s.scalar_count = program.uniforms, program.packed, program.scalar_count
        s.zeroed_count, s.parameters = program.zeroed_count, <int32_t> len(program.parameters)
        s.rows = columns.rows
        s.width = width or fitting_width(program, s.rows)
        s.chunks = (s.rows + CHUNK - 1) // CHUNK
        s.threads = <int32_t> max(1, min(threads, s.chunks))
        s.seeded = -1
        blocks = blocks_of(s)
        size = <size_t> s.slots * s.width * sizeof(double)
        if blocks * size > saved_bytes and blocks > s.threads:
            s.stored = new_doubles(<size_t> blocks * s.inputs * s.width)
            self.workspace_size = s.threads * size
        else:
            self.workspace_size = blocks * size
        if program.spare != NULL and self.workspace_size <= program.spare_size <= 2 * self.workspace_size:
            s.workspace, self.workspace_size = program.spare, program.spare_size
            program.spare = NULL
        else:
            s.workspace = new_doubles(self.workspace_size // sizeof(double))
        s.uniform = new_doubles(s.uniforms + s.packed)
        s.packed_numbers = s.uniform + s.uniforms
        s.values = <double **> new_doubles(s.outputs)
        memset(s.values, 0, s.outputs * sizeof(double *))
        for k in range(s.outputs):
            s.values[k] = new_doubles(s.rows)
        memcpy(s.uniform, program.constants, s.uniforms * sizeof(double))
        first = 0
        if s.parameters:
            first = consecutive_weights(&tape, <PyObject *> program.parameters, s.parameters)
        for k in range(s.parameters):
            s.uniform[k] = tape.nodes[first + k if first else (<Value> program.parameters[k]).index].data
        for k in range(<int> len(shared)):
            s.uniform[s.parameters + k] = shared[k]
        return 0

    cdef int want_gradients(self) except -1:
        """Make room for the backward pass, which cannot raise."""
        cdef RunState *s = &self.state
        if s.adjoint_slots == NULL:
            s.adjoint_slots = new_doubles(<size_t> s.threads * s.adjoints * s.width)
        if s.gradients == NULL:
            s.gradients = new_doubles(<size_t> max(s.chunks, 1) * (s.uniforms + s.packed))
            memset(s.gradients, 0, (s.uniforms + s.packed) * sizeof(double))
        if s.seeds == NULL:
            s.seeds = new_doubles(<size_t> s.outputs * s.rows)
        return 0


cdef int fitting_width(Program program, int64_t rows) noexcept:
    cdef int width = WIDE
    while width > NARROW and (width >= 2 * rows or <size_t> width * (program.slots + program.adjoints) * 8 > CACHE):
        width //= 2
    return width


cdef double *new_doubles(size_t count) except NULL:
    cdef double *memory = <double *> malloc(max(count, 1) * sizeof(double))
    if memory == NULL:
        raise MemoryError(f"no memory for {count} numbers")
    return memory


def run(Program program not None, Columns columns not None, list shared not None, int threads=1, width=0,
        size_t saved_bytes=2**26, instruction_set=None):
    """The list of Batches of a Program's outputs for all rows.

    `width` is the number of rows of a block, a multiple of 64 that divides 2048; `saved_bytes` as in vmap.
    """
    cdef const Kernels *kernels = fastest
    cdef bytes name
    cdef RunState *s
    cdef Value node = None
    cdef Run run = Run.__new__(Run)
    if instruction_set is not None:
        name = instruction_set.encode()
        kernels = find_kernels(name)
        if kernels == NULL:
            known = ", ".join(instruction_sets())
            raise ValueError(f"this processor does not have the instruction set {instruction_set!r}, but {known}")
    if columns.count != program.inputs:
        raise ValueError(f"{columns.count} columns for a program of {program.inputs} inputs")
    run.prepare(program, kernels, columns, shared, width, threads, saved_bytes)
    s = &run.state
    s.columns = columns.columns
    with nogil:
        compute_uniforms(s)
        in_parallel(forward_chunk, s, s.chunks, s.threads)
    s.columns = NULL
    if program.differentiable and not (tape.paused and paused_here()):
        node = record_run(run)
    else:
        node = None
    batches = []
    for k in range(program.outputs):
        batches.append(new_batch(run, node if program.output_adjoints[k] >= 0 else None, k))
    return batches


cdef Value record_run(Run run):
    cdef Value node = new_value()
    cdef list parameters = run.program.parameters
    cdef int32_t count = run.state.parameters
    cdef int32_t edges = 1 + (count + 1) // 2
    cdef int32_t index, first, k
    cdef Edge *edge
    cdef Native *native = &run.state.native
    reserve_nary(&tape, 1, edges)
    index = record(&tape, rules.NATIVE, tape.edge_top, edges, 0.0, 0)
    edge = tape.edges + tape.edge_top
    tape.edge_top += edges
    edge[0] = Edge(0.0, 0, 0)
    memcpy(&edge[0].term, &native, sizeof(native))
    first = consecutive_weights(&tape, <PyObject *> parameters, count) if count else 0
    for k in range(edges - 1):
        if first:
            edge[k + 1] = Edge(0.0, first + 2 * k, first + 2 * k + 1 if 2 * k + 1 < count else 0)
        else:
            edge[k + 1] = Edge(0.0, (<Value> parameters[2 * k]).index, 0)
            if 2 * k + 1 < count:
                edge[k + 1].b = (<Value> parameters[2 * k + 1]).index
    bind(node, index)
    held = [run]
    for k in range(count):
        if tape.nodes[(<Value> parameters[k]).index].flags & ODD:
            held.append(parameters[k])
    hold_all(node, tuple(held))
    return node


# --- batches and their sums ---

cdef struct ReductionState:
    Native native
    RunState *run
    double *weights         # a row each, or NULL
    double scale
    int32_t output


cdef void push_sum(
    Native *native, Node *nodes, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a sum: its share of the Run's seeds."""
    cdef ReductionState *sum = <ReductionState *> native
    cdef RunState *s = sum.run
    cdef double *seeds = s.seeds + sum.output * s.rows
    cdef double share = sum.scale * grad
    cdef int64_t r
    if s.seeded != sweep:
        memset(s.seeds, 0, s.outputs * s.rows * sizeof(double))
        s.seeded = sweep
    if sum.weights == NULL:
        for r in range(s.rows):
            seeds[r] += share
    else:
        for r in range(s.rows):
            seeds[r] += share * sum.weights[r]


cdef class Reduction:
    """What a sum's node points to."""
    cdef ReductionState state
    cdef Run run

    def __dealloc__(self):
        free(self.state.weights)


cdef class Batch:
    """One number a row, as a function of one row, given to vmap, has computed them.

    A sequence of floats, and a buffer: np.asarray(batch) shares its memory. sum() and mean() are Values.
    """
    cdef Run run
    cdef Value node         # the run's, None if no gradient can be asked for
    cdef double *values
    cdef Py_ssize_t rows
    cdef int32_t output

    def __len__(self):
        return self.rows

    def __getitem__(self, key):
        cdef Py_ssize_t k
        if isinstance(key, slice):
            return [self.values[i] for i in range(*key.indices(self.rows))]
        k = key
        if k < 0:
            k += self.rows
        if not 0 <= k < self.rows:
            raise IndexError(f"row {key} of a Batch of {self.rows} rows")
        return self.values[k]

    def __iter__(self):
        return iter(self.tolist())

    def __repr__(self):
        shown = ", ".join([repr(self.values[k]) for k in range(min(self.rows, 6))])
        return f"Batch([{shown}{', ...' if self.rows > 6 else ''}], rows={self.rows})"

    def tolist(self):
        """All numbers, as a list of floats."""
        return [self.values[k] for k in range(self.rows)]

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("a Batch cannot be written to: copy it, np.array(batch)")
        buffer.buf = self.values
        buffer.obj = self
        buffer.len = self.rows * sizeof(double)
        buffer.itemsize = sizeof(double)
        buffer.readonly = 1
        buffer.ndim = 1
        buffer.format = NULL
        if flags & PyBUF_FORMAT:
            buffer.format = <char *> b"d"
        buffer.shape = &self.rows if flags & PyBUF_ND else NULL
        buffer.strides = &buffer.itemsize if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
        buffer.suboffsets = NULL
        buffer.internal = NULL

    def sum(self, weights=None):
        """The sum over the rows, first to last, as a Value; each times its weight, if weights are given.

        Weights are numbers, one a row, and are copied. Raises ValueError for another number of them.
        """
        return reduce(self, weights, 1.0)

    def mean(self, weights=None):
        """The sum divided by the number of rows. Raises ZeroDivisionError if there are none."""
        if self.rows == 0:
            raise ZeroDivisionError("the mean of no rows")
        return reduce(self, weights, 1.0 / self.rows)


cdef Batch new_batch(Run run, Value node, int32_t output):
    cdef Batch batch = Batch.__new__(Batch)
    batch.run, batch.node, batch.output = run, node, output
    batch.values, batch.rows = run.state.values[output], run.state.rows
    return batch


cdef Value reduce(Batch batch, object weights, double scale):
    cdef Reduction reduction = Reduction.__new__(Reduction)
    cdef ReductionState *sum = &reduction.state
    cdef Native *native = &sum.native
    cdef Value value
    cdef double total = 0.0
    cdef Py_ssize_t r
    cdef Edge *edge
    reduction.run = batch.run
    sum.native.push = push_sum
    sum.run, sum.scale, sum.output = &batch.run.state, scale, batch.output
    if weights is not None:
        read_weights(sum, weights, batch.rows)
        for r in range(batch.rows):
            total += sum.weights[r] * batch.values[r]
    else:
        for r in range(batch.rows):
            total += batch.values[r]
    total *= scale
    value = new_value()
    if batch.node is None or tape.paused and paused_here():
        reserve(&tape, 1)
        bind(value, record_leaf(&tape, total, 0))
        return value
    batch.run.want_gradients()
    reserve_nary(&tape, 1, 1)
    edge = tape.edges + tape.edge_top
    edge[0] = Edge(0.0, batch.node.index, 0)
    memcpy(&edge[0].term, &native, sizeof(native))
    tape.edge_top += 1
    bind(value, record(&tape, rules.NATIVE, tape.edge_top - 1, 1, total, 0))
    hold_all(value, (reduction, batch.node))
    return value


cdef int read_weights(ReductionState *sum, object weights, Py_ssize_t rows) except -1:
    cdef Numbers numbers
    cdef Column column
    cdef list given
    cdef Py_ssize_t r
    try:
        numbers = Numbers(weights)
    except TypeError:
        given = [float(weight) for weight in weights]
        if len(given) != rows:
            raise ValueError(f"{len(given)} weights for {rows} rows") from None
        sum.weights = new_doubles(rows)
        for r in range(rows):
            sum.weights[r] = given[r]
        return 0
    if not numbers.readable or len(numbers.shape) != 1:
        raise TypeError(f"weights must be numbers, one a row, not an array of shape {numbers.shape} and format "
                        f"{numbers.format!r}")
    if numbers.shape[0] != rows:
        raise ValueError(f"{numbers.shape[0]} weights for {rows} rows")
    sum.weights = new_doubles(rows)
    column = Column(numbers.start, numbers.strides[0], numbers.kind)
    read_column(&column, 0, <int32_t> rows, sum.weights)
    return 0
