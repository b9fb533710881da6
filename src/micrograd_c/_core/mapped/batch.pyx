"""Batches: the numbers that have come out of a run, row by row.

Knows runs, and reductions, which make Values of such numbers. Knows nothing of functions or of how runs come about.

Design
------
A Batch looks into its Run's memory, and keeps the Run alive. A copy looks into an array of its own, and has no Run.
A Run's numbers lie output by output. So many outputs are one array, whose axis of rows has the smallest stride.
"""

from array import array

from cpython.buffer cimport (
    PyBUF_ANY_CONTIGUOUS, PyBUF_C_CONTIGUOUS, PyBUF_F_CONTIGUOUS, PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES,
    PyBUF_WRITABLE, PyBuffer_IsContiguous,
)
from cpython.object cimport Py_EQ, Py_NE
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

from micrograd_c._core.mapped import reading
from micrograd_c._core.mapped.columns cimport MOST_AXES, Buffer, Column, offset_in_row, read_column
from micrograd_c._core.mapped.executor cimport Run
from micrograd_c._core.mapped.reductions cimport Reduction, deviation, extreme, new_reduction, weighted_sum
from micrograd_c._core.mapped.refusals import refuse_arithmetic, refuse_order, refuse_truth, refuse_use_as_number
from micrograd_c._core.mapped.seeding cimport Part
from micrograd_c._core.value.value cimport Value

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        const char *tp_name

__all__ = ["Batch", "first_number", "of_numbers", "only_number"]


