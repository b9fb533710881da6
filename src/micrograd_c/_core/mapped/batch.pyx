"""Batches: the numbers that have come out of a run, row by row, and their sums as Values on the tape.

Knows runs and the tape. Knows nothing of functions or of how their arguments are given.

Design
------
A Batch looks into its Run's memory, and keeps the Run alive. Its sum is a NATIVE node over the Run's node. The sum's
edge points to the C struct in a Reduction, which the sum's Value holds. A sweep comes to all sums before it comes to
the Run; each adds to the Run's seeds, the adjoints of the outputs.
"""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE
from cpython.object cimport Py_EQ, Py_NE
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

from micrograd_c._core.mapped import reading
from micrograd_c._core.mapped.columns cimport Buffer, Column, Columns, read_column
from micrograd_c._core.mapped.executor cimport Run, Runner, new_doubles
from micrograd_c._core.mapped.passes cimport RunState, find_seeds, put_aside
from micrograd_c._core.mapped.refusals import refuse_arithmetic, refuse_order, refuse_truth, refuse_use_as_number
cimport micrograd_c._core.ops.rules as rules
from micrograd_c._core.tape.arena cimport (
    PUSH_OUT_OF_MEMORY, PUSHED, Edge, Native, Pushed, record, record_leaf, reserve, reserve_nary, tape,
)
from micrograd_c._core.tape.pausing cimport paused_here
from micrograd_c._core.value.lifetime cimport check_initialised, hold_all
from micrograd_c._core.value.value cimport Value, bind, new_value

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        const char *tp_name

__all__ = ["Batch", "only_number", "run", "run_buffers"]


def run(Runner runner not None, Columns columns not None, list shared not None, list given not None):
    """Run all rows, with Values in the place of those that the call is given. Returns a list of Batches."""
    cdef list numbers = [float(number) for number in shared]    # which may run any code
    if columns.count != runner.program.inputs:
        raise ValueError(f"{columns.count} columns for a program of {runner.program.inputs} inputs")
    if len(numbers) != runner.program.shared:
        raise ValueError(f"{len(numbers)} shared numbers for a program of {runner.program.shared}")
    if len(given) != runner.program.given:
        raise ValueError(f"{len(given)} Values for a program of {runner.program.given}")
    for value in given:
        check_value(value)
    return batches_of(runner.run(columns.columns, columns.rows, numbers, given or None))


cdef int check_value(value) except -1:
    if not isinstance(value, Value):
        raise TypeError(f"a Value is wanted, not {value!r}")
    check_initialised(<Value> value)
    return 0


def run_buffers(Runner runner not None, tuple arguments not None):
    """The same for arguments as they come, if they are buffers of the shapes that the Runner is for; else None."""
    cdef Run run
    for argument in arguments:
        if isinstance(argument, Batch) and (<Batch> argument).node is not None:     # its gradient would be lost
            return None
        if hasattr(argument, "mask"):       # and so would the mask of an array
            return None
    run = runner.run_buffers(arguments)
    return None if run is None else batches_of(run)


cdef list batches_of(Run run):
    cdef Value node = run.record_node()
    cdef list batches = []
    cdef int32_t k
    for k in range(run.state.outputs):
        batches.append(new_batch(run, node if run.state.output_adjoints[k] >= 0 else None, k))
    return batches


cdef struct ReductionState:
    Native native
    RunState *run
    double *weights         # one per row, or NULL
    double scale
    int32_t output


cdef Pushed push_sum(
    Native *native, double *grads, const Edge *edges, int32_t count, double grad, int64_t sweep
) noexcept nogil:
    """The rule of a sum: adds its share to the Run's seeds."""
    cdef ReductionState *sum = <ReductionState *> native
    cdef RunState *s = sum.run
    cdef double *seeds = s.seeds + sum.output * s.rows
    cdef double share = sum.scale * grad
    cdef int64_t r
    if not find_seeds(s, sweep):
        if not put_aside(s):
            return PUSH_OUT_OF_MEMORY
        memset(s.seeds, 0, s.outputs * s.rows * sizeof(double))
        memset(s.asked, 0, s.outputs)
        s.asked_count = 0
        s.seeded = sweep
    if not s.asked[sum.output]:
        s.asked[sum.output] = 1
        s.asked_count += 1
    if sum.weights == NULL:
        for r in range(s.rows):
            seeds[r] += share
    else:
        for r in range(s.rows):
            seeds[r] += share * sum.weights[r]
    return PUSHED


