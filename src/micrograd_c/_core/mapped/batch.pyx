"""Batches: the numbers that have come out of a run, row by row.

Knows runs, and reductions, which make Values of such numbers. Knows nothing of functions or of how their arguments are
given.

Design
------
A Batch looks into its Run's memory, and keeps the Run alive. A copy looks into an array of its own, and has no Run.
"""

from array import array

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE
from cpython.object cimport Py_EQ, Py_NE
from libc.stdint cimport int32_t

from micrograd_c._core.mapped import reading
from micrograd_c._core.mapped.columns cimport Buffer, Column, Columns, read_column
from micrograd_c._core.mapped.executor cimport Run, Runner
from micrograd_c._core.mapped.reductions cimport (
    Reduction, deviation, extreme, new_reduction, record_reduction, weighted_sum,
)
from micrograd_c._core.mapped.refusals import refuse_arithmetic, refuse_order, refuse_truth, refuse_use_as_number
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.value.lifetime cimport check_initialised
from micrograd_c._core.value.value cimport Value

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        const char *tp_name

__all__ = ["Batch", "of_numbers", "only_number", "run", "run_buffers"]


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


cdef class Batch:
    """Batch()\n--\n
    One number per row, computed by a function that was given to vmap.

    A sequence of floats, and a buffer: np.asarray(batch) shares its memory. sum(), mean(), min(), max() and std() are
    Values. A copy, by copy or pickle, has the numbers, and no gradients.
    """

    def __init__(self):
        """TypeError: only a function given to vmap makes one."""
        raise TypeError("a Batch is what a function given to vmap returns; it cannot be made")

    def __reduce__(self):
        """Its numbers: a copy has no gradients."""
        return of_numbers, (array("d", self),)

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
        return self.total(weights, 1.0)

    def mean(self, weights=None):
        """The sum divided by the number of rows. Raises ZeroDivisionError if there are none."""
        if self.rows == 0:
            raise ZeroDivisionError("the mean of no rows")
        return self.total(weights, 1.0 / self.rows)

    def min(self):
        """The smallest, as a Value; nan if any is nan. Rows that are equal to it share its gradient equally.

        Raises ValueError if there are no rows.
        """
        return self.extreme(False)

    def max(self):
        """The largest, as min() is the smallest."""
        return self.extreme(True)

    def std(self, ddof=0):
        """The standard deviation, as a Value: the root of the squares' sum divided by rows - ddof.

        Its gradient is nan if all rows are equal. Raises ZeroDivisionError if there are ddof rows, or fewer.
        """
        cdef Reduction reduction = self.reduction(1.0)
        cdef double fewer = ddof
        if not self.rows > fewer:
            raise ZeroDivisionError(f"the standard deviation of {self.rows} rows, with ddof {ddof}")
        return record_reduction(
            reduction, self.node, deviation(self.values, self.rows, fewer, reduction.new_weights()))

    cdef Reduction reduction(self, double scale):
        if self.values == NULL:     # Batch.__new__(Batch)
            raise TypeError("this Batch was not returned by a function given to vmap")
        if self.run is None:
            return new_reduction(None, Part(NULL, 0, self.rows, 0, 0), scale)
        return new_reduction(self.run, Part(
            &self.run.state, self.output * <Py_ssize_t> self.rows, self.rows, self.output, 1), scale)

    cdef Value total(self, object weights, double scale, double start=0.0):
        cdef Reduction reduction = self.reduction(scale)
        if weights is not None:
            read_weights(reduction.new_weights(), weights, self.rows)
        return record_reduction(
            reduction, self.node, scale * weighted_sum(self.values, self.rows, reduction.state.weights, start))

    cdef Value extreme(self, bint largest):
        cdef Reduction reduction = self.reduction(1.0)
        if self.rows == 0:
            raise ValueError(f"the {'largest' if largest else 'smallest'} of no rows")
        return record_reduction(
            reduction, self.node, extreme(self.values, self.rows, largest, reduction.new_weights()))


cdef Batch new_batch(Run run, Value node, int32_t output):
    cdef Batch batch = Batch.__new__(Batch)
    batch.run, batch.node, batch.output = run, node, output
    batch.values, batch.rows = run.state.values + output * run.state.rows, run.state.rows
    return batch


def of_numbers(numbers not None):
    """A Batch of the numbers in an array of doubles, which is its own from here on: what copies and pickles are."""
    cdef Batch batch = Batch.__new__(Batch)
    cdef Buffer buffer = Buffer(numbers)
    if buffer.kind != c"d" or buffer.view.ndim != 1 or buffer.strides[0] != sizeof(double):
        raise TypeError("a Batch is made of an array of doubles, one after the other")
    batch.owner, batch.values, batch.rows = buffer, <double *> buffer.start, buffer.shape[0]
    return batch


def only_number(Batch batch not None):
    """The number of a Batch of one row, as a Value, with its sign if it is 0."""
    if batch.rows != 1:
        raise ValueError(f"one row is wanted, not {batch.rows}")
    return batch.total(None, 1.0, -0.0)


cdef int read_weights(double *to, object weights, Py_ssize_t rows) except -1:
    cdef Buffer buffer = reading.read_weights(weights, rows)
    cdef Column column = Column(buffer.start, buffer.strides[0], buffer.kind)
    read_column(&column, 0, rows, to)
    return 0


Batch.__module__ = "micrograd_c"        # where people find it
(<PyTypeObject *> Batch).tp_name = "micrograd_c.Batch"