cdef class Batch:
    """Batch()\n--\n
    One number per row, computed by a function that was given to vmap; with stacked=True, an array of them per row.

    A sequence of floats, and a buffer: np.asarray(batch) shares its memory. sum(), mean(), min(), max() and std() are
    Values. A copy, by copy or pickle, has the numbers, and no gradients.
    """

    def __init__(self):
        """TypeError: only a function given to vmap makes one."""
        raise TypeError("a Batch is what a function given to vmap returns; it cannot be made")

    def __dealloc__(self):
        free(self.layout)

    def __reduce__(self):
        """Its numbers: a copy has no gradients."""
        cdef bytes numbers = (<char *> self.values)[:self.size * sizeof(double)] if self.size else b""
        shape = self.shape
        return of_numbers, (array("d", numbers), shape[:self.axis] + shape[self.axis + 1:], self.axis)

    def __len__(self):
        return self.rows if self.layout == NULL else self.layout[0]

    def __getitem__(self, key):
        cdef Py_ssize_t k
        cdef Py_ssize_t length = len(self)
        cdef Py_ssize_t stride = sizeof(double) if self.layout == NULL else self.layout[self.ndim]
        if isinstance(key, slice):
            return [self[i] for i in range(*key.indices(length))]
        k = key
        if k < 0:
            k += length
        if not 0 <= k < length:
            raise IndexError(f"row {key} of a Batch of {length} rows")
        return self.listed(<char *> self.values + k * stride, 1)

    cdef object listed(self, const char *place, int axis):
        """The numbers there as nested lists, but for the first axes."""
        cdef Py_ssize_t k
        if axis and axis >= self.ndim:
            return (<const double *> place)[0]
        if self.layout == NULL:
            return [self.values[k] for k in range(self.rows)]
        return [self.listed(place + k * self.layout[self.ndim + axis], axis + 1) for k in range(self.layout[axis])]

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

    @property
    def shape(self):
        """The length of each axis."""
        return (self.rows,) if self.layout == NULL else tuple([self.layout[k] for k in range(self.ndim)])

    def __repr__(self):
        if self.layout != NULL:
            return f"Batch(shape={self.shape})"
        shown = ", ".join([repr(self.values[k]) for k in range(min(self.rows, 6))])
        return f"Batch([{shown}{', ...' if self.rows > 6 else ''}], rows={self.rows})"

    def tolist(self):
        """All numbers, as a list of floats; of more axes, as nested lists."""
        return self.listed(<const char *> self.values, 0)

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("a Batch cannot be written to: copy it, np.array(batch)")
        buffer.buf = self.values
        buffer.obj = self
        buffer.len = self.size * sizeof(double)
        buffer.itemsize = sizeof(double)
        buffer.readonly = 1
        buffer.ndim = max(self.ndim, 1)
        buffer.format = NULL
        if flags & PyBUF_FORMAT:
            buffer.format = <char *> b"d"
        buffer.shape = &self.rows if self.layout == NULL else self.layout
        buffer.strides = &buffer.itemsize if self.layout == NULL else self.layout + self.ndim
        buffer.suboffsets = NULL
        buffer.internal = NULL
        if self.layout != NULL and not serves(buffer, flags):
            raise BufferError("the numbers of this Batch do not lie one after the other: np.ascontiguousarray(batch) "
                              "copies them, and with out_axes=-1 they do")
        if flags & PyBUF_STRIDES != PyBUF_STRIDES:
            buffer.strides = NULL
        if not flags & PyBUF_ND:
            buffer.ndim = 1
            buffer.shape = NULL

    def sum(self, weights=None):
        """The sum over the rows, first to last, as a Value. If weights are given, each row is multiplied by its own.

        Weights are numbers, one per row, and are copied; those of a Batch get gradients, too. Raises ValueError if
        there are not as many as rows. With more axes it is the sum of all numbers, and weights have the same shape.
        """
        return self.total(weights, 1.0)

    def mean(self, weights=None):
        """The sum divided by the number of rows. Raises ZeroDivisionError if there are none."""
        if self.size == 0:
            raise ZeroDivisionError("the mean of no rows")
        return self.total(weights, 1.0 / self.size)

    def min(self):
        """The smallest, as a Value; nan if any is nan. Rows that are equal to it share its gradient equally.

        Raises ValueError if there are no rows.
        """
        return self.chosen(False)

    def max(self):
        """The largest, as min() is the smallest."""
        return self.chosen(True)

    def std(self, ddof=0):
        """The standard deviation, as a Value: the root of the squares' sum divided by rows - ddof.

        Its gradient is nan if all rows are equal. Raises ZeroDivisionError if there are ddof rows, or fewer.
        """
        cdef Reduction reduction = self.reduction(1.0)
        cdef double fewer = ddof
        if not self.size > fewer:
            raise ZeroDivisionError(f"the standard deviation of {self.size} rows, with ddof {ddof}")
        reduction.state.freedom = self.size - fewer
        return reduction.as_value(deviation(self.values, self.size, fewer, reduction.new_weights()))

    cdef Part part(self):
        """Its numbers as those of a run."""
        if self.run is None:
            return Part(NULL, 0, self.size, 0, 0)
        return Part(&self.run.state, self.output * <Py_ssize_t> self.rows, self.size, self.output, self.outputs)

    cdef Reduction reduction(self, double scale):
        cdef Reduction reduction
        if self.values == NULL:     # Batch.__new__(Batch)
            raise TypeError("this Batch was not returned by a function given to vmap")
        reduction = new_reduction(self.values, self.part(), scale)
        reduction.run, reduction.node, reduction.owner = self.run, self.node, self.owner
        return reduction

    cdef Value total(self, object weights, double scale, double start=0.0):
        cdef Reduction reduction = self.reduction(scale)
        if weights is not None:
            if hasattr(weights, "as_batch"):        # it was computed row by row
                weights = weights.as_batch(self.axis if self.ndim == len(weights.shape) else 0)
            if isinstance(weights, Batch):
                link_weights(reduction, self, weights)
                weights = memoryview(weights)       # its numbers
            read_weights(reduction.new_weights(), weights, self.shape, self.axis)
        return reduction.as_value(scale * weighted_sum(self.values, self.size, reduction.state.weights, start))

    cdef Value chosen(self, bint largest):
        cdef Reduction reduction = self.reduction(1.0)
        if self.size == 0:
            raise ValueError(f"the {'largest' if largest else 'smallest'} of no rows")
        return reduction.as_value(extreme(self.values, self.size, largest, reduction.new_weights()))

    cdef int lay_out(self, tuple shape, int axis) except -1:
        """Have axes: those of a row's numbers, of that shape, and the rows'. Values and rows are known."""
        cdef Py_ssize_t stride = self.rows * <Py_ssize_t> sizeof(double)
        cdef int k, place
        self.outputs = 1
        if shape:
            self.ndim, self.axis = <int> len(shape) + 1, axis
            self.layout = <Py_ssize_t *> malloc(2 * self.ndim * sizeof(Py_ssize_t))
            if self.layout == NULL:
                raise MemoryError("no memory for the shape of a Batch")
            self.layout[axis], self.layout[self.ndim + axis] = self.rows, sizeof(double)
            for k in range(self.ndim - 2, -1, -1):
                place = k + (k >= axis)
                self.layout[place], self.layout[self.ndim + place] = shape[k], stride
                self.outputs *= shape[k]
                stride *= shape[k]
        self.size = self.outputs * self.rows
        return 0