cdef class Reduction:
    """What a sum's node points to."""
    cdef ReductionState state
    cdef Run run

    def __dealloc__(self):
        free(self.state.weights)

    def __reduce__(self):
        raise TypeError("cannot copy or pickle a Reduction of vmap: it is part of a sum's Value")


cdef class Batch:
    """Batch()\n--\n
    One number per row, computed by a function that was given to vmap.

    A sequence of floats, and a buffer: np.asarray(batch) shares its memory. sum() and mean() are Values.
    """
    cdef Run run            # None for a Batch that no run has made
    cdef Value node         # the run's, None if there can be no gradient
    cdef double *values
    cdef Py_ssize_t rows
    cdef int32_t output

    def __init__(self):
        """TypeError: only a function given to vmap makes one."""
        raise TypeError("a Batch is what a function given to vmap returns; it cannot be made")

    def __reduce__(self):
        """TypeError: take its numbers."""
        raise TypeError("cannot copy or pickle a Batch, whose gradients go through memory of its own: "
                        "take its numbers, batch.tolist() or np.array(batch)")

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

    # --- what cannot be ---

    def __add__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __radd__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __sub__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rsub__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __mul__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rmul__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __truediv__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rtruediv__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __floordiv__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rfloordiv__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __mod__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rmod__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __matmul__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __rmatmul__(self, other, /):
        """TypeError: a Batch takes no part in arithmetic."""
        return refuse_arithmetic(self, other)

    def __pow__(self, other, modulo):
        return refuse_arithmetic(self, other)

    def __rpow__(self, other, modulo):
        return refuse_arithmetic(self, other)

    def __neg__(self):
        return refuse_arithmetic(self, None)

    def __abs__(self):
        return refuse_arithmetic(self, None)

    def __richcmp__(self, other, int comparison):
        if comparison == Py_EQ or comparison == Py_NE:      # by identity, as everything else
            return NotImplemented
        return refuse_order(self, other)

    def __hash__(self):
        return object.__hash__(self)

    def __float__(self):
        refuse_use_as_number(self)

    def __int__(self):
        refuse_use_as_number(self)

    def __bool__(self):
        refuse_truth(self)

    # --- numbers ---

    @property
    def keeps_graph(self):
        """True if its sums have gradients. What is computed from its numbers has none."""
        return self.node is not None

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
        """The sum over the rows, first to last, as a Value. If weights are given, each row is multiplied by its own.

        Weights are numbers, one per row, and are copied. Raises ValueError if there are not as many as rows.
        """
        return reduce(self, weights, 1.0, 0.0)

    def mean(self, weights=None):
        """The sum divided by the number of rows. Raises ZeroDivisionError if there are none."""
        if self.rows == 0:
            raise ZeroDivisionError("the mean of no rows")
        return reduce(self, weights, 1.0 / self.rows, 0.0)


cdef Batch new_batch(Run run, Value node, int32_t output):
    cdef Batch batch = Batch.__new__(Batch)
    batch.run, batch.node, batch.output = run, node, output
    batch.values, batch.rows = run.state.values + output * run.state.rows, run.state.rows
    return batch


def only_number(Batch batch not None):
    """The number of a Batch of one row, as a Value, with its sign if it is 0."""
    if batch.rows != 1:
        raise ValueError(f"one row is wanted, not {batch.rows}")
    return reduce(batch, None, 1.0, -0.0)


cdef Value reduce(Batch batch, object weights, double scale, double start):
    cdef Reduction reduction = Reduction.__new__(Reduction)
    cdef ReductionState *sum = &reduction.state
    cdef Native *native = &sum.native
    cdef Value value
    cdef double total = start
    cdef Py_ssize_t r
    cdef Edge *edge
    if batch.run is None:       # Batch.__new__(Batch)
        raise TypeError("this Batch was not returned by a function given to vmap")
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
    cdef Buffer buffer = reading.read_weights(weights, rows)
    cdef Column column = Column(buffer.start, buffer.strides[0], buffer.kind)
    sum.weights = new_doubles(rows)
    read_column(&column, 0, rows, sum.weights)
    return 0


Batch.__module__ = "micrograd_c"        # where people find it
(<PyTypeObject *> Batch).tp_name = "micrograd_c.Batch"