cdef bint serves(Py_buffer *buffer, int flags) noexcept:
    """Whether whoever asks for a view with these flags can read this one."""
    if flags & PyBUF_C_CONTIGUOUS == PyBUF_C_CONTIGUOUS or flags & PyBUF_STRIDES != PyBUF_STRIDES:
        return PyBuffer_IsContiguous(buffer, c"C")
    if flags & PyBUF_F_CONTIGUOUS == PyBUF_F_CONTIGUOUS:
        return PyBuffer_IsContiguous(buffer, c"F")
    return flags & PyBUF_ANY_CONTIGUOUS != PyBUF_ANY_CONTIGUOUS or PyBuffer_IsContiguous(buffer, c"A")


cdef Batch new_batch(Run run, Value node, int32_t output, tuple shape, int axis):
    """Of so many outputs as that shape has places, from that one on. The node is the run's."""
    cdef Batch batch = Batch.__new__(Batch)
    cdef int32_t k
    batch.run, batch.output = run, output
    batch.values, batch.rows = run.state.values + output * run.state.rows, run.state.rows
    batch.lay_out(shape, axis)
    for k in range(output, output + batch.outputs):
        if run.state.output_adjoints[k] >= 0:
            batch.node = node
            break
    return batch


def of_numbers(numbers not None, tuple shape not None=(), int axis=0):
    """A Batch of the numbers in an array of doubles, which is its own from here on: what copies and pickles are."""
    cdef Batch batch = Batch.__new__(Batch)
    cdef Buffer buffer = Buffer(numbers)
    cdef Py_ssize_t places = 1
    if buffer.kind != c"d" or buffer.view.ndim != 1 or buffer.strides[0] != sizeof(double):
        raise TypeError("a Batch is made of an array of doubles, one after the other")
    if len(shape) >= MOST_AXES or not 0 <= axis <= len(shape) or min(shape, default=1) < 0:
        raise ValueError(f"a Batch has no row of shape {shape} along axis {axis}")
    for length in shape:
        places *= length
    batch.owner, batch.values = buffer, <double *> buffer.start
    batch.rows = buffer.shape[0] // places if places else 0
    if batch.rows * places != buffer.shape[0]:
        raise ValueError(f"{buffer.shape[0]} numbers for rows of shape {shape}")
    batch.lay_out(shape, axis)
    return batch


def first_number(Batch batch not None):
    """The number of the first row, as a Value: of one that is the same in all rows."""
    cdef Reduction reduction = batch.reduction(1.0)
    if not batch.size:
        raise ValueError("what is the same in all rows is not known without any row")
    reduction.state.part.count = 1
    return reduction.as_value(batch.values[0])


def only_number(Batch batch not None):
    """The number of a Batch of one row, as a Value, with its sign if it is 0."""
    if batch.rows != 1:
        raise ValueError(f"one row is wanted, not {batch.rows}")
    return batch.total(None, 1.0, -0.0)


cdef int link_weights(Reduction reduction, Batch batch, Batch weights) except -1:
    """Have gradients go to weights that are another Batch's numbers, or this one's."""
    if weights.shape == batch.shape and weights.axis != batch.axis:
        raise ValueError(f"weights have their rows along axis {weights.axis}, and what they are for along axis "
                         f"{batch.axis}: compute both with the same out_axes")
    reduction.state.of_weights = weights.part()
    reduction.weights_run, reduction.weights_node = weights.run, weights.node
    return 0


cdef int read_weights(double *to, object weights, tuple shape, int axis) except -1:
    """Write them as a Batch's numbers lie."""
    cdef Buffer buffer = reading.read_weights(weights, shape, axis)
    cdef Py_ssize_t rows = shape[axis]
    cdef Py_ssize_t k, offset
    cdef Column column
    for k in range(buffer.columns):
        offset = offset_in_row(k, buffer.view.ndim, buffer.lengths, buffer.strides)
        column = Column(buffer.start + offset, buffer.strides[0], buffer.kind)
        read_column(&column, 0, rows, to + k * rows)
    return 0


Batch.__module__ = "micrograd_c"        # where people find it
(<PyTypeObject *> Batch).tp_name = "micrograd_c.Batch"
